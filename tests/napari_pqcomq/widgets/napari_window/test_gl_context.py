"""Layers' graphics are deleted in the canvas's context, whatever is current when they are removed."""

from __future__ import annotations

import gc
import weakref
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


@pytest.fixture
def deletions(shown_viewer, monkeypatch):
    """Of each time that napari deletes what it has given up of a layer: whether the canvas's context was current."""
    (canvas,) = shown_viewer.window._qt_window.findChildren(QOpenGLWidget)
    graphics, deletions = shown_viewer.window._qt_viewer.canvas._scene_canvas.context, []
    finish = graphics.finish

    def finishing():
        deletions.append(QOpenGLContext.currentContext() == canvas.context())
        finish()

    monkeypatch.setattr(graphics, "finish", finishing)
    return deletions


@pytest.mark.parametrize("floating", [False, True])
def test_graphics_are_deleted_with_the_canvas_current(shown_viewer, other_context, floating, deletions):
    inside = QWidget()
    shown_viewer.window.add_dock_widget(inside, name="inside").setFloating(floating)
    (canvas,) = shown_viewer.window._qt_window.findChildren(QOpenGLWidget)
    context = GLContext(shown_viewer, inside)
    for docked in (True, False):
        for together in (nullcontext, shown_viewer.layers.batched_update):
            layer = shown_viewer.add_image(np.zeros((4, 5, 6)))
            shown_viewer.window.activate()
            deletions.clear()
            assert other_context()
            with together():
                shown_viewer.layers.remove(layer)
                if together is not nullcontext:
                    assert other_context()  # as somebody who follows may have something painted
            assert deletions == [True], f"docked: {docked}"
            assert QOpenGLContext.currentContext() == canvas.context()
        context.release()


def test_a_dock_that_was_closed_before_any_layer_went_leaves_it_listening(
    shown_viewer, other_context, deletions, qtbot
):
    layer = shown_viewer.add_image(np.zeros((4, 5, 6)))
    inside = QWidget()
    context = GLContext(shown_viewer, inside)
    dock = shown_viewer.window.add_dock_widget(inside, name="inside")
    qtbot.wait(10)
    shown_viewer.window.remove_dock_widget(dock)
    inside.setParent(None)  # as a dock is by the time it is told to let go
    context.release()
    del context
    deletions.clear()
    with shown_viewer.layers.batched_update():
        shown_viewer.layers.remove(layer)
        assert other_context()
    assert deletions == [True]


def test_of_all_docks_that_a_window_has_had_one_goes_on_listening(shown_viewer, other_context):
    (canvas,) = shown_viewer.window._qt_window.findChildren(QOpenGLWidget)
    removed = shown_viewer.layers.events.removed
    before = len(removed.callbacks)
    for _dock in range(3):
        inside = QWidget()
        dock = shown_viewer.window.add_dock_widget(inside, name="inside")
        context = GLContext(shown_viewer, inside)
        context.release()
        context.release()  # harmless
        shown_viewer.window.remove_dock_widget(dock)
        released = weakref.ref(inside)
        del inside, dock, context
        gc.collect()
        assert len(removed.callbacks) == before + 1
        assert released() is None, "the dock is not held"
    layer = shown_viewer.add_image(np.zeros((4, 5, 6)))
    assert other_context()
    shown_viewer.layers.remove(layer)
    assert QOpenGLContext.currentContext() == canvas.context()
