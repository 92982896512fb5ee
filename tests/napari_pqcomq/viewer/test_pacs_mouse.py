"""Wheel, right and middle button on the picture, with real events on napari's canvas."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QEnterEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QLineEdit, QPlainTextEdit, QTextEdit, QWidget

from napari_pqcomq.layers.volume_layers import image_tuple
from napari_pqcomq.viewer.navigation.orthogonal_planes import Plane, show_plane, show_surfaces
from napari_pqcomq.viewer.navigation.pacs_mouse import PacsMouse
from napari_pqcomq.widgets.napari_window.gl_context import canvas_of

PLACE = QPoint(300, 250)


@pytest.fixture
def limits():
    return [(-160.0, 240.0)]


@pytest.fixture
def mouse(shown_viewer, volume, limits, qtbot):
    data, keywords, _kind = image_tuple(volume)
    shown_viewer.add_image(data, **keywords)
    inside = QWidget()
    shown_viewer.window.add_dock_widget(inside)
    mouse = PacsMouse(shown_viewer, inside, lambda: limits[0])
    mouse.attach()
    mouse.dragged.connect(lambda new: limits.__setitem__(0, new))
    shown_viewer.dims.set_current_step(0, 5)
    qtbot.wait(50)
    yield mouse
    mouse.release()


@pytest.fixture
def canvas(shown_viewer):
    return canvas_of(shown_viewer.window._qt_window)


def turn(canvas, eighths, modifiers=Qt.KeyboardModifier.NoModifier):
    window = canvas.window()
    QTest.wheelEvent(
        window.windowHandle(), QPointF(canvas.mapTo(window, PLACE)), QPoint(0, eighths), QPoint(), modifiers
    )
    QApplication.processEvents()


def drag(canvas, button, by):
    QTest.mousePress(canvas, button, Qt.KeyboardModifier.NoModifier, PLACE)
    for share in (1, 2, 3, 4):
        QTest.mouseMove(canvas, PLACE + by * share / 4)
    QTest.mouseRelease(canvas, button, Qt.KeyboardModifier.NoModifier, PLACE + by)
    QApplication.processEvents()


def test_the_wheel_turns_slices_and_with_ctrl_it_zooms(mouse, canvas, shown_viewer):
    zoom = shown_viewer.scene.camera.zoom
    turn(canvas, 120)
    assert shown_viewer.dims.current_step[0] == 6
    turn(canvas, -240)
    assert shown_viewer.dims.current_step[0] == 4
    turn(canvas, 60)
    turn(canvas, 60)
    assert shown_viewer.dims.current_step[0] == 5, "a touch pad turns by less at a time"
    turn(canvas, 120 * 50)
    assert shown_viewer.dims.current_step[0] == 11, "and no further than the last slice"
    assert shown_viewer.scene.camera.zoom == zoom
    turn(canvas, 120, Qt.KeyboardModifier.ControlModifier)
    assert shown_viewer.scene.camera.zoom > zoom
    assert shown_viewer.dims.current_step[0] == 11


def test_the_wheel_turns_the_slices_of_the_plane_in_sight(mouse, canvas, shown_viewer):
    show_plane(shown_viewer, Plane.CORONAL)
    before = shown_viewer.dims.current_step
    turn(canvas, 120)
    assert shown_viewer.dims.current_step[1] == before[1] + 1
    assert shown_viewer.dims.current_step[0] == before[0]


def test_the_right_button_drags_the_window_and_nothing_zooms(mouse, canvas, shown_viewer, limits, qtbot):
    camera = shown_viewer.scene.camera.center, shown_viewer.scene.camera.zoom
    with qtbot.waitSignal(mouse.settled) as settled:
        drag(canvas, Qt.MouseButton.RightButton, QPoint(150, 0))
    assert limits[0] == pytest.approx((-260, 340)), "wider"
    assert settled.args[0] == limits[0]
    limits[0] = (-160.0, 240.0)
    drag(canvas, Qt.MouseButton.RightButton, QPoint(0, -75))
    assert limits[0] == pytest.approx((-260, 140)), "brighter"
    assert (shown_viewer.scene.camera.center, shown_viewer.scene.camera.zoom) == camera
    with qtbot.assertNotEmitted(mouse.settled):
        drag(canvas, Qt.MouseButton.RightButton, QPoint(0, 0))


@pytest.mark.parametrize("plane", [Plane.AXIAL, Plane.CORONAL])
def test_the_middle_button_pans_with_the_picture_under_the_mouse(mouse, canvas, shown_viewer, plane):
    show_plane(shown_viewer, plane)
    camera = shown_viewer.scene.camera
    center = np.array(camera.center)
    drag(canvas, Qt.MouseButton.MiddleButton, QPoint(40, 30))
    down = 30 if plane is Plane.AXIAL else -30
    np.testing.assert_allclose(
        (np.array(camera.center) - center)[1:], [-down / camera.zoom, -40 / camera.zoom], atol=1e-6
    )


def test_switched_off_or_in_3d_the_mouse_is_naparis(mouse, canvas, shown_viewer, limits):
    mouse.set_on(False)
    zoom = shown_viewer.scene.camera.zoom
    turn(canvas, 120)
    assert shown_viewer.dims.current_step[0] == 5
    assert shown_viewer.scene.camera.zoom > zoom
    drag(canvas, Qt.MouseButton.RightButton, QPoint(150, 0))
    assert limits[0] == (-160.0, 240.0)
    mouse.set_on(True)
    show_surfaces(shown_viewer)
    drag(canvas, Qt.MouseButton.RightButton, QPoint(150, 0))
    assert limits[0] == (-160.0, 240.0)


def test_arrows_belong_to_the_picture_unless_something_is_typed(mouse, canvas, shown_viewer, qtbot):
    editor, other = QLineEdit(), QWidget()
    other.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    for widget in (editor, other):
        shown_viewer.window.add_dock_widget(widget)
    shown_viewer.window.activate()
    other.setFocus()
    mouse.take_focus()
    assert shown_viewer.window._qt_window.focusWidget() is canvas
    qtbot.keyClick(canvas, Qt.Key.Key_Right)
    assert shown_viewer.dims.current_step[0] == 6


@pytest.mark.parametrize("kind", [QTextEdit, QPlainTextEdit])
def test_what_is_typed_into_a_console_stays_there_when_the_mouse_passes_over_the_picture(
    mouse, canvas, shown_viewer, kind, qtbot
):
    console = kind()
    shown_viewer.window.add_dock_widget(console)
    shown_viewer.window.activate()
    console.setFocus()
    qtbot.waitUntil(lambda: QApplication.focusWidget() is console)
    QApplication.sendEvent(canvas, QEnterEvent(QPointF(PLACE), QPointF(PLACE), QPointF(canvas.mapToGlobal(PLACE))))
    assert QApplication.focusWidget() is console
