"""Text on the canvas: plates of figures in its corners, and letters for the patient's directions.

napari's own text overlay shows the same text in every cell of the grid. Further overlays can be added to the canvas by
name, though, and those that are not gridded are placed over the whole canvas: its four corners are those of up to four
cells. They follow resizing, sit above the image and are in the screenshots of the canvas. Gridded ones repeat in each
cell, as the direction letters should. All stand on dark boxes, so that any image and any theme leaves them legible.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator
from typing import Any

from napari.components import ViewerModel
from napari.components.overlays import TextOverlay

from napari_pqcomq.viewer.modes.base import CORNERS, OverlayText
from napari_pqcomq.viewer.scene import Mark
from pqcomq.volumes.volume import Volume

_PREFIX = "pqcomq_"
_BACKGROUND = (0.0, 0.0, 0.0, 0.75)
_FAINT_BACKGROUND = (0.0, 0.0, 0.0, 0.4)

_BODY_POINTS = (10, 9, 8)
_TITLE_EXTRA_POINTS = 1
_ROUNDING = 0.05
"""Points: napari takes the whole points of a size to measure its box, and 10 can come back as 9.99."""
_COMFORTABLE_COLUMNS = 40
_MARGIN_PIXELS = 30
_PIXELS_PER_POINT = 0.95  # mean width of a character of a wide sans serif, measured on DejaVu Sans
_PIXELS_PER_LINE = 2.35
"""And point, likewise."""
_SHARE_OF_CELL, _SHARE_OF_LOW_CELL = 0.42, 0.22
"""Of a cell's height that a plate may take, or there would be no picture; the second where cells stand in two rows."""
_LINES_FALLING_SHORT = 7
_ROOM_FOR_TOP_LETTER = 850
"""Pixels: a narrower cell's top edge belongs to the plates."""

_UNIT = re.compile(r"(\d) (ms|s|mL|mm|MB|bits)\b")
_PARTS = ("title", "mark", "body")
_EDGES = ("middle_left", "middle_right", "top_center", "bottom_center")


class TextOverlays:
    """The texts of one comparison, on the canvas from construction to :meth:`remove`.

    Args:
        viewer: napari's viewer or the proxy that plugins get.
        volume: whose directions are lettered.
    """

    def __init__(self, viewer: ViewerModel, volume: Volume) -> None:
        self._viewer, self._volume = viewer, volume
        self._plates: list[OverlayText] = []
        self._corners: list[str] = []  # that have texts
        tiling = viewer.canvas.overlay_tiling
        self._tiling = {corner: getattr(tiling, corner) for corner in CORNERS}
        self._followed = (
            viewer.canvas.events.size,
            viewer.dims.events.order,
            viewer.dims.events.ndisplay,
            viewer.scene.camera.events.orientation,
        )
        for event in self._followed:
            event.connect(self._fit)

    def making(self, corners: Iterable[str]) -> Iterator[None]:
        """Put texts on the canvas that are not there yet, one a step: each takes a moment to make.

        Args:
            corners: that get a plate.
        """
        for edge in [edge for edge in _EDGES if _PREFIX + edge not in self._viewer.canvas.overlays]:
            self._add(edge, edge, color="white", box_color=_FAINT_BACKGROUND, font_size=11, gridded=True)
            yield
        for corner in [corner for corner in corners if corner not in self._corners]:
            setattr(self._viewer.canvas.overlay_tiling, corner, "vertical")
            # napari tiles from the edge, in the order in which texts were first seen: headings are to stand on top.
            for part in _PARTS if corner.startswith("top") else reversed(_PARTS):
                self._add(f"{corner}_{part}", corner, color="white", box_color=_BACKGROUND)
                yield
            self._corners.append(corner)

    def show(self, plates: list[OverlayText]) -> None:
        """Show these and no others."""
        self._plates = plates
        for _step in self.making(plate.corner for plate in plates):
            pass
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

    def _add(self, name: str, position: str, **looks: Any) -> None:  # noqa: ANN401 (napari's fields)
        # Seen at once, or napari would make it later, in another order.
        self._viewer.canvas.overlays[_PREFIX + name] = TextOverlay(position=position, text=" ", visible=True, **looks)

    def _fit(self, event: object = None) -> None:
        """Wrap and size the texts so that each stays within its half of the canvas."""
        height, width = self._viewer.canvas.size
        room = height / 2 * _SHARE_OF_LOW_CELL if self._is_two_rows else height * _SHARE_OF_CELL
        available = width / 2 - _MARGIN_PIXELS
        points = next((p for p in _BODY_POINTS if _columns(available, p) >= _COMFORTABLE_COLUMNS), _BODY_POINTS[-1])
        if self._is_two_rows:  # cells are low: the picture needs the room
            points = _BODY_POINTS[-1]
        by_corner = {plate.corner: plate for plate in self._plates}
        for corner in self._corners:
            plate = by_corner.get(corner, OverlayText(corner, "", "white"))
            mark = plate.mark or Mark("", "white")
            title = _wrapped(plate.title, _columns(available, points + _TITLE_EXTRA_POINTS))
            verdict = _wrapped(mark.text, _columns(available, points))
            lines = int(room / (points * _PIXELS_PER_LINE)) - len(title) - len(verdict)
            body = _shortened([_wrapped(line, _columns(available, points)) for line in plate.lines], lines)
            self._write(f"{corner}_title", title, points + _TITLE_EXTRA_POINTS, plate.colour)
            self._write(f"{corner}_mark", verdict, points, mark.colour)
            # napari's measure of a text falls short by a tenth of a line for every line.
            padding = [""] if len(body) >= _LINES_FALLING_SHORT else []
            self._write(f"{corner}_body", [*body, *padding] if "top" in corner else [*padding, *body], points, "white")
        self._name_directions(width)

    @property
    def _is_two_rows(self) -> bool:
        grid = self._viewer.canvas.grid
        return bool(grid.enabled and grid.shape[0] == 2)

    def _write(self, name: str, rows: list[str], points: int, colour: str) -> None:
        overlay = self._viewer.canvas.overlays[_PREFIX + name]
        overlay.font_size, overlay.color = points + _ROUNDING, colour
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
            if self._is_two_rows:
                texts["bottom_center"] = texts["top_center"] = ""  # the lower cells' bottom edge belongs to the plates
        for edge, text in texts.items():
            overlay = self._viewer.canvas.overlays.get(_PREFIX + edge)
            if overlay is not None:
                overlay.text = text
                overlay.visible = bool(text)


def _wrapped(line: str, columns: int) -> list[str]:
    """A line broken into rows, no number parted from its unit."""
    whole = _UNIT.sub("\\1\N{NO-BREAK SPACE}\\2", line)
    return [row.replace("\N{NO-BREAK SPACE}", " ") for row in textwrap.wrap(whole, columns, break_on_hyphens=False)]


def _shortened(lines: list[list[str]], most: int) -> list[str]:
    """As many whole lines, broken into rows, as there is room for, the first at least; dots stand for the others."""
    rows: list[str] = []
    for line in lines:
        if rows and len(rows) + len(line) > most:
            return [*rows[:-1], f"{rows[-1]} …"]
        rows += line
    return rows


def _columns(pixels: float, points: float) -> int:
    return max(12, int(pixels / (points * _PIXELS_PER_POINT)))
