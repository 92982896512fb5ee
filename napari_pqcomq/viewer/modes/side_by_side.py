"""Side by side: each side in a cell of its own, two in a row or four in a square."""

from __future__ import annotations

from napari_pqcomq.viewer.modes.base import Plate, SideLines, ViewMode, masks_drawn, side_plate
from napari_pqcomq.viewer.sides.side_layers import Side
from napari_pqcomq.viewer.sides.strokes import Sight


class SideBySideMode(ViewMode):
    """See :class:`.ViewMode`."""

    @property
    def grid(self) -> tuple[int, int]:  # type: ignore[override]  # it goes by the sides
        """Two in a row, or up to four in a square."""
        return (1, 2) if len(self._stage.sides) == 2 else (2, 2)

    @property
    def pictures(self) -> list[Side]:
        """All of them."""
        return self._stage.sides

    @property
    def surfaces(self) -> list[Side]:
        """All of them."""
        return self._stage.sides

    def lines(self, sight: Sight) -> list[SideLines]:
        """Each side's own masks."""
        return [masks_drawn(side, self._stage, sight) for side in self._stage.sides]

    def plates(self) -> list[Plate]:
        """Each above its cell."""
        return [side_plate(pane) for pane in self._stage.panes]
