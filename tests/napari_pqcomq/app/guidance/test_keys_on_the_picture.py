"""Keys with the mouse over the picture, in the whole dock: slice by slice, and Esc."""

from __future__ import annotations

import pytest
from napari.layers import Layer
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication, QLineEdit

from napari_pqcomq.app.compare_widget import CompareWidget
from napari_pqcomq.layers.volume_layers import image_tuple
from napari_pqcomq.prompts.marks.box_layers import boxes_tuple
from napari_pqcomq.viewer.navigation.orthogonal_planes import Plane, show_plane, show_surfaces
from napari_pqcomq.viewer.navigation.slice_steps import SliceSteps
from napari_pqcomq.viewer.scene import Pane, Scene
from napari_pqcomq.viewer.sides.side_layers import LEFT_COLOUR, RIGHT_COLOUR
from napari_pqcomq.widgets.napari_window.gl_context import canvas_of
from pqcomq.segmentation.box import Box3D

BOX = Box3D(5, 5, 4, 17, 15, 5)
KEYS = Qt.Key
_COLOURS = (LEFT_COLOUR, RIGHT_COLOUR)


@pytest.fixture
def dock(shown_viewer, volume, qtbot):
    dock = CompareWidget(shown_viewer)
    shown_viewer.window.add_dock_widget(dock)
    for layer in (image_tuple(volume), boxes_tuple(volume, {"cube": BOX})):
        shown_viewer.add_layer(Layer.create(*layer))
    shown_viewer.window.activate()
    shown_viewer.dims.set_current_step(0, 5)
    qtbot.wait(100)
    return dock


@pytest.fixture
def press(dock, shown_viewer, qtbot):
    canvas = canvas_of(shown_viewer.window._qt_window)

    def pressing(*keys):
        """Press them on the picture; the slice seen after each, along the axis that slices follow each other on."""
        seen = []
        for key in keys:
            qtbot.keyClick(canvas, key)
            QApplication.processEvents()
            seen.append(shown_viewer.dims.current_step[shown_viewer.dims.order[0]])
        return seen

    return pressing


def test_arrows_page_home_and_end_go_over_the_slices(press):
    assert press(KEYS.Key_Up, KEYS.Key_Right, KEYS.Key_Down, KEYS.Key_Left) == [6, 7, 6, 5]
    assert press(KEYS.Key_PageUp, KEYS.Key_PageUp) == [10, 11], "by five, and no further than the last"
    assert press(KEYS.Key_PageDown, KEYS.Key_Home, KEYS.Key_Down, KEYS.Key_End) == [6, 0, 0, 11]


def test_they_go_over_the_slices_of_the_plane_in_sight_and_stay_put_in_3d(press, shown_viewer):
    show_plane(shown_viewer, Plane.CORONAL)
    assert press(KEYS.Key_Home, KEYS.Key_Up, KEYS.Key_End) == [0, 1, 29]
    assert shown_viewer.dims.current_step[0] == 5
    show_surfaces(shown_viewer)
    place = shown_viewer.dims.point
    press(KEYS.Key_Up, KEYS.Key_Home, KEYS.Key_PageUp)
    assert shown_viewer.dims.point == place
    show_plane(shown_viewer, Plane.AXIAL)
    assert press(KEYS.Key_Up) == [6], "keys that did nothing do nothing later"


def test_home_and_end_overtake_what_waits_to_be_shown(shown_viewer, dock):
    steps = SliceSteps(shown_viewer)
    for each in (5, 5, 5):
        steps.by(each)
    steps.to_first()
    QApplication.processEvents()
    assert shown_viewer.dims.current_step[0] == 0


def test_with_shift_the_box_moves_and_the_slice_stays(press, dock, shown_viewer, qtbot):
    canvas = canvas_of(shown_viewer.window._qt_window)
    qtbot.keyClick(canvas, KEYS.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    assert dock.panels.objects.current_prompt.box.y0 == BOX.y0 + 1
    assert shown_viewer.dims.current_step[0] == 5


def test_a_number_that_has_the_focus_keeps_its_arrows(press, dock, shown_viewer, qtbot):
    first = dock.panels.prompts.first
    first.setFocus()
    qtbot.keyClick(first, KEYS.Key_Up)
    assert first.value() == 5, "the box begins a slice higher"
    assert shown_viewer.dims.current_step[0] == 5


def test_esc_lays_down_what_draws_boxes_or_sets_points(press, dock, shown_viewer):
    dock.panels.model.choose_model("sam-vit-b")  # that takes both
    prompts = dock.panels.prompts
    for key, is_armed in ((KEYS.Key_B, lambda: prompts._tool.is_armed), (KEYS.Key_P, lambda: prompts.hand.is_armed)):
        press(key)
        assert is_armed()
        press(KEYS.Key_Escape)
        assert not is_armed()
    assert shown_viewer.cursor.style == "standard"
    assert not prompts.draw_button.isChecked()


def test_esc_lays_down_the_brush_that_corrects_and_napari_s_own(press, dock, shown_viewer, volume, masks):
    panes = [Pane(name, ("Dice",), mask, colour) for name, mask, colour in zip("AB", masks, _COLOURS, strict=True)]
    dock.panels.view.open(panes, Scene.of_box(volume, (-160.0, 240.0), BOX))
    dock.correcting.tool.take("brush")
    press(KEYS.Key_Escape)
    assert dock.correcting.tool.tool is None
    labels = shown_viewer.add_labels(masks[0].astype(int))
    shown_viewer.layers.selection.active = labels
    labels.mode = "paint"
    press(KEYS.Key_Escape)
    assert labels.mode == "pan_zoom"


def test_esc_closes_the_list_of_keys_wherever_the_focus_is(press, dock):
    press("?")
    assert dock.keys.help.isVisible()
    press(KEYS.Key_B)
    press(KEYS.Key_Escape)
    assert not dock.keys.help.isVisible()
    assert dock.panels.prompts._tool.is_armed, "one thing at a time"


def test_esc_closes_the_list_of_keys_first_where_napari_s_own_tool_is_in_the_hand(press, dock, shown_viewer, masks):
    labels = shown_viewer.add_labels(masks[0].astype(int))
    shown_viewer.layers.selection.active = labels
    labels.mode = "paint"
    press("?", KEYS.Key_Escape)
    assert not dock.keys.help.isVisible()
    assert labels.mode == "paint"


@pytest.mark.parametrize("has_focus", ["the list", "the dock"])
def test_esc_closes_the_list_of_keys_and_no_more(dock, press, qtbot, has_focus):
    press(KEYS.Key_B)
    press("?")
    focused = dock.keys.help if has_focus == "the list" else dock.panels.prompts.draw_button
    focused.setFocus()
    qtbot.keyClick(focused, KEYS.Key_Escape)
    assert not dock.keys.help.isVisible()
    assert dock.panels.prompts._tool.is_armed
    dock.panels.prompts.draw_button.setFocus()
    qtbot.keyClick(dock.panels.prompts.draw_button, KEYS.Key_Escape)
    assert not dock.panels.prompts._tool.is_armed, "with the focus in the dock, too"


def test_windows_of_napari_s_own_keep_esc(dock, shown_viewer, qtbot):
    heard = []

    class Palette(QLineEdit):
        def keyPressEvent(self, event):  # noqa: N802 (Qt's name)
            heard.append(event.key())

    palette = Palette(shown_viewer.window._qt_window)
    palette.show()
    palette.setFocus()
    qtbot.keyClick(palette, KEYS.Key_Escape)
    assert heard == [KEYS.Key_Escape]
