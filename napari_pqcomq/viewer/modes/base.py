"""What the ways of viewing a comparison have to work with, and what each must tell."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from napari.components import ViewerModel
from napari.layers import Layer

from napari_pqcomq.layers.axes_in_sight import axes_in_sight
from napari_pqcomq.viewer.scene import Mark, Pane, Scene
from napari_pqcomq.viewer.sides.mask_arrays import put_masks
from napari_pqcomq.viewer.sides.side_layers import Side, mask_lines
from napari_pqcomq.viewer.sides.strokes import Lines, Sight
from pqcomq.comparison.presentation.comparison_text import short_precision

SideLines = Mapping[str, Sequence[Lines]]
"""Lines and areas by kind: :data:`.OUTLINES` and the others."""


_MOST_DRAWN = 256
"""Slices of sides whose lines are kept, of some ten kilobytes each."""


@dataclass
class Stage:
    """An open comparison.

    Attributes:
        viewer: napari's viewer or the proxy that plugins get.
        scene: what all sides share.
        panes: full precision first.
        sides: their layers, in the same order.
        spare: layers of further sides that were made for an earlier comparison; out of sight.
        drawn: lines and areas of masks that were drawn already, by side, axes and slice; empty when masks change.
        candidate: the side that views of two are about, beside the first.
        show_lines: draws all lines again, for views whose lines change by themselves.
    """

    viewer: ViewerModel
    scene: Scene
    panes: list[Pane]
    sides: list[Side]
    candidate: int = 1
    spare: list[Side] = field(default_factory=list)
    drawn: dict[tuple[object, ...], SideLines] = field(default_factory=dict)
    show_lines: Callable[[], None] = lambda: None

    def take(self, panes: Sequence[Pane], candidate: int) -> bool:
        """Show other panes with the layers that are there.

        Returns:
            Whether there are enough of them; nothing has changed otherwise.
        """
        every = self.every
        if len(panes) > len(every):
            return False
        self.sides, self.spare = every[: len(panes)], every[len(panes) :]
        for side, pane in zip(self.sides, panes, strict=True):
            put_masks(side.masks, pane.mask)
        self.panes, self.candidate = list(panes), candidate
        self.drawn.clear()
        return True

    @property
    def every(self) -> list[Side]:
        """The sides, and the spare ones behind them."""
        return [*self.sides, *self.spare]

    @property
    def layers(self) -> list[Layer]:
        """Those of all of them, in the order that the grid needs."""
        return [layer for side in self.every for layer in side.layers]

    @property
    def pair(self) -> tuple[Side, Side]:
        """The two sides that swipe and difference compare."""
        return self.sides[0], self.sides[self.candidate]

    @property
    def axis_across(self) -> int:
        """Index of the volume's axis that runs from left to right on screen."""
        axes = axes_in_sight(self.viewer.dims)
        return axes[2] if axes else 2


@dataclass(frozen=True)
class Plate:
    """What is said above a picture.

    Attributes:
        title: its heading.
        colour: of the heading.
        lines: figures, the first ones first where there is little room.
        mark: a verdict beside the heading.
        short_titles: for little room, ever shorter.
    """

    title: str
    colour: str
    lines: tuple[str, ...] = field(default=())
    mark: Mark | None = None
    short_titles: tuple[str, ...] = field(default=())


class ViewMode(ABC):
    """One way of viewing; all of them read the same masks and none computes anything of the models.

    Args:
        stage: the open comparison.

    Attributes:
        grid: rows and columns of the canvas; None for a single picture.
        shows_truth: whether an outline of the ground truth is seen beside the masks.
        is_chosen: whether the comparison is viewed in this way now.
    """

    grid: tuple[int, int] | None = None
    shows_truth = True
    is_chosen = False

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    @property
    def pictures(self) -> list[Side]:
        """The sides whose pictures are seen, one a cell; by default the first, on which masks of any are drawn."""
        return self._stage.sides[:1]

    @property
    def surfaces(self) -> list[Side]:
        """The sides whose surfaces are seen in 3-D, one a cell; by default that which is compared with the first."""
        return [self._stage.sides[self._stage.candidate]]

    @abstractmethod
    def lines(self, sight: Sight) -> list[SideLines]:
        """What each picture shows of the masks; boxes and truth are added."""

    @abstractmethod
    def plates(self) -> list[Plate]:
        """One a cell of the grid, or from left to right above a single picture."""

    def masks_changed(self, slices: Sequence[int] | None) -> None:  # noqa: B027 (most have nothing to forget)
        """The sides' masks have changed on some slices, or with None everywhere."""

    def close(self) -> None:  # noqa: B027 (most hold nothing)
        """Let go of the viewer."""


def masks_in_sight(side: Side, stage: Stage, sight: Sight) -> np.ndarray:
    """A side's object numbers (down, across) on the slice in sight, without those that are hidden."""
    return stage.scene.seen(sight.slice_of(side.masks))


def masks_drawn(side: Side, stage: Stage, sight: Sight) -> SideLines:
    """A side's masks on the slice in sight, with rims where full precision has otherwise, unless that is a secret."""
    place = side.number, sight.order, sight.position
    if place not in stage.drawn:
        if len(stage.drawn) >= _MOST_DRAWN:
            stage.drawn.clear()
        other = side if stage.scene.blinded else stage.sides[0]
        masks = masks_in_sight(side, stage, sight), masks_in_sight(other, stage, sight)
        stage.drawn[place] = mask_lines(*masks)
    return stage.drawn[place]


def side_plate(pane: Pane) -> Plate:
    """The plate of a side."""
    return Plate(pane.title, pane.colour, pane.lines, pane.mark, short_titles(pane.title))


def short_titles(title: str) -> tuple[str, ...]:
    """Shorter headings of a side, e.g. ``"4-bit Permutation-COMQ"`` and ``"4-bit"``."""
    precision = title.rpartition(" · ")[2]
    return precision, short_precision(precision) if precision.split() else precision
