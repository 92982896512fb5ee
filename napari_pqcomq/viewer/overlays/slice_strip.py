"""Dice slice by slice beside the slider: a column a slice, a row a bit width; a click or a drag goes there."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from napari.components import ViewerModel
from qtpy.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from qtpy.QtWidgets import QSizePolicy, QToolTip, QVBoxLayout, QWidget

from napari_pqcomq.layers.axes_in_sight import axes_in_sight
from napari_pqcomq.layers.volume_layers import slice_millimetres, voxel_at
from napari_pqcomq.translation import tr
from napari_pqcomq.widgets.napari_window.gl_context import canvas_of
from pqcomq.volumes.volume import Volume

_ROW_PIXELS, _MARKS_PIXELS = 11, 8
_LABEL_PIXELS = 66
_SLIDER_ENDS = 10
"""Pixels between the ends of napari's slider and the first and last place of its handle, roughly."""
_STOPS = ((0, 34, 78), (65, 77, 107), (124, 123, 120), (188, 175, 111), (253, 231, 55))
"""Cividis, which is read alike with any colour vision: the brighter, the worse."""
_WORST_DICE = 0.8
"""And all below: the colours are for differences that matter."""
_ARROWS = {Qt.Key.Key_Left: -1, Qt.Key.Key_Down: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Up: 1}
_GROUND = QColor("#1B1F26")


@dataclass(frozen=True)
class StripRow:
    """One row.

    Attributes:
        title: a word.
        measure: what the values are, for the tooltip.
        values: Dice by slice number.
        doubtful: slice number → stability score, where a model's own answer is in doubt.
    """

    title: str
    measure: str
    values: Mapping[int, float]
    doubtful: Mapping[int, float] = field(default_factory=dict)


