"""What the ways of viewing a comparison have to work with, and what each must tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from napari.components import ViewerModel
from napari.layers import Layer

from napari_pqcomq.viewer.scene import Mark, Pane, Scene
from napari_pqcomq.viewer.side_layers import Side
from pqcomq.comparison.presentation.comparison_text import short_precision


@dataclass
class Stage:
    """An open comparison.

    Attributes:
        viewer: napari's viewer or the proxy that plugins get.
        scene: what all sides share.
        panes: full precision first.
        sides: their layers, in the same order.
        spare: layers of further sides that were made for an earlier comparison; out of sight.
        candidate: the side that views of two are about, beside the first.
    """

    viewer: ViewerModel
    scene: Scene
    panes: list[Pane]
    sides: list[Side]
    candidate: int = 1
    spare: list[Side] = field(default_factory=list)

    def take(self, panes: Sequence[Pane], candidate: int) -> bool:
        """Show other panes with the layers that are there.

        Returns:
            Whether there are enough of them; nothing has changed otherwise.
        """
        every = [*self.sides, *self.spare]
        if len(panes) > len(every):
            return False
        self.sides, self.spare = every[: len(panes)], every[len(panes) :]
        for side, pane in zip(self.sides, panes, strict=True):
            side.masks[:] = pane.mask
        self.panes, self.candidate = list(panes), candidate
        return True

    @property
    def pair(self) -> tuple[Side, Side]:
        """The two sides that swipe and difference compare."""
        return self.sides[0], self.sides[self.candidate]

    @property
    def axis_across(self) -> int:
        """Index of the volume's axis that runs from left to right on screen."""
        return int(self.viewer.dims.order[-1])


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


class ViewMode(Protocol):
    """One way of viewing; all of them read the same masks and none computes anything of the models."""

    @property
    def grid(self) -> tuple[int, int] | None:
        """Rows and columns of the canvas; None for a single picture."""

    @property
    def own_layers(self) -> list[Layer]:
        """Layers beside those of the sides."""

    def visible(self) -> list[Layer]:
        """The layers to be seen."""

    def plates(self) -> list[Plate]:
        """One a cell of the grid, or from left to right above a single picture."""

    def show_masks(self, slices: Sequence[int] | None) -> None:
        """The sides' masks have changed on some slices, or with None everywhere."""

    def close(self) -> None:
        """Let go of the viewer."""


def side_plate(pane: Pane) -> Plate:
    """The plate of a side."""
    return Plate(pane.title, pane.colour, pane.lines, pane.mark, short_titles(pane.title))


def short_titles(title: str) -> tuple[str, ...]:
    """Shorter headings of a side, e.g. ``"4-bit Permutation-COMQ"`` and ``"4-bit"``."""
    precision = title.rpartition(" · ")[2]
    return precision, short_precision(precision) if precision.split() else precision
