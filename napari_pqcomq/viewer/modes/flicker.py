"""Flicker: one picture, the two models' masks exchanged at a key, so that what differs jumps."""

from __future__ import annotations

from collections.abc import Sequence

from napari.layers import Layer

from napari_pqcomq.viewer.modes.base import Plate, Stage, side_plate


class FlickerMode:
    """See :class:`.ViewMode`."""

    grid: tuple[int, int] | None = None

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._shows_full = False
        self.own_layers: list[Layer] = []

    def flip(self) -> None:
        """Show the other of the two."""
        self._shows_full = not self._shows_full

    @property
    def _shown(self) -> int:
        return 0 if self._shows_full else self._stage.candidate

    def visible(self) -> list[Layer]:
        """The first side's picture with the masks of the side shown."""
        first, shown = self._stage.sides[0], self._stage.sides[self._shown]
        return [first.image, shown.fill, shown.outline, first.boxes, first.truth]

    def plates(self) -> list[Plate]:
        """That of the side shown."""
        return [side_plate(self._stage.panes[self._shown])]

    def show_masks(self, slices: Sequence[int] | None) -> None:
        """The sides draw their own."""

    def close(self) -> None:
        """Nothing is held."""
