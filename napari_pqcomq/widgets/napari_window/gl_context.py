"""Graphics of removed layers are deleted in the canvas's own OpenGL context.

napari deletes them when a layer was removed and at the end of a batch, in the context that is current then; after the
window was painted that is Qt's own, which shares its objects with the canvas's. Mesa then loses the vertex shader that
is bound in the canvas's context, and the next drawing that changes no shader, a plain image's, ends the process. So it
did, too, when a layer was removed after the dock was closed.
"""

from __future__ import annotations

from contextlib import suppress
from weakref import ReferenceType, ref

from napari.components import ViewerModel
from qtpy.QtCore import QTimer
from qtpy.QtOpenGLWidgets import QOpenGLWidget
from qtpy.QtWidgets import QWidget

_KEPT = "_pqcomq_gl_context"
"""Attribute of a canvas: what makes its context current once there is no dock."""


class GLContext:
    """Makes the canvas's context current before napari deletes anything, for as long as there is the canvas.

    Args:
        viewer: napari's viewer or the proxy that plugins get.
        inside: a widget of the same window, docked sooner or later.
    """

    def __init__(self, viewer: ViewerModel, inside: QWidget) -> None:
        self._inside: QWidget | None = inside
        # Kept, for looking through a whole window takes milliseconds; weakly, for the canvas may hold this object.
        self._found: list[ReferenceType[QOpenGLWidget]] = []
        self._emitters = (viewer.layers.events.removed, viewer.layers.events.end_batch)
        # napari calls what is not its own, by its module, after all of its own: after the canvas has deleted.
        self.__module__ = "napari.plugins"
        for emitter in self._emitters:
            emitter.connect(self._make_current, position="first")
        # Not only when a layer goes: a dock that is closed before one did is in no window any more.
        self._find()
        QTimer.singleShot(0, inside, self._find)

    def release(self) -> None:
        """Let go of the dock; the canvas holds what goes on listening, one for all docks that its window has had."""
        self._find()
        self._inside = None
        canvas = self._found[0]() if self._found else None
        kept = getattr(canvas, _KEPT, None)
        if canvas is not None and kept is None:
            setattr(canvas, _KEPT, self)
        elif kept is not self:
            for emitter in self._emitters:
                emitter.disconnect(self._make_current)

    def _find(self) -> None:
        if not self._found and self._inside is not None:
            self._found = [ref(canvas) for canvas in _canvases(self._inside)]

    def _make_current(self) -> None:
        self._find()
        with suppress(RuntimeError):  # Qt has deleted them with the window
            for found in self._found:
                if (canvas := found()) is not None and canvas.isValid():
                    canvas.makeCurrent()


def canvas_of(inside: QWidget) -> QWidget | None:
    """Napari's canvas in the window of a widget, None where the window has none."""
    return next(iter(_canvases(inside)), None)


class LateCanvas:
    """Napari's canvas in the window of a widget that is docked sooner or later.

    Args:
        inside: the widget, or None: then there is never a canvas, as in a viewer without a window.
    """

    def __init__(self, inside: QWidget | None) -> None:
        self._inside = inside
        self._found: QWidget | None = None  # kept: looking through a whole window takes milliseconds

    @property
    def canvas(self) -> QWidget | None:
        """The canvas, None before the widget is in a window that has one."""
        if self._found is None and self._inside is not None:
            self._found = canvas_of(self._inside)
        return self._found


def main_window_of(inside: QWidget) -> QWidget:
    """The main window that a widget belongs to, also where its dock floats; before it is in one, the outermost."""
    window = inside
    while (parent := window.parentWidget()) is not None:  # a floating dock, too, has the main window for a parent
        window = parent
    return window


def _canvases(inside: QWidget) -> list[QOpenGLWidget]:
    return list(main_window_of(inside).findChildren(QOpenGLWidget))
