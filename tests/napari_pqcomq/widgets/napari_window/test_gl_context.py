"""Layers' graphics are deleted in the canvas's context, whatever is current when they are removed."""

from __future__ import annotations

from contextlib import nullcontext

import numpy as np
import pytest
from qtpy.QtGui import QOffscreenSurface, QOpenGLContext
from qtpy.QtOpenGLWidgets import QOpenGLWidget
from qtpy.QtWidgets import QWidget

from napari_pqcomq.widgets.napari_window.gl_context import GLContext


@pytest.fixture
def other_context():
    """Another context, as that of the window that Qt paints."""
    surface, context = QOffscreenSurface(), QOpenGLContext()
    surface.create()
    context.setShareContext(QOpenGLContext.globalShareContext())
    assert context.create()
    yield lambda: context.makeCurrent(surface)
    context.doneCurrent()


@pytest.mark.parametrize("floating", [False, True])
def test_removal_makes_the_canvas_current(shown_viewer, other_context, floating):
    inside = QWidget()
    shown_viewer.window.add_dock_widget(inside, name="inside").setFloating(floating)
    (canvas,) = shown_viewer.window._qt_window.findChildren(QOpenGLWidget)
    context = GLContext(shown_viewer, inside)
    for together in (nullcontext, shown_viewer.layers.batched_update):
        layer = shown_viewer.add_image(np.zeros((4, 5, 6)))
        shown_viewer.window.activate()
        assert other_context()
        with together():
            shown_viewer.layers.remove(layer)
        assert QOpenGLContext.currentContext() == canvas.context()
    context.release()
    layer = shown_viewer.add_image(np.zeros((4, 5, 6)))
    assert other_context()
    shown_viewer.layers.remove(layer)
    assert QOpenGLContext.currentContext() != canvas.context(), "napari itself leaves another one current"
