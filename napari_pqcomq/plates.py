"""Text on the canvas: a plate of figures for each side, and letters for the patient's directions.

napari's own text overlay shows the same text in every cell of the grid. Further overlays can be added to the canvas by
name, though, and those that are not gridded are placed over the whole canvas: one in its top left corner belongs to the
left side, one in its top right corner to the right side. They follow resizing, sit above the image and are in the
screenshots of the canvas. Gridded ones repeat in each cell, as the direction letters should.
"""

from __future__ import annotations

import textwrap

from napari.components import ViewerModel
from napari.components.overlays import TextOverlay

from napari_pqcomq.side_layers import Pane

_PREFIX = "pqcomq_"
_CORNERS = ("top_left", "top_right")
_BACKGROUND = (0.0, 0.0, 0.0, 0.65)
_FAINT_BACKGROUND = (0.0, 0.0, 0.0, 0.4)

_BODY_POINTS = (10, 9, 8)
_TITLE_EXTRA_POINTS = 1
_COMFORTABLE_COLUMNS = 40
_MARGIN_PIXELS = 30
_PIXELS_PER_POINT = 0.95  # mean width of a character of a wide sans serif, measured on DejaVu Sans

_DIRECTIONS = {"x": ("R", "L"), "y": ("A", "P"), "z": ("I", "S")}
"""Patient directions at the low and the high end of each axis of a volume in LPS order (I, S: feet, head)."""


class Plates:
    """The texts of one comparison, on the canvas from construction to :meth:`remove`."""

    def __init__(self, viewer: ViewerModel, panes: tuple[Pane, Pane]) -> None:
        self._viewer = viewer
        self._panes = panes
        self._tiling = viewer.canvas.overlay_tiling.top_right
        viewer.canvas.overlay_tiling.top_right = "vertical"
        for corner, pane in zip(_CORNERS, panes, strict=True):
            self._add(f"{corner}_title", corner, color=pane.colour, box_color=_BACKGROUND)
            self._add(f"{corner}_body", corner, color="white", box_color=_BACKGROUND)
        for position in ("middle_left", "middle_right"):
            self._add(position, position, color="white", box_color=_FAINT_BACKGROUND, font_size=11, gridded=True)
        viewer.canvas.events.size.connect(self._fit)
        viewer.dims.events.order.connect(self._name_directions)
        self._fit()
        self._name_directions()

    def remove(self) -> None:
        """Take all texts off the canvas again."""
        self._viewer.canvas.events.size.disconnect(self._fit)
        self._viewer.dims.events.order.disconnect(self._name_directions)
        overlays = self._viewer.canvas.overlays
        for name in [name for name in overlays if name.startswith(_PREFIX)]:
            del overlays[name]
        self._viewer.canvas.overlay_tiling.top_right = self._tiling

    def _add(self, name: str, position: str, **looks: object) -> None:
        self._viewer.canvas.overlays[_PREFIX + name] = TextOverlay(position=position, visible=True, **looks)

    def _fit(self, event: object = None) -> None:
        """Wrap and size the texts so that each stays within its half of the canvas."""
        _height, width = self._viewer.canvas.size
        available = width / 2 - _MARGIN_PIXELS
        points = next((p for p in _BODY_POINTS if _columns(available, p) >= _COMFORTABLE_COLUMNS), _BODY_POINTS[-1])
        for corner, pane in zip(_CORNERS, self._panes, strict=True):
            self._write(f"{corner}_title", (pane.title,), points + _TITLE_EXTRA_POINTS, available)
            self._write(f"{corner}_body", pane.lines, points, available)

    def _write(self, name: str, lines: tuple[str, ...], points: int, available: float) -> None:
        overlay = self._viewer.canvas.overlays[_PREFIX + name]
        columns = _columns(available, points)
        overlay.font_size = points
        overlay.text = "\n".join(row for line in lines for row in textwrap.wrap(line, columns, break_on_hyphens=False))

    def _name_directions(self, event: object = None) -> None:
        across = self._viewer.dims.axis_labels[self._viewer.dims.order[-1]]
        low, high = _DIRECTIONS.get(across, ("", ""))
        self._viewer.canvas.overlays[_PREFIX + "middle_left"].text = low
        self._viewer.canvas.overlays[_PREFIX + "middle_right"].text = high


def _columns(pixels: float, points: float) -> int:
    return max(12, int(pixels / (points * _PIXELS_PER_POINT)))
