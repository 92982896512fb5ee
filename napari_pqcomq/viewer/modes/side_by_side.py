"""Side by side: each side in a cell of its own, two in a row or four in a square."""

from __future__ import annotations

from collections.abc import Sequence

from napari.layers import Layer

from napari_pqcomq.viewer.modes.base import Plate, Stage, side_plate


class SideBySideMode:
    """See :class:`.ViewMode`."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.own_layers: list[Layer] = []

    @property
    def grid(self) -> tuple[int, int] | None:
        """Two in a row, or up to four in a square."""
        return (1, 2) if len(self._stage.sides) == 2 else (2, 2)

    def visible(self) -> list[Layer]:
        """Everything of every side."""
        return [layer for side in self._stage.sides for layer in side.layers]

    def plates(self) -> list[Plate]:
        """Each above its cell."""
        return [side_plate(pane) for pane in self._stage.panes]

    def show_masks(self, slices: Sequence[int] | None) -> None:
        """The sides draw their own."""

    def close(self) -> None:
        """Nothing is held."""
