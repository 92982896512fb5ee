"""Letters for the patient's directions at the edges of every cell of the grid, or of a comparison's only picture.

They are Qt's, as the strips above the cells are: napari would draw sixteen texts and their grounds with every frame of
four sides, more than all layers together, and make them anew whenever the grid is entered. Those of one picture it
would place again for each layer whenever the grid is left.
"""

from __future__ import annotations

from collections.abc import Mapping

from napari.components import ViewerModel
from qtpy.QtCore import QPoint, QRect, Qt
from qtpy.QtGui import QColor, QPainter, QPaintEvent
from qtpy.QtWidgets import QWidget

from napari_pqcomq.viewer.cameras.framing import Cells
from napari_pqcomq.widgets.napari_window.gl_context import LateCanvas
from napari_pqcomq.widgets.napari_window.listeners import Listeners
from napari_pqcomq.widgets.napari_window.over_picture import stand_below_messages

_FONT_PIXELS, _LARGE_FONT_PIXELS = 14, 19
"""In cells, and on a single picture, which is larger."""
_MARGIN, _PADDING = 4, 3
_GROUND, _INK = QColor(0, 0, 0, 102), QColor("white")


class CellLetters:
    """The letters of one viewer's cells.

    Args:
        viewer: napari's viewer or the proxy that plugins get.
        inside: a widget of the same window, or None: then nothing is seen, as in a viewer without a window.
    """

    def __init__(self, viewer: ViewerModel, inside: QWidget | None) -> None:
        self._viewer, self._found = viewer, LateCanvas(inside)
        self._letters: dict[str, str] = {}
        self._strip = 0
        self._seen: list[_Letter] = []
        self._listeners = Listeners()
        grid, canvas, layers = viewer.canvas.grid.events, viewer.canvas.events, viewer.layers.events
        # A grid of the user's own has as many cells as the layers need.
        followed = (grid.shape, grid.stride, grid.spacing, canvas.size, layers.inserted, layers.removed)
        self._listeners.connect((each, self._place) for each in followed)

    def show(self, letters: Mapping[str, str], strip: int) -> None:
        """Show these and no others.

        Args:
            letters: the letter at each edge, a position of napari's overlays, e.g. ``"middle_left"``; none for nothing.
            strip: pixels at the top of each cell that belong to a strip.
        """
        self._letters, self._strip = dict(letters), strip
        self._place()

    def remove(self) -> None:
        """Take them away, and let go of the viewer."""
        self._listeners.disconnect()
        self.show({}, 0)
        for letter in self._seen:
            letter.deleteLater()
        self._seen = []

    def texts(self) -> list[dict[str, str]]:
        """What stands at the edges of each cell, from the top left."""
        cells = zip(*(self._at(edge) for edge in self._letters), strict=True)
        return [{letter.edge: letter.text for letter in cell} for cell in cells]

    def places(self, edge: str) -> list[QRect]:
        """Where the letters at an edge stand on the canvas, from the top left cell."""
        return [letter.geometry() for letter in self._at(edge)]

    def _at(self, edge: str) -> list[_Letter]:
        return [letter for letter in self._seen if letter.edge == edge and not letter.isHidden()]

    def _place(self, event: object = None) -> None:
        """Put a letter at each edge of each cell."""
        canvas = self._found.canvas if self._letters or self._seen else None
        if canvas is None:
            return
        told = [each for each in self._letters.items() if each[1]]
        wanted = [(area, *each) for area in self._areas() for each in told] if told else []
        while len(self._seen) < len(wanted):
            self._seen.append(_Letter(canvas))
        for letter in self._seen[len(wanted) :]:
            letter.setVisible(False)
        pixels = _FONT_PIXELS if self._viewer.canvas.grid.enabled else _LARGE_FONT_PIXELS
        for letter, (area, edge, text) in zip(self._seen, wanted, strict=False):
            letter.stand_at(area, edge, text, pixels)

    def _areas(self) -> list[QRect]:
        """Of the cells that show something, without their strips."""
        cells, grid, layers = Cells.of(self._viewer), self._viewer.canvas.grid, self._viewer.layers
        if not grid.enabled:
            areas = [cells.area(0, 0)]
        else:  # napari's own iter_viewboxes looks for every layer in every cell
            seen = {grid.position(index, layers) for index, layer in enumerate(layers) if layer.visible}
            areas = [cells.area(*place) for place in sorted(seen)]
        return [area.adjusted(0, self._strip, 0, 0) for area in areas]


class _Letter(QWidget):
    """One of them, which the mouse does not see.

    Attributes:
        edge: of the cell.
        text: one or two letters.
    """

    def __init__(self, canvas: QWidget) -> None:
        super().__init__(canvas)
        stand_below_messages(self)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.edge = self.text = ""

    def stand_at(self, area: QRect, edge: str, text: str, pixels: int) -> None:
        """Say something at an edge of a cell, or nothing."""
        self.edge, self.text = edge, text
        font = self.font()
        font.setPixelSize(pixels)
        self.setFont(font)
        metrics = self.fontMetrics()
        width, height = metrics.horizontalAdvance(text) + 2 * _PADDING, metrics.height()
        middle = area.center() - QPoint(width // 2, height // 2)
        places = {
            "middle_left": QPoint(area.left() + _MARGIN, middle.y()),
            "middle_right": QPoint(area.right() - _MARGIN - width, middle.y()),
            "top_center": QPoint(middle.x(), area.top() + _MARGIN),
            "bottom_center": QPoint(middle.x(), area.bottom() - _MARGIN - height),
        }
        self.setGeometry(QRect(places[edge].x(), places[edge].y(), width, height))
        self.setVisible(True)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 (Qt's name)
        """White on a dark ground, to be read on any grey."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), _GROUND)
        painter.setPen(_INK)
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self.text)
