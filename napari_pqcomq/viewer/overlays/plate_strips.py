"""Plates outside the picture: a strip above each cell with title, verdict and Dice; all figures when hovered over.

The strips are Qt's, not napari's: they have room of their own, which :class:`.Framing` keeps free of the picture, they
tell more when the mouse rests on them, and they cost the canvas no drawing.
"""

from __future__ import annotations

import html
from collections.abc import Sequence

from napari.components import ViewerModel
from qtpy.QtCore import QRect, Qt
from qtpy.QtGui import QFontMetrics, QResizeEvent
from qtpy.QtWidgets import QLabel, QWidget

from napari_pqcomq.translation import tr
from napari_pqcomq.viewer.cameras.framing import Cells
from napari_pqcomq.viewer.modes.base import Plate
from napari_pqcomq.widgets.napari_window.gl_context import LateCanvas
from napari_pqcomq.widgets.napari_window.over_picture import stand_below_messages

_LINE_PIXELS, _PADDING = 19, 6
_STYLE = "QLabel { background: #15181D; color: #E6E9EE; padding: 0px 6px; font-size: 12px; }"
_SEPARATOR = "   "


class PlateStrips:
    """The strips of one comparison.

    Args:
        viewer: napari's viewer or the proxy that plugins get.
        inside: a widget of the same window, or None: then nothing is seen, as in a viewer without a window.
    """

    def __init__(self, viewer: ViewerModel, inside: QWidget | None) -> None:
        self._viewer, self._found = viewer, LateCanvas(inside)
        self._strips: list[_Strip] = []
        self.plates: list[Plate] = []
        viewer.canvas.events.size.connect(self.place)

    @property
    def height(self) -> int:
        """Pixels that a strip takes from its cell: two lines where cells stand in a row, else one."""
        return self.lines * _LINE_PIXELS + _PADDING

    def show(self, plates: Sequence[Plate]) -> None:
        """Show these and no others, one a cell, or side by side above a single picture."""
        self.plates = list(plates)
        canvas = self._found.canvas
        if canvas is None:
            return
        while len(self._strips) > len(plates):
            _discard(self._strips.pop())
        while len(self._strips) < len(plates):
            self._strips.append(_Strip(canvas))
        for strip, plate in zip(self._strips, plates, strict=True):
            strip.show_plate(plate, self.lines)
        self.place()

    def place(self, event: object = None) -> None:
        """Put the strips above their cells."""
        cells, count = Cells.of(self._viewer), len(self._strips)
        for index, strip in enumerate(self._strips):
            if self._viewer.canvas.grid.enabled:
                area = cells.area(*divmod(index, cells.columns))
            else:  # side by side above the only picture
                area = QRect(round(index * cells.width / count), 0, round(cells.width / count) + 1, 0)
            area.setHeight(self.height)
            strip.setGeometry(area)
            strip.setVisible(True)

    def remove(self) -> None:
        """Take them away, and let go of the viewer."""
        self._viewer.canvas.events.size.disconnect(self.place)
        for strip in self._strips:
            _discard(strip)
        self._strips, self.plates = [], []

    @property
    def lines(self) -> int:
        """Of text in a strip."""
        grid = self._viewer.canvas.grid
        return 2 if grid.enabled and grid.shape[0] == 1 else 1


def _discard(strip: QLabel) -> None:
    strip.setVisible(False)  # Qt deletes it later
    strip.deleteLater()


class _Strip(QLabel):
    """One plate, in the longest words that fit."""

    def __init__(self, canvas: QWidget) -> None:
        super().__init__(canvas)
        stand_below_messages(self)
        self.setStyleSheet(_STYLE)
        self.setTextFormat(Qt.TextFormat.RichText)
        self.setAccessibleName(tr("Figures of a side"))
        self._plate, self._lines = Plate("", "white"), 1

    def show_plate(self, plate: Plate, lines: int) -> None:
        """Show another plate."""
        if (plate, lines) == (self._plate, self._lines):
            return
        self._plate, self._lines = plate, lines
        self.setToolTip(_tooltip(plate))
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 (Qt's name)
        """Other words may fit now."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        font = self.font()
        font.setPixelSize(12)
        font.setBold(True)  # the widest that any part is set in
        metrics, room = QFontMetrics(font), self.width() - 14
        offered = wordings(self._plate, self._lines)
        fitting = (each for each in offered if all(_width(line, metrics) <= room for line in each))
        chosen = next(fitting, offered[-1])
        self.setText("<br>".join(_rich(line, metrics, room) for line in chosen))


Words = list[tuple[str, str]]
"""Words and their colours, side by side."""


def wordings(plate: Plate, lines: int) -> list[list[Words]]:
    """What a strip may say, the longest first, each of so many lines.

    The figure is said whole or not at all: the tooltip tells it, and half of one would be misread.

    Args:
        plate: what there is to say.
        lines: one or two.
    """
    verdict = plate.mark.text if plate.mark else ""
    brief = verdict.partition(":")[0]
    figure = headline(plate.lines)
    titles = (plate.title, *plate.short_titles)

    def said(title: str, judged: str, figure: str) -> list[Words]:
        named: Words = [(title, plate.colour)]
        told: Words = [(judged, plate.mark.colour)] if plate.mark else []
        told += [(figure, "")] if figure else []
        return [named + told] if lines == 1 else [named, told]

    offered = [said(plate.title, verdict, figure), *(said(title, brief, figure) for title in titles)]
    if figure and (lines == 1 or plate.mark):
        offered += [said(title, brief, "") for title in titles]
    return offered


def headline(lines: Sequence[str]) -> str:
    """The one figure that a strip has room for: a Dice with its label, else the first line."""
    found = next((line for line in lines if "Dice" in line), lines[0] if lines else "")
    return found.partition(" · NSD")[0]


def _rich(line: Words, metrics: QFontMetrics, room: int) -> str:
    """A line in its colours; what fits in no wording is shortened in the middle, and the tooltip tells all of it."""
    if _width(line, metrics) > room:
        line = [(metrics.elidedText(_plain(line), Qt.TextElideMode.ElideMiddle, room), line[0][1])]
    coloured = [
        f"<span style='color:{colour or '#E6E9EE'}'>{html.escape(words)}</span>" for words, colour in line if words
    ]
    return ("&nbsp;" * len(_SEPARATOR)).join([f"<b>{coloured[0]}</b>", *coloured[1:]]) if coloured else ""


def _plain(line: Words) -> str:
    return _SEPARATOR.join(words for words, _colour in line if words)


def _width(line: Words, metrics: QFontMetrics) -> int:
    return metrics.horizontalAdvance(_plain(line))


def _tooltip(plate: Plate) -> str:
    """Everything that is known of a side."""
    verdict = plate.mark.text if plate.mark else ""
    rows = [f"<b>{html.escape(plate.title)}</b>", *(html.escape(each) for each in (verdict, *plate.lines) if each)]
    return tr("<p style='white-space:pre'>") + "<br>".join(rows) + "</p>"
