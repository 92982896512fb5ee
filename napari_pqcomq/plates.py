"""Text on the canvas: plates of figures in its corners, and letters for the patient's directions.

napari's own text overlay shows the same text in every cell of the grid. Further overlays can be added to the canvas by
name, though, and those that are not gridded are placed over the whole canvas: its four corners are those of up to four
cells. They follow resizing, sit above the image and are in the screenshots of the canvas. Gridded ones repeat in each
cell, as the direction letters should. All stand on dark boxes, so that any image and any theme leaves them legible.
"""

from __future__ import annotations

import textwrap

from napari.components import ViewerModel
from napari.components.overlays import TextOverlay

from napari_pqcomq.view_stage import CORNERS, Plate
from pqcomq.volumes.volume import Volume

_PREFIX = "pqcomq_"
_BACKGROUND = (0.0, 0.0, 0.0, 0.65)
_FAINT_BACKGROUND = (0.0, 0.0, 0.0, 0.4)

_BODY_POINTS = (10, 9, 8)
_TITLE_EXTRA_POINTS = 1
_COMFORTABLE_COLUMNS = 40
_MARGIN_PIXELS = 30
_PIXELS_PER_POINT = 0.95  # mean width of a character of a wide sans serif, measured on DejaVu Sans
_ROOM_FOR_TOP_LETTER = 850
"""Pixels: a narrower cell's top edge belongs to the plates."""

_EDGES = ("middle_left", "middle_right", "top_center", "bottom_center")


class Plates:
    """The texts of one comparison, on the canvas from construction to :meth:`remove`.

    Args:
        viewer: napari's viewer or the proxy that plugins get.
        volume: whose directions are lettered.
    """

    def __init__(self, viewer: ViewerModel, volume: Volume) -> None:
        self._viewer, self._volume = viewer, volume
        self._plates: list[Plate] = []
        tiling = viewer.canvas.overlay_tiling
        self._tiling = {corner: getattr(tiling, corner) for corner in CORNERS}
        for corner in CORNERS:
            setattr(tiling, corner, "vertical")
            # At the bottom, tiles pile up from the edge: the last one added stands on top.
            order = ("title", "body") if corner.startswith("top") else ("body", "title")
            for part in order:
                self._add(f"{corner}_{part}", corner, color="white", box_color=_BACKGROUND)
        for edge in _EDGES:
            self._add(edge, edge, color="white", box_color=_FAINT_BACKGROUND, font_size=11, gridded=True)
        self._followed = (
            viewer.canvas.events.size,
            viewer.dims.events.order,
            viewer.dims.events.ndisplay,
            viewer.scene.camera.events.orientation,
        )
        for event in self._followed:
            event.connect(self._fit)
        self._fit()

    def show(self, plates: list[Plate]) -> None:
        """Show these and no others."""
        self._plates = plates
        self._fit()

    def remove(self) -> None:
        """Take all texts off the canvas again."""
        for event in self._followed:
            event.disconnect(self._fit)
        overlays = self._viewer.canvas.overlays
        for name in [name for name in overlays if name.startswith(_PREFIX)]:
            del overlays[name]
        for corner, tiling in self._tiling.items():
            setattr(self._viewer.canvas.overlay_tiling, corner, tiling)

    def _add(self, name: str, position: str, **looks: object) -> None:
        self._viewer.canvas.overlays[_PREFIX + name] = TextOverlay(position=position, **looks)

    def _fit(self, event: object = None) -> None:
        """Wrap and size the texts so that each stays within its half of the canvas."""
        _height, width = self._viewer.canvas.size
        available = width / 2 - _MARGIN_PIXELS
        points = next((p for p in _BODY_POINTS if _columns(available, p) >= _COMFORTABLE_COLUMNS), _BODY_POINTS[-1])
        by_corner = {plate.corner: plate for plate in self._plates}
        for corner in CORNERS:
            plate = by_corner.get(corner, Plate(corner, "", "white"))
            self._write(f"{corner}_title", (plate.title,), points + _TITLE_EXTRA_POINTS, available, plate.colour)
            self._write(f"{corner}_body", plate.lines, points, available, "white")
        self._name_directions(width)

    def _write(self, name: str, lines: tuple[str, ...], points: int, available: float, colour: str) -> None:
        overlay = self._viewer.canvas.overlays[_PREFIX + name]
        columns = _columns(available, points)
        rows = [row for line in lines for row in textwrap.wrap(line, columns, break_on_hyphens=False)]
        overlay.font_size, overlay.color = points, colour
        overlay.text = "\n".join(rows)
        overlay.visible = bool(rows)

    def _name_directions(self, width: float) -> None:
        """Letter the edges of each cell; in 3-D there are no fixed ones."""
        texts = dict.fromkeys(_EDGES, "")
        dims = self._viewer.dims
        if dims.ndisplay == 2 and dims.ndim == 3:
            down, across = (2 - axis for axis in dims.order[-2:])  # of the grid, whose axes are x y z
            ends = self._volume.grid.letters(down)
            texts["middle_left"], texts["middle_right"] = self._volume.grid.letters(across)
            upwards = self._viewer.scene.camera.orientation2d[0] == "up"
            texts["bottom_center"], top = ends if upwards else ends[::-1]
            cell = width / 2 if self._viewer.canvas.grid.enabled else width
            texts["top_center"] = top if cell >= _ROOM_FOR_TOP_LETTER else ""
        for edge, text in texts.items():
            overlay = self._viewer.canvas.overlays[_PREFIX + edge]
            overlay.text = text
            overlay.visible = bool(text)


def _columns(pixels: float, points: float) -> int:
    return max(12, int(pixels / (points * _PIXELS_PER_POINT)))
