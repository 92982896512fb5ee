"""What the ways of viewing a comparison have to work with, and what each must tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from napari.components import ViewerModel
from napari.layers import Layer

from napari_pqcomq.viewer.scene import Mark, Pane, Scene
from napari_pqcomq.viewer.side_layers import Side


@dataclass
class Stage:
    """An open comparison.

    Attributes:
        viewer: napari's viewer or the proxy that plugins get.
        scene: what all sides share.
        panes: full precision first.
        sides: their layers, in the same order.
        candidate: the side that views of two are about, beside the first.
    """

    viewer: ViewerModel
    scene: Scene
    panes: list[Pane]
    sides: list[Side]
    candidate: int = 1

    @property
    def pair(self) -> tuple[Side, Side]:
        """The two sides that swipe and difference compare."""
        return self.sides[0], self.sides[self.candidate]

    @property
    def axis_across(self) -> int:
        """Index of the volume's axis that runs from left to right on screen."""
        return int(self.viewer.dims.order[-1])


@dataclass(frozen=True)
class OverlayText:
    """Text in a corner of the canvas.

    Attributes:
        corner: "top_left", "top_right", "bottom_left" or "bottom_right".
        title: its heading.
        colour: of the heading.
        lines: below it.
        mark: a verdict between heading and lines.
    """

    corner: str
    title: str
    colour: str
    lines: tuple[str, ...] = field(default=())
    mark: Mark | None = None


class ViewMode(Protocol):
    """One way of viewing; all of them read the same masks and none computes anything of the models."""

    grid: tuple[int, int] | None
    """Rows and columns of the canvas; None for a single picture."""

    @property
    def own_layers(self) -> list[Layer]:
        """Layers beside those of the sides."""

    def visible(self) -> list[Layer]:
        """The layers to be seen."""

    def plates(self) -> list[OverlayText]:
        """The texts in the corners."""

    def show_masks(self, slices: Sequence[int] | None) -> None:
        """The sides' masks have changed on some slices, or with None everywhere."""

    def close(self) -> None:
        """Let go of the viewer."""


CORNERS = ("top_left", "top_right", "bottom_left", "bottom_right")


def side_plate(pane: Pane, corner: str) -> OverlayText:
    """The plate of a side."""
    return OverlayText(corner, pane.title, pane.colour, pane.lines, pane.mark)