class SliceStrip(QWidget):
    """Stands above napari's slider while it has something to show.

    Args:
        viewer: napari's viewer or the proxy that plugins get.
        inside: a widget of the same window.

    Attributes:
        slice_chosen: emitted with the slice number.
    """

    slice_chosen = Signal(int)

    def __init__(self, viewer: ViewerModel, inside: QWidget) -> None:
        super().__init__(inside)
        self._viewer, self._inside = viewer, inside
        self._rows: tuple[StripRow, ...] = ()
        self._volume: Volume | None = None
        self._depth, self._worst, self._colour = 0, -1, _GROUND
        self._here = 0
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setAccessibleName(tr("Dice slice by slice"))
        self.setToolTip(
            tr(
                "Dice slice by slice: the brighter, the worse; a dot where the quantized model itself is in doubt. "
                "Click or drag to go there."
            )
        )
        self.setVisible(False)
        self._followed = (viewer.dims.events.current_step, viewer.dims.events.order, viewer.dims.events.ndisplay)
        for event in self._followed:
            event.connect(self._on_dims)

    def show_rows(self, rows: Sequence[StripRow], volume: Volume, worst: int, colour: str) -> None:
        """Show other values.

        Args:
            rows: from the top; slices without a value stay dark. The box reaches as far as the first row's values.
            volume: that they are about.
            worst: slice where the models agree least.
            colour: of the object.
        """
        self._rows, self._worst, self._colour = tuple(rows), worst, QColor(colour)
        self._volume, self._depth = volume, volume.grid.shape_zyx[0]
        if self._rows:
            self._mount()
        self._on_dims()
        self.updateGeometry()
        self.update()

    def blank(self) -> None:
        """Show no values, and keep the room: the picture must not move under a mouse that drags a box."""
        self._rows = tuple(replace(row, values={}, doubtful={}) for row in self._rows)
        self._worst = -1
        self.update()

    def clear(self) -> None:
        """Show nothing, and take no room."""
        self._rows = ()
        self.setVisible(False)

    def release(self) -> None:
        """Leave the window, and let go of the viewer."""
        for event in self._followed:
            event.disconnect(self._on_dims)
        self.setVisible(False)
        self.setParent(None)
        self._inside = self  # the window may go
        self.deleteLater()

    def sizeHint(self) -> QSize:  # noqa: N802 (Qt's name)
        """As high as its rows."""
        return QSize(200, len(self._rows) * _ROW_PIXELS + 2 * _MARKS_PIXELS)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 (Qt's name)
        """See :meth:`sizeHint`."""
        return QSize(0, self.sizeHint().height())

    def text_at(self, z: int) -> str:
        """What is known of a slice, for the tooltip."""
        told = [f"{row.measure} {_dice(row.values[z])}{_doubt(row, z)}" for row in self._rows if z in row.values]
        marks = tr(" · the models agree least here") if z == self._worst else ""
        if not any(row.values for row in self._rows):
            told = [tr("The prompt has changed; Compare tells Dice again.")]
        return "\n".join([tr("Slice {z}{marks}", z=z, marks=marks), *(told or [tr("outside the box")])])

    def column(self, z: int, track: tuple[float, float] | None = None) -> QRectF:
        """Where a slice is drawn, all rows of it.

        Args:
            z: slice number.
            track: left end and width of all slices, where they are known: the slider is looked for in the whole window.
        """
        left, width = track or self._track()
        return QRectF(left + z * width / self._depth, _MARKS_PIXELS, width / self._depth, len(self._rows) * _ROW_PIXELS)

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 (Qt's name)
        """Go to the slice under the mouse."""
        self._go_to(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802 (Qt's name)
        """Follow the mouse while its button is down."""
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._go_to(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 (Qt's name)
        """The arrows go to the neighbouring slice."""
        step = _ARROWS.get(Qt.Key(event.key()))
        if step is None:
            super().keyPressEvent(event)
        else:
            self._choose(self._here + step)

    def event(self, event: QEvent) -> bool:
        """The tooltip is that of the slice under the mouse."""
        if isinstance(event, QHelpEvent) and self._depth:
            QToolTip.showText(event.globalPos(), self.text_at(self._slice_at(event.pos().x())), self)
            return True
        return bool(super().event(event))

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 (Qt's name)
        """Rows from the top, marks above and below them."""
        if not self._rows:
            return
        painter, again = QPainter(self), QRectF(event.rect())
        left, width = self._track()
        height = len(self._rows) * _ROW_PIXELS
        painter.fillRect(QRectF(left, _MARKS_PIXELS, width, height), _GROUND)
        font = painter.font()
        font.setPixelSize(_ROW_PIXELS - 1)
        painter.setFont(font)
        for number, row in enumerate(self._rows):
            top = _MARKS_PIXELS + number * _ROW_PIXELS
            painter.setPen(self.palette().windowText().color())
            label = QRectF(0, top - 1, left - 4, _ROW_PIXELS + 2)
            title = painter.fontMetrics().elidedText(row.title, Qt.TextElideMode.ElideRight, int(label.width()))
            painter.drawText(label, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, title)
            for z, value in row.values.items():
                column = self.column(z, (left, width))
                cell = QRectF(column.x(), top, math.ceil(column.width()), _ROW_PIXELS - 1)
                if not cell.adjusted(-4, 0, 4, 0).intersects(again):
                    continue
                painter.fillRect(cell, colour_of(value))
                if z in row.doubtful:
                    self._draw_doubt(painter, cell)
        self._draw_marks(painter, (left, width))

    @staticmethod
    def _draw_doubt(painter: QPainter, cell: QRectF) -> None:
        """A white dot with a dark rim, seen on any colour of the scale."""
        radius = min(2.2, cell.width() / 2)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(_GROUND, 1))
        painter.setBrush(QColor("white"))
        painter.drawEllipse(cell.center(), radius, radius)
        painter.restore()

    def _draw_marks(self, painter: QPainter, track: tuple[float, float]) -> None:
        """The box below the rows, the worst slice above them, a frame round the slice in sight."""
        ink = self.palette().windowText().color()
        slices = list(self._rows[0].values)
        if slices:
            first, last = self.column(min(slices), track), self.column(max(slices), track)
            bottom = first.bottom() + 2
            painter.fillRect(QRectF(first.left(), bottom, last.right() - first.left(), 3), self._colour)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if 0 <= self._worst < self._depth:
            x = self.column(self._worst, track).center().x()
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(ink)
            painter.drawPolygon(QPolygonF([QPointF(x - 4, 0), QPointF(x + 4, 0), QPointF(x, _MARKS_PIXELS - 1)]))
        here = self.column(self._here, track)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for colour, width in ((_GROUND, 3.5), (QColor("white"), 1.5)):  # seen on any colour
            painter.setPen(QPen(colour, width))
            painter.drawRect(here.adjusted(-1.5, -1.5, 1.5, 1.5))

    def _track(self) -> tuple[float, float]:
        """Left end and width of the slices: those of napari's slider where it is in sight."""
        for each in self._sliders():
            slider = getattr(each, "slider", None)
            if isinstance(slider, QWidget) and slider.isVisible():
                left = self.mapFromGlobal(slider.mapToGlobal(slider.rect().topLeft())).x()
                return self._part_of(left + _SLIDER_ENDS, slider.width() - 2 * _SLIDER_ENDS)
        return _LABEL_PIXELS, max(self.width() - 2 * _LABEL_PIXELS, 1)

    def _part_of(self, left: float, width: float) -> tuple[float, float]:
        """Left end and width of the volume's slices on a slider, which goes over layers of the user's, too."""
        low, high, step = self._viewer.dims.range[-3:][0]
        if self._volume is None or high <= low:
            return max(left, _LABEL_PIXELS), width
        first, last = (slice_millimetres(self._volume, z - 0.5) for z in (0, self._depth))
        pixels = width / (high - low + step)
        return max(left + (first - low + step / 2) * pixels, _LABEL_PIXELS), (last - first) * pixels

    def _sliders(self) -> list[QWidget]:
        parent = self.parentWidget()
        found = [] if parent is None else parent.findChildren(QWidget)
        return [each for each in found if type(each).__name__ == "QtDimSliderWidget"]

    def _mount(self) -> None:
        """Stand between the canvas and the slider; in a viewer without a window, nowhere."""
        canvas = canvas_of(self._inside)
        parent = None if canvas is None else canvas.parentWidget()
        layout = None if parent is None else parent.layout()
        if canvas is None or not isinstance(layout, QVBoxLayout) or self.parentWidget() is parent:
            return
        layout.insertWidget(layout.indexOf(canvas) + 1, self)

    def _on_dims(self, event: object = None) -> None:
        """Another slice is in sight, or another plane; of another slice only the frame moves."""
        dims = self._viewer.dims
        before, self._here = self._here, 0 if self._volume is None else voxel_at(self._volume, dims.point)[0]
        axes = axes_in_sight(dims)
        is_shown = bool(self._rows) and dims.ndisplay == 2 and axes is not None and axes[0] == 0
        if is_shown and self.isVisible() and self._here != before:
            track = self._track()
            for z in (before, self._here):
                self.update(self.column(z, track).adjusted(-4, -4, 4, 4).toAlignedRect())
            return
        self.setVisible(is_shown)
        self.update()

    def _slice_at(self, x: float) -> int:
        left, width = self._track()
        return min(max(int((x - left) / width * self._depth), 0), self._depth - 1)

    def _go_to(self, event: QMouseEvent) -> None:
        if self._depth:
            self._choose(self._slice_at(event.position().x()))

    def _choose(self, z: int) -> None:
        self.slice_chosen.emit(min(max(z, 0), self._depth - 1))


def _doubt(row: StripRow, z: int) -> str:
    return tr(", in doubt by itself (stability {doubtful:.2f})", doubtful=row.doubtful[z]) if z in row.doubtful else ""


def _dice(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.3f}"


def colour_of(dice: float) -> QColor:
    """The colour of a Dice: dark where the masks are the same, brighter the less they agree; grey where there is none.

    Small differences get much of the scale, by the square root: between 1 and 0.98 it changes as much as to 0.92.
    """
    if math.isnan(dice):
        return QColor("#3A3F48")
    badness = math.sqrt(min(max((1 - dice) / (1 - _WORST_DICE), 0.0), 1.0)) * (len(_STOPS) - 1)
    lower = min(int(badness), len(_STOPS) - 2)
    share = badness - lower
    low, high = _STOPS[lower], _STOPS[lower + 1]
    return QColor(*(round(a + share * (b - a)) for a, b in zip(low, high, strict=True)))
