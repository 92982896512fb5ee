"""The scale bar of a comparison: one in each picture of a row, one for all pictures of a square.

It is Qt's, as the strips and the letters are: napari makes its own anew, with new shaders, whenever the grid is
entered, and would let it lie over much of a small picture. Napari's screenshots of the canvas lack it, as they do them.
"""

from __future__ import annotations

from napari.components import ViewerModel
from qtpy.QtCore import QRect, Qt
from qtpy.QtGui import QColor, QPainter, QPaintEvent
from qtpy.QtWidgets import QWidget

from napari_pqcomq.viewer.cameras.framing import Cells
from napari_pqcomq.widgets.napari_window.gl_context import LateCanvas
from napari_pqcomq.widgets.napari_window.over_picture import stand_below_messages
from pqcomq.comparison.presentation.scale_bar import round_length

_SHARE, _LONGEST = 0.25, 150.0
"""Of a picture's width, that a bar takes at most, and pixels that it takes at most anywhere."""
_FONT_PIXELS, _MARGIN, _PADDING, _TICK = 12, 8, 5, 6
_BESIDE = 32
"""Pixels from a picture's right edge, where a letter stands at half of the height: low down in a low picture."""
_GROUND, _INK = QColor(0, 0, 0, 102), QColor("white")


class CellScaleBar:
    """The bars of one comparison, in the place of napari's own.

    Args:
        viewer: napari's viewer or the proxy that plugins get; who closes the comparison shows its bar again.
        inside: a widget of the same window, or None: then nothing is seen, as in a viewer without a window.
    """

    def __init__(self, viewer: ViewerModel, inside: QWidget | None) -> None:
        self._viewer, self._found = viewer, LateCanvas(inside)
        self._bars: list[_Bar] = []
        viewer.canvas.overlays.scale_bar.visible = False

    def fit(self, event: object = None) -> None:
        """After the grid, the canvas's size or the camera's zoom has changed."""
        canvas = self._found.canvas
        if canvas is None:
            return
        areas = self._areas()
        while len(self._bars) < len(areas):
            self._bars.append(_Bar(canvas))
        for bar in self._bars[len(areas) :]:
            bar.setVisible(False)
        for bar, area in zip(self._bars, areas, strict=False):
            bar.stand_in(area, self._viewer.scene.camera.zoom)

    def remove(self) -> None:
        """Take them away."""
        for bar in self._bars:
            bar.setVisible(False)  # Qt deletes it later
            bar.deleteLater()
        self._bars = []

    def lengths(self) -> list[float]:
        """Of the bars that are seen, in millimetres."""
        return [bar.millimetres for bar in self._bars if not bar.isHidden()]

    def places(self) -> list[QRect]:
        """Where those stand on the canvas."""
        return [bar.geometry() for bar in self._bars if not bar.isHidden()]

    def _areas(self) -> list[QRect]:
        """The pictures that have one; none in 3-D, where no length holds for all that is seen."""
        cells = Cells.of(self._viewer)
        if self._viewer.dims.ndisplay == 3 or min(cells.width, cells.height) < 1:  # or a window too small for any
            return []
        columns = range(cells.columns) if cells.rows == 1 else [cells.columns - 1]
        return [cells.area(cells.rows - 1, column) for column in columns]


class _Bar(QWidget):
    """One of them, which the mouse does not see.

    Attributes:
        millimetres: its length.
        pixels: its length on screen.
    """

    def __init__(self, canvas: QWidget) -> None:
        super().__init__(canvas)
        stand_below_messages(self)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        font = self.font()
        font.setPixelSize(_FONT_PIXELS)
        self.setFont(font)
        self.millimetres = self.pixels = 0.0

    @property
    def text(self) -> str:
        """What is written above it."""
        return f"{self.millimetres:g} mm"

    def stand_in(self, area: QRect, zoom: float) -> None:
        """Stand at the bottom right of a picture.

        Args:
            area: of the picture.
            zoom: pixels per millimetre.
        """
        self.millimetres = round_length(min(_SHARE * area.width(), _LONGEST) / zoom)
        self.pixels = self.millimetres * zoom
        metrics = self.fontMetrics()
        width = round(max(self.pixels, metrics.horizontalAdvance(self.text))) + 2 * _PADDING
        height = metrics.height() + _TICK + 2 * _PADDING
        self.setGeometry(area.right() - _BESIDE - width, area.bottom() - _MARGIN - height, width, height)
        self.setVisible(True)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 (Qt's name)
        """White on a dark ground, to be read on any grey."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), _GROUND)
        painter.setPen(_INK)
        words = self.rect().adjusted(0, _PADDING, 0, -_TICK - _PADDING)
        painter.drawText(words, Qt.AlignmentFlag.AlignCenter, self.text)
        left, bottom = round((self.width() - self.pixels) / 2), self.height() - _PADDING
        right, middle = left + round(self.pixels), bottom - _TICK // 2
        painter.drawLine(left, middle, right, middle)
        for end in (left, right):
            painter.drawLine(end, bottom - _TICK, end, bottom)
