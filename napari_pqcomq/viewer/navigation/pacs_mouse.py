"""The mouse as in a radiologist's workstation: wheel for slices, right button for the window, middle one to pan.

napari's own mouse zooms with the wheel and with the right button. It is left alone in 3-D and while this is off.
"""

from __future__ import annotations

from collections.abc import Callable

from napari.components import ViewerModel
from qtpy.QtCore import QEvent, QObject, QPointF, Qt, Signal
from qtpy.QtGui import QMouseEvent, QWheelEvent
from qtpy.QtWidgets import QAbstractSpinBox, QApplication, QLineEdit, QPlainTextEdit, QTextEdit, QWidget

from napari_pqcomq.viewer.navigation.slice_steps import SliceSteps
from napari_pqcomq.widgets.napari_window.gl_context import canvas_of

_NOTCH = 120
"""Eighths of a degree that a mouse's wheel turns at a time; touch pads turn by less."""
_PIXELS_TO_DOUBLE = 300.0
"""Of a drag to the right that widens the window by its own width."""
_LEAST_SHARE = 1e-3
"""Of the width at the start: a window keeps a width."""
_EDITORS = (QLineEdit, QTextEdit, QPlainTextEdit, QAbstractSpinBox)
"""The second and third are those of consoles and of notes."""

Limits = tuple[float, float]


class PacsMouse(QObject):
    """Listens to the canvas before napari does.

    Args:
        viewer: napari's viewer or the proxy that plugins get.
        inside: a widget of the canvas's window.
        limits: asked for the intensities shown black and white now, None where there is no volume.

    Attributes:
        dragged: emitted with the new limits at every step of a drag of the window.
        settled: emitted with the last ones when the button is released.
        steps: goes from slice to slice.
    """

    dragged = Signal(tuple)
    settled = Signal(tuple)

    def __init__(self, viewer: ViewerModel, inside: QWidget, limits: Callable[[], Limits | None]) -> None:
        super().__init__(inside)
        self._viewer, self._inside, self._limits = viewer, inside, limits
        self._canvas: QWidget | None = None
        self.steps = SliceSteps(viewer, self)
        self._is_on, self._passes = True, False
        self._turned = 0
        self._held: tuple[Qt.MouseButton, QPointF] | None = None
        self._began: Limits = 0.0, 1.0
        self._now: Limits = 0.0, 1.0

    @property
    def is_on(self) -> bool:
        """Whether the mouse is that of a workstation."""
        return self._is_on

    def set_on(self, on: bool) -> None:
        """Switch between a workstation's mouse and napari's."""
        self._is_on, self._held = on, None

    def attach(self) -> None:
        """Listen to the canvas; it is there once the dock is in its window."""
        canvas = canvas_of(self._inside)
        if canvas is not None and canvas is not self._canvas:
            self.release()
            canvas.installEventFilter(self)
            self._canvas = canvas

    def take_focus(self) -> None:
        """Give the arrow keys to the picture, unless something is being typed."""
        if self._canvas is not None and not isinstance(QApplication.focusWidget(), _EDITORS):
            self._canvas.setFocus(Qt.FocusReason.OtherFocusReason)

    def release(self) -> None:
        """Leave the canvas to napari."""
        if self._canvas is not None:
            self._canvas.removeEventFilter(self)
            self._canvas = None

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 (Qt's name)
        """Take the events that mean something else here."""
        if event.type() == QEvent.Type.Enter:
            self.take_focus()
        if not isinstance(event, (QWheelEvent, QMouseEvent)):
            return False
        if not self._is_on or self._passes or self._viewer.dims.ndisplay != 2 or self._limits() is None:
            return False
        return self._on_wheel(event) if isinstance(event, QWheelEvent) else self._on_mouse(event)

    def _on_wheel(self, event: QWheelEvent) -> bool:
        if event.modifiers() == Qt.KeyboardModifier.ControlModifier:
            self._zoom(event)
            return True
        if event.modifiers() != Qt.KeyboardModifier.NoModifier:
            return False
        self._turned += event.angleDelta().y()
        steps = int(self._turned / _NOTCH)
        self._turned -= steps * _NOTCH
        if steps:
            self.steps.by(steps)  # away from the hand is towards the head, the back or the left
        return True

    def _zoom(self, event: QWheelEvent) -> None:
        """What napari does at the wheel alone."""
        plain = QWheelEvent(
            event.position(),
            event.globalPosition(),
            event.pixelDelta(),
            event.angleDelta(),
            event.buttons(),
            Qt.KeyboardModifier.NoModifier,
            event.phase(),
            event.inverted(),
        )
        self._passes = True
        try:
            if self._canvas is not None:
                QApplication.sendEvent(self._canvas, plain)
        finally:
            self._passes = False

    def _on_mouse(self, event: QMouseEvent) -> bool:
        kind, here = event.type(), event.position()
        if kind == QEvent.Type.MouseButtonPress and event.button() in _BUTTONS and self._held is None:
            self._held = event.button(), here
            self._began = self._now = self._limits() or (0.0, 1.0)
            return True
        if kind == QEvent.Type.MouseMove and event.buttons() == Qt.MouseButton.NoButton:
            self._held = None  # it was released where nobody told us
        if self._held is None:
            return False
        button, before = self._held
        if kind == QEvent.Type.MouseMove and button == Qt.MouseButton.MiddleButton:
            self._pan(here - before)
            self._held = button, here
        elif kind == QEvent.Type.MouseMove:
            self._now = windowed(self._began, here - before)
            self.dragged.emit(self._now)
        elif kind == QEvent.Type.MouseButtonRelease and event.button() == button:
            self._held = None
            if button == Qt.MouseButton.RightButton and self._now != self._began:
                self.settled.emit(self._now)
        return True

    def _pan(self, by: QPointF) -> None:
        camera = self._viewer.scene.camera
        vertical, horizontal = camera.orientation2d
        y, x = camera.center[-2:]
        down = by.y() if vertical == "down" else -by.y()
        right = by.x() if horizontal == "right" else -by.x()
        camera.center = (camera.center[0], y - down / camera.zoom, x - right / camera.zoom)


_BUTTONS = (Qt.MouseButton.RightButton, Qt.MouseButton.MiddleButton)


def windowed(limits: Limits, by: QPointF) -> Limits:
    """A window after a drag: to the right it is wider, upwards the picture is brighter.

    Args:
        limits: intensities shown black and white at the start.
        by: pixels from the start, to the right and down.

    Examples:
        >>> windowed((-160.0, 240.0), QPointF(0, 0))
        (-160.0, 240.0)
        >>> windowed((-160.0, 240.0), QPointF(300, 0))
        (-360.0, 440.0)
        >>> windowed((-160.0, 240.0), QPointF(0, -150))
        (-360.0, 40.0)
    """
    low, high = limits
    width, level = high - low, (low + high) / 2
    wider = max(width * (1 + by.x() / _PIXELS_TO_DOUBLE), width * _LEAST_SHARE)
    shifted = level + by.y() * width / _PIXELS_TO_DOUBLE
    return shifted - wider / 2, shifted + wider / 2
