"""Flicker: one picture, the two models' masks exchanged at a key, so that what differs jumps."""

from __future__ import annotations

from napari_pqcomq.viewer.modes.base import Plate, SideLines, ViewMode, masks_drawn, side_plate
from napari_pqcomq.viewer.sides.side_layers import Side
from napari_pqcomq.viewer.sides.strokes import Sight


class FlickerMode(ViewMode):
    """See :class:`.ViewMode`."""

    _shows_full = False

    def flip(self) -> None:
        """Show the other of the two."""
        self._shows_full = not self._shows_full

    @property
    def _shown(self) -> int:
        return 0 if self._shows_full else self._stage.candidate

    @property
    def surfaces(self) -> list[Side]:
        """Of the side shown."""
        return [self._stage.sides[self._shown]]

    def lines(self, sight: Sight) -> list[SideLines]:
        """The masks of the side shown."""
        return [masks_drawn(self._stage.sides[self._shown], self._stage, sight)]

    def plates(self) -> list[Plate]:
        """That of the side shown."""
        return [side_plate(self._stage.panes[self._shown])]
