"""Two planes that are not in the large picture, small beside it: where the slice lies, and where masks differ.

In 3-D, where no plane is in the large picture, they are the axial and the coronal one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from napari.components import ViewerModel
from qtpy.QtCore import QPointF, QRectF, QSize, Qt, QTimer, Signal
from qtpy.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QPen
from qtpy.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from napari_pqcomq.layers.volume_layers import transform, voxel_at
from napari_pqcomq.translation import tr
from napari_pqcomq.viewer.navigation.orthogonal_planes import Plane, current_plane
from napari_pqcomq.viewer.scene import MaskPair
from napari_pqcomq.widgets.napari_window.listeners import Listeners
from pqcomq.comparison.measures.difference_map import BOTH, ONLY_A, ONLY_B, difference
from pqcomq.comparison.presentation.palette import BOTH_COLOUR, FULL_COLOUR, QUANTIZED_COLOUR
from pqcomq.volumes.volume import Volume

_HEIGHT = 112
_PAUSE_MS = 30
"""Between what changes and the drawing: many slices a second are turned."""
_TINTS = {BOTH: (BOTH_COLOUR, 70), ONLY_A: (FULL_COLOUR, 200), ONLY_B: (QUANTIZED_COLOUR, 200)}
"""Colours and opacities, as in the view Difference."""
_GROUND, _LINE = QColor("#0B0D10"), QColor("#FAF05A")
_TITLES = {Plane.AXIAL: tr("Axial"), Plane.CORONAL: tr("Coronal"), Plane.SAGITTAL: tr("Sagittal")}


@dataclass(frozen=True, eq=False)
class InsetSource:
    """What is drawn.

    Attributes:
        volume: behind the masks.
        limits: intensities shown black and white.
        masks: of full precision and of the quantized model, None while nothing is compared.
    """

    volume: Volume
    limits: tuple[float, float]
    masks: MaskPair | None = None


class PlaneInsets(QWidget):
    """Two small pictures; a click or a drag in one goes to that place in all planes.

    Args:
        viewer: napari's viewer or the proxy that plugins get.
        source: asked for what is to be drawn, None for nothing.
        parent: Qt parent.
    """

    def __init__(
        self, viewer: ViewerModel, source: Callable[[], InsetSource | None], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._viewer, self._source = viewer, source
        self.pictures = _Inset(), _Inset()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(3)
        for picture in self.pictures:
            picture.chosen.connect(self._go_to)
            row.addWidget(picture, 1)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_PAUSE_MS)
        self._timer.timeout.connect(self._draw)
        self._is_released = False
        self._is_stale = True  # what is drawn, not only the place that is drawn
        self._listeners = Listeners()
        dims = viewer.dims.events
        self._listeners.connect((each, self._on_dims) for each in (dims.current_step, dims.order, dims.ndisplay))

    def refresh(self, event: object = None) -> None:
        """Draw again soon: masks, window or volume have changed."""
        self._is_stale = True
        self._on_dims()

    def _on_dims(self, event: object = None) -> None:
        """Another place is in sight; many follow each other while slices are turned."""
        if not self._is_released and not self._timer.isActive():
            self._timer.start()

    def release(self) -> None:
        """Let go of the viewer; what changes while the dock is taken apart is not drawn any more."""
        self._is_released = True
        self._timer.stop()
        self._listeners.disconnect()

    def _draw(self) -> None:
        source, plane = self._source(), current_plane(self._viewer)
        stale, self._is_stale = self._is_stale, False
        others = [each for each in Plane if each is not plane]
        for picture, each in zip(self.pictures, others, strict=False):  # of three the first two
            if source is None or self._viewer.dims.ndim < 3:
                picture.show_nothing()
            else:
                picture.show_plane(source, each, voxel_at(source.volume, self._viewer.dims.point), stale=stale)

    def _go_to(self, axes: tuple[int, int], voxels: tuple[int, int]) -> None:
        source = self._source()
        if source is None:
            return
        place, point = transform(source.volume), list(self._viewer.dims.point)
        for axis, voxel in zip(axes, voxels, strict=True):
            inside = min(max(voxel, 0), source.volume.grid.shape_zyx[axis] - 1)
            point[axis - 3] = place["translate"][axis] + place["scale"][axis] * inside
        self._viewer.dims.point = tuple(point)


class _Inset(QWidget):
    """One plane through the place in sight.

    Attributes:
        chosen: emitted with the axes down and across, and with the voxel's place along them.
    """

    chosen = Signal(tuple, tuple)

    def __init__(self) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(_HEIGHT)
        self._picture, self._tints = QImage(), QImage()
        self._plane: Plane | None = None
        self._drawn: tuple[Plane, int] | None = None
        self._size = 1.0, 1.0  # millimetres down and across
        self._place = 0, 0  # voxel down and across
        self._shape = 1, 1

    def sizeHint(self) -> QSize:  # noqa: N802 (Qt's name)
        """As high as it is."""
        return QSize(170, _HEIGHT)

    def show_nothing(self) -> None:
        """Draw the ground alone."""
        self._plane = None
        self.setToolTip("")
        self.update()

    def show_plane(self, source: InsetSource, plane: Plane, place: tuple[int, ...], *, stale: bool = True) -> None:
        """Draw another slice, or the same one with its lines elsewhere.

        Args:
            source: what is drawn.
            plane: to be shown.
            place: voxel z y x that it goes through.
            stale: the same slice of the same volume looks otherwise than before.
        """
        (sliced, down, across), _vertical = plane.value
        at = min(int(place[sliced]), source.volume.voxels.shape[sliced] - 1)
        if stale or (plane, at) != self._drawn or self._plane is None:
            self._cut(source, plane, at)
        self._drawn, self._plane = (plane, at), plane
        self._place = int(place[down]), int(place[across])
        self.update()

    def _cut(self, source: InsetSource, plane: Plane, at: int) -> None:
        """Take a slice out of the volume and the masks; across the slices of a large volume that takes its time."""
        (sliced, down, across), vertical = plane.value
        volume = source.volume
        turn = slice(None, None, -1 if vertical == "up" else 1)
        grey = np.take(volume.voxels, at, axis=sliced)[turn]
        low, high = source.limits
        scaled = np.clip((grey.astype(np.float32) - low) * (255 / max(high - low, 1e-6)), 0, 255).astype(np.uint8)
        self._picture = _grey(scaled)
        self._tints = QImage()
        if source.masks is not None:
            both = (np.take(each, at, axis=sliced)[turn] for each in (source.masks.first, source.masks.second))
            self._tints = _tinted(difference(*map(source.masks.seen, both)))
        spacing = volume.grid.spacing_zyx
        self._shape = scaled.shape[0], scaled.shape[1]
        self._size = self._shape[0] * spacing[down], self._shape[1] * spacing[across]
        self.setToolTip(
            tr("{title} plane through the place in sight. Click or drag to go elsewhere.", title=_TITLES[plane])
        )
        self.setAccessibleName(tr("{title} plane", title=_TITLES[plane]))

    def area(self) -> QRectF:
        """Where the slice is drawn: as large as fits, in its true proportions."""
        scale = min(self.height() / self._size[0], self.width() / self._size[1])
        height, width = self._size[0] * scale, self._size[1] * scale
        return QRectF((self.width() - width) / 2, (self.height() - height) / 2, width, height)

    def point_of(self, down: int, across: int) -> QPointF:
        """Where the middle of a voxel is drawn."""
        area, row = self.area(), self._row(down)
        return QPointF(
            area.left() + (across + 0.5) / self._shape[1] * area.width(),
            area.top() + (row + 0.5) / self._shape[0] * area.height(),
        )

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 (Qt's name)
        """The slice, where masks differ, and two lines: the slice in the large picture, and the other small one."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), _GROUND)
        if self._plane is None:
            return
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        area, here = self.area(), self.point_of(*self._place)
        painter.drawImage(area, self._picture)
        if not self._tints.isNull():
            painter.drawImage(area, self._tints)
        painter.setPen(QPen(_LINE, 1, Qt.PenStyle.DotLine))
        painter.drawLine(QPointF(area.left(), here.y()), QPointF(area.right(), here.y()))
        painter.drawLine(QPointF(here.x(), area.top()), QPointF(here.x(), area.bottom()))
        painter.setPen(QColor("white"))
        painter.drawText(self.rect().adjusted(4, 2, 0, 0), Qt.AlignmentFlag.AlignTop, _TITLES[self._plane])

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 (Qt's name)
        """Go to the place under the mouse."""
        self._choose(event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802 (Qt's name)
        """Go along with a drag."""
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._choose(event.position())

    def _choose(self, at: QPointF) -> None:
        if self._plane is not None:
            area = self.area()
            row = int((at.y() - area.top()) / area.height() * self._shape[0])
            column = int((at.x() - area.left()) / area.width() * self._shape[1])
            (_sliced, down, across), _vertical = self._plane.value
            self.chosen.emit((down, across), (self._row(row), column))

    def _row(self, voxel: int) -> int:
        """From voxels along the axis down to rows of the picture, and back."""
        upwards = self._plane is not None and self._plane.value[1] == "up"
        return self._shape[0] - 1 - voxel if upwards else voxel


def _grey(pixels: np.ndarray) -> QImage:
    pixels = np.ascontiguousarray(pixels)
    height, width = pixels.shape
    return QImage(pixels.tobytes(), width, height, width, QImage.Format.Format_Grayscale8).copy()


def _tinted(parts: np.ndarray) -> QImage:
    """Who segmented what (down, across), as a transparent picture."""
    table = np.zeros((4, 4), np.uint8)
    for part, (colour, opacity) in _TINTS.items():
        ink = QColor(colour)
        table[part] = ink.red(), ink.green(), ink.blue(), opacity
    pixels = np.ascontiguousarray(table[parts])
    height, width = parts.shape
    return QImage(pixels.tobytes(), width, height, width * 4, QImage.Format.Format_RGBA8888).copy()
