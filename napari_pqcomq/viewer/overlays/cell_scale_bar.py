"""napari's scale bar in small pictures side by side: shorter there, or it would lie over much of one."""

from __future__ import annotations

import math
from typing import cast

from napari.components import ViewerModel
from napari.components.overlays import ScaleBarOverlay

from napari_pqcomq.viewer.framing import Cells

_SHARE = 0.25
"""Of a cell's width, that a bar takes at most."""
_POINTS = 7.0


class CellScaleBar:
    """Fits the bar to the grid's cells; where there is one picture alone, it is napari's own.

    Args:
        viewer: napari's viewer or the proxy that plugins get.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._bar = cast("ScaleBarOverlay", viewer.canvas.overlays.scale_bar)
        self._own = self._bar.length, self._bar.font_size

    def fit(self, event: object = None) -> None:
        """After the grid or the camera's zoom has changed."""
        cells = Cells.of(self._viewer)
        if cells.width <= 0:  # a window too small for any picture
            return
        if cells.rows * cells.columns > 1:
            length = round_length(_SHARE * cells.width / self._viewer.scene.camera.zoom)
            self._set(length, _POINTS)
        else:
            self.leave()

    def leave(self) -> None:
        """As it was before."""
        self._set(*self._own)

    def _set(self, length: float | None, points: float) -> None:
        """Napari 0.9.2 draws no other length until the zoom changes again; a font's size it draws at once."""
        is_new, self._bar.length = length != self._bar.length, length
        if points != self._bar.font_size:
            self._bar.font_size = points
        elif is_new:
            self._bar.events.font_size.emit(points)


def round_length(longest: float) -> float:
    """The longest of 1, 2 and 5 millimetres, and their tenfolds and tenths, that is no longer than this.

    Examples:
        >>> [round_length(each) for each in (7.0, 49.9, 99.99999999999999, 0.3)]
        [5.0, 20.0, 50.0, 0.2]
    """
    tens = 10.0 ** math.floor(math.log10(longest))  # a hair below a power of ten it is that power
    return max(tens * each for each in (0.5, 1, 2, 5) if tens * each <= longest)
