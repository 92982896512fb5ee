"""Objects and their boxes: undo and redo, the box layer, and real drags of the mouse."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Layer
from qtpy.QtCore import Qt

from napari_pqcomq.layers.volume_layers import image_tuple, transform
from napari_pqcomq.prompts.marks.box_layers import boxes_tuple, read_prompts
from napari_pqcomq.prompts.objects.drawn_object import MOST_OBJECTS, DrawnObject
from napari_pqcomq.prompts.objects.prompt_list import PromptList
from napari_pqcomq.prompts.prompt_panel import PromptPanel
from napari_pqcomq.prompts.tools.box_tool import BoxTool, held_part, moved
from pqcomq.errors import InputError
from pqcomq.segmentation.box import Box3D

BOX = Box3D(6, 5, 2, 16, 14, 8)
OTHER = Box3D(20, 8, 1, 30, 20, 4)


def test_changes_are_taken_back_and_made_again_in_order():
    prompts = PromptList()
    prompts.add(BOX, "cube")
    prompts.settle()
    prompts.set_box(0, OTHER)
    prompts.settle()
    prompts.rename(0, "block")
    prompts.undo()
    assert (prompts.objects[0].name, prompts.objects[0].box) == ("cube", OTHER)
    prompts.undo()
    assert prompts.objects[0].box == BOX
    prompts.undo()
    assert prompts.objects == ()
    assert prompts.current_prompt is None
    assert not prompts.can_undo
    for _step in range(3):
        prompts.redo()
    assert (prompts.objects[0].name, prompts.objects[0].box) == ("block", OTHER)
    assert not prompts.can_redo


def test_a_drag_is_one_step_however_many_moves_it_has():
    prompts = PromptList()
    prompts.add(BOX)
    prompts.settle()
    for x in range(7, 12):
        prompts.set_box(0, Box3D(x, 5, 2, 16, 14, 8))
    prompts.settle()
    prompts.undo()
    assert prompts.objects[0].box == BOX


def test_undo_during_a_drag_takes_the_drag_back_and_no_more():
    prompts = PromptList()
    prompts.add(BOX)
    prompts.settle()
    index = prompts.add(OTHER)
    prompts.undo()
    assert [each.box for each in prompts.objects] == [BOX]
    prompts.set_box(index, OTHER)  # the mouse goes on
    prompts.settle()
    assert [each.box for each in prompts.objects] == [BOX]


def test_a_drag_moves_the_box_that_was_taken_hold_of_whatever_is_removed_meanwhile(volume):
    """As with the key Delete while the button is down: another object has its place in the list then."""
    objects = PromptList()
    for place in range(3):
        objects.add(Box3D(2 + 8 * place, 3, 4, 8 + 8 * place, 9, 5))
    objects.settle()
    tool = BoxTool(ViewerModel(), objects, lambda _armed: None)
    held, last = objects.objects[1:]
    event = SimpleNamespace(type="mouse_move", position=(300, 10, -20))
    for _step in tool._move(event, volume, [0.0, 0.0], 1, (True,) * 4):
        if len(objects) == 3:
            objects.remove(0)
        else:
            event.type = "mouse_release"
    assert [each.number for each in objects.objects] == [held.number, last.number]
    assert objects.objects[1] == last


def test_a_drag_ends_with_its_volume(volume):
    """As where a layer is deleted, or a job opens another volume, while the button is down."""
    viewer, objects = ViewerModel(), PromptList()
    viewer.add_layer(Layer.create(*image_tuple(volume)))
    tool = BoxTool(viewer, objects, lambda _armed: None)
    tool.set_volume(volume)
    tool.arm(True)
    event = SimpleNamespace(type="mouse_press", position=(320, 20, -10), button=1, handled=False)
    drag = tool._on_drag(viewer, event)
    next(drag)
    tool.set_volume(None)
    event.type, event.position = "mouse_move", (320, 40, 10)
    assert next(drag, "ended") == "ended"
    assert not len(objects)
    assert viewer.scene.camera.mouse_pan


def test_an_object_keeps_its_number_and_colour_when_another_is_removed():
    prompts = PromptList()
    for _each in range(3):
        prompts.add(BOX)
    prompts.settle()
    kept = prompts.objects[1:]
    prompts.remove(0)
    assert prompts.objects == kept
    prompts.add(OTHER)
    assert [each.number for each in prompts.objects] == [2, 3, 1]


def test_more_objects_than_masks_can_hold_are_refused():
    prompts = PromptList()
    for _each in range(MOST_OBJECTS):
        prompts.add(BOX)
    with pytest.raises(InputError, match="40 objects"):
        prompts.add(BOX)


def test_a_box_is_held_by_edges_corners_and_its_inside():
    reach = (1.0, 1.0)
    assert held_part(BOX, [6.5, 9.0], reach) == (True, False, False, False)
    assert held_part(BOX, [16.2, 14.3], reach) == (False, False, True, True)
    assert held_part(BOX, [11.0, 9.0], reach) == (True, True, True, True)
    assert held_part(BOX, [18.0, 9.0], reach) is None


def test_a_moved_box_stays_in_the_volume_and_never_turns_inside_out(volume):
    whole, left_top = (True, True, True, True), (True, True, False, False)
    assert moved(BOX, whole, -100, 100, volume) == Box3D(0, 21, 2, 10, 30, 8)
    assert moved(BOX, left_top, 100, 100, volume) == Box3D(14, 12, 2, 16, 14, 8)


def test_boxes_survive_the_way_through_a_layer(volume):
    layer = Layer.create(*boxes_tuple(volume, {"cube": BOX, "other": OTHER}))
    found = read_prompts(layer, volume)
    assert [(each.name, each.box, each.compared) for each in found] == [("cube", BOX, False), ("other", OTHER, True)]


def test_shapes_outside_the_volume_are_left_out_and_those_across_its_edge_cut(volume):
    layer = Layer.create(*boxes_tuple(volume, {"cube": BOX}))
    layer.add_rectangles([np.array([[6, 100, 100], [6, 100, 120], [6, 120, 120], [6, 120, 100]], float)])
    layer.add_rectangles([np.array([[6, -9, -9], [6, -9, 10], [6, 10, 10], [6, 10, -9]], float)])
    found = read_prompts(layer, volume)
    assert [each.box for each in found] == [BOX, Box3D(0, 0, 1, 10, 10, 11)]


def test_a_box_is_drawn_with_the_mouse_and_shown_on_a_layer(panel, shown_viewer, drag, objects):
    panel.draw()
    assert panel.draw_button.isChecked()
    before = shown_viewer.scene.camera.center
    drag(shown_viewer, (5.0, 6.0), (14.0, 16.0))
    box = objects.current_prompt.box
    np.testing.assert_allclose((box.x0, box.y0, box.x1, box.y1), (6, 5, 16, 14), atol=0.5)
    assert (box.z0, box.z1) == (1, 11)  # five slices either way
    assert not panel.draw_button.isChecked()
    assert shown_viewer.scene.camera.center == before, "the picture was dragged along"
    layer = shown_viewer.layers["Boxes"]
    assert len(layer.data) == 1
    assert list(layer.features["name"]) == ["Object 1"]
    objects.undo()
    assert not panel.has_objects
    assert len(layer.data) == 0


def test_a_second_slice_makes_the_box_three_dimensional(panel, shown_viewer, drag, objects):
    panel.draw()
    drag(shown_viewer, (5.0, 6.0), (14.0, 16.0))
    panel.first.setValue(5)
    panel.last.setValue(6)
    shown_viewer.dims.set_current_step(0, 10)
    panel.draw(extend=True)
    drag(shown_viewer, (8.0, 10.0), (20.0, 18.0))
    box = objects.current_prompt.box
    assert (box.z0, box.z1) == (5, 10)
    np.testing.assert_allclose((box.x0, box.y0, box.x1, box.y1), (6, 5, 18, 20), atol=0.5)
    assert len(objects) == 1


def test_a_click_is_no_box(panel, shown_viewer, drag):
    panel.draw()
    drag(shown_viewer, (5.0, 6.0), (5.0, 6.0))
    assert not panel.has_objects
    assert panel.draw_button.isChecked(), "the user still wants to draw"


def test_a_box_too_many_is_told_in_a_sentence_and_takes_nothing(panel, shown_viewer, drag, objects, monkeypatch):
    told = []
    monkeypatch.setattr("napari_pqcomq.prompts.tools.mouse_tool.show_info", told.append)
    objects.load(tuple(DrawnObject(number, f"{number}", BOX) for number in range(1, MOST_OBJECTS + 1)))
    before = objects.objects
    panel.draw()
    drag(shown_viewer, (5.0, 6.0), (14.0, 16.0))
    assert len(told) == 1 and "objects already" in told[0]
    assert objects.objects == before
    assert shown_viewer.scene.camera.mouse_pan, "the mouse is napari's again"


def test_an_edge_is_dragged_where_boxes_may_be_edited(panel, shown_viewer, drag, objects):
    panel.draw()
    drag(shown_viewer, (5.0, 6.0), (14.0, 16.0))
    moves = []
    objects.changed.connect(lambda: moves.append(objects.current_prompt.box.x1))
    drag(shown_viewer, (9.5, 16.0), (9.5, 20.0))
    assert len(moves) > 3, "masks are to follow every move"
    assert objects.current_prompt.box.x1 == pytest.approx(20, abs=0.6)
    assert objects.current_prompt.box.x0 == pytest.approx(6, abs=0.5)


def test_napari_s_own_tools_change_the_objects_too(panel, shown_viewer, volume, objects):
    panel.layers.layer or shown_viewer.add_layer(Layer.create(*boxes_tuple(volume, {"cube": BOX})))
    layer = shown_viewer.layers["Boxes"]
    layer.data = [layer.data[0] + [0, 1, 2]]
    assert objects.current_prompt.box == Box3D(8, 6, 2, 18, 15, 8)
    layer.add_rectangles([np.array([[3, 1, 2], [3, 1, 9], [3, 7, 9], [3, 7, 2]], float)])
    assert [each.name for each in objects.objects] == ["cube", "Object 2"]
    assert objects.current_prompt.box == Box3D(2, 1, 0, 9, 7, 8)
    shown_viewer.layers.remove("Boxes")
    assert not panel.has_objects


def test_what_napari_s_tools_draw_beside_the_volume_is_taken_away(panel, shown_viewer, drag, objects):
    objects.add(BOX, "cube")
    objects.settle()
    before, layer = objects.objects, shown_viewer.layers["Boxes"]
    shown_viewer.layers.selection.active = layer
    layer.mode = "add_rectangle"
    drag(shown_viewer, (-9.0, -9.0), (-3.0, -2.0))
    layer.mode = "pan_zoom"
    assert objects.objects == before
    assert len(layer.data) == 1
    layer.add_rectangles([np.array([[3, 90, 90], [3, 90, 99], [3, 97, 99], [3, 97, 90]], float)])
    assert objects.objects == before
    assert len(layer.data) == 1


def test_an_edit_with_napari_s_tools_keeps_numbers_and_ticks_and_is_taken_back(panel, objects):
    for name, box in (("gone", BOX), ("cube", BOX), ("other", OTHER)):
        objects.add(box, name)
        objects.settle()
    objects.remove(0)
    before = objects.objects
    layer = panel.layers.layer
    layer.data = [layer.data[0] + [0, 1, 2], layer.data[1]]
    assert objects.objects[0].box == Box3D(8, 6, 2, 18, 15, 8)
    assert [(each.number, each.name, each.compared) for each in objects.objects] == [
        (2, "cube", True),
        (3, "other", True),
    ]
    layer.add_rectangles([np.array([[3, 1, 2], [3, 1, 9], [3, 7, 9], [3, 7, 2]], float)])
    assert objects.objects[2].number == 1 and objects.current == 2
    objects.undo()
    objects.undo()
    assert objects.objects == before


def test_a_layer_of_boxes_that_was_deleted_comes_back_by_undo(panel, shown_viewer, objects):
    objects.add(BOX, "cube")
    objects.settle()
    shown_viewer.layers.remove("Boxes")
    assert not panel.has_objects
    objects.undo()
    assert [(each.name, each.box) for each in objects.objects] == [("cube", BOX)]
    assert len(shown_viewer.layers["Boxes"].data) == 1


def test_a_box_of_another_scale_is_read_in_the_volume_s_voxels(panel, shown_viewer, volume, objects):
    scaled = transform(volume) | {"scale": (4.0, 4.0, 3.0)}
    corners = np.array([[6, 4, 4], [6, 4, 8], [6, 7, 8], [6, 7, 4]], float)
    shown_viewer.add_shapes([corners], shape_type="rectangle", name="coarse", **scaled)
    box = objects.current_prompt.box
    assert (box.x0, box.y0, box.x1, box.y1) == (8, 8, 16, 14)


def test_the_range_ends_follow_each_other(panel, shown_viewer, drag, objects):
    panel.draw()
    drag(shown_viewer, (5.0, 6.0), (14.0, 16.0))
    panel.last.setValue(7)
    panel.first.setValue(9)
    assert (objects.current_prompt.box.z0, objects.current_prompt.box.z1) == (9, 9)
    shown_viewer.dims.set_current_step(0, 3)
    panel.set_end("last")
    assert (objects.current_prompt.box.z0, objects.current_prompt.box.z1) == (3, 3)


def test_a_slice_number_that_is_typed_leaves_the_other_end_where_it_is(panel, objects, qtbot):
    objects.add(Box3D(6, 5, 4, 16, 14, 8))
    objects.settle()
    panel.show()
    panel.last.selectAll()
    qtbot.keyClicks(panel.last, "11")
    qtbot.keyClick(panel.last, Qt.Key.Key_Return)
    box = objects.current_prompt.box
    assert (box.z0, box.z1) == (4, 11)
    objects.undo()
    assert (objects.current_prompt.box.z0, objects.current_prompt.box.z1) == (4, 8), "one step"


def test_a_slice_number_that_is_not_entered_yet_counts_once_it_is_needed(panel, objects, qtbot):
    objects.add(Box3D(6, 5, 4, 16, 14, 8))
    objects.settle()
    panel.show()
    panel.last.selectAll()
    qtbot.keyClicks(panel.last, "10")
    assert objects.current_prompt.box.z1 == 8
    panel.take_typed()
    assert (objects.current_prompt.box.z0, objects.current_prompt.box.z1) == (4, 10)
    objects.undo()
    assert objects.current_prompt.box.z1 == 8, "one step"


def test_a_box_is_seen_while_it_is_drawn_and_moved_by_a_drag_without_a_comparison(panel, shown_viewer, objects, qtbot):
    shown_viewer.dims.set_current_step(0, 5)
    seen = []
    objects.changed.connect(lambda: seen.append(len(panel.layers.layer.data) if panel.layers.layer else 0))
    objects.add(Box3D(6, 5, 2, 16, 14, 8))
    assert seen[-1] == 1, "before the button is released"
    objects.set_box(0, Box3D(7, 5, 2, 17, 14, 8))
    assert panel.layers.layer.data[0][:, 2].min() == 7
    objects.settle()


def test_a_box_is_seen_on_all_of_its_slices_before_a_comparison(panel, shown_viewer, objects):
    objects.add(Box3D(6, 5, 2, 16, 14, 8))
    objects.settle()
    for z, drawn in ((2, 2), (8, 8), (11, 5)):
        shown_viewer.dims.set_current_step(0, z)
        assert panel.layers.layer.data[0][0][0] == drawn
        assert objects.objects[0].box == Box3D(6, 5, 2, 16, 14, 8)


def test_undo_and_redo_bring_back_the_object_that_was_chosen():
    prompts = PromptList()
    prompts.load((DrawnObject(1, "spleen", BOX), DrawnObject(2, "aorta", BOX)), current=0)
    prompts.choose(1)
    prompts.set_box(1, Box3D(1, 1, 1, 9, 9, 9))
    prompts.settle()
    prompts.undo()
    prompts.redo()
    assert prompts.current_prompt.name == "aorta"


def test_undo_is_live_after_the_first_box(panel, objects):
    objects.add(Box3D(6, 5, 2, 16, 14, 8))
    objects.settle()
    assert panel.undo_button.isEnabled()


def test_the_armed_tool_lights_up_and_no_other(panel, objects):
    objects.add(Box3D(6, 5, 2, 16, 14, 8))
    objects.settle()
    panel.draw(extend=True)
    assert (panel.extend_button.isChecked(), panel.draw_button.isChecked()) == (True, False)
    panel.draw()
    assert not panel.extend_button.isChecked()
    panel.draw()
    assert (panel.extend_button.isChecked(), panel.draw_button.isChecked()) == (False, True)


def test_delete_removes_the_object_chosen_in_the_list(panel, objects, qtbot):
    for name in ("cube", "other"):
        objects.add(BOX, name)
        objects.settle()
    objects.choose(0)
    panel.show()
    qtbot.keyClick(panel.objects, Qt.Key.Key_Delete)
    assert [each.name for each in objects.objects] == ["other"]
    objects.undo()
    assert [each.name for each in objects.objects] == ["cube", "other"]


def test_boxes_of_another_volume_are_neither_taken_nor_written_over(panel, shown_viewer, volume, objects):
    objects.add(BOX, "cube")
    objects.settle()
    first = panel.layers.layer
    panel.set_volume(replace(volume, voxels=volume.voxels + 1))
    assert not panel.has_objects
    objects.add(OTHER, "spleen")
    objects.settle()
    assert panel.layers.layer is not first
    assert list(first.features["name"]) == ["cube"]
    panel.set_volume(volume)
    assert [(each.name, each.box) for each in objects.objects] == [("cube", BOX)]
    panel.set_volume(replace(volume, voxels=volume.voxels.copy()))
    assert [each.name for each in objects.objects] == ["cube"], "the same volume, opened anew"


def test_the_current_object_stays_in_sight_when_there_is_less_room(panel, objects, qtbot):
    objects.load(tuple(DrawnObject(number, f"object {number}", BOX) for number in range(1, 8)))
    objects.choose(6)
    panel.show()
    qtbot.waitExposed(panel)
    listed = panel.objects
    assert listed.currentRow() == 6
    for height in (200, 60):
        listed.resize(listed.width(), height)
    assert listed.viewport().rect().contains(listed.visualItemRect(listed.currentItem()))


def test_lines_and_polygons_of_the_user_s_are_neither_taken_for_boxes_nor_written_over(shown_viewer, volume, qtbot):
    shown_viewer.add_layer(Layer.create(*image_tuple(volume)))
    ruler = [np.array([[6, 4, 4], [6, 20, 30]], float)]
    measured = shown_viewer.add_shapes(ruler, shape_type="line", name="ruler", **transform(volume))
    flat = shown_viewer.add_shapes([np.array([[0, 0], [0, 5], [5, 5], [5, 0]], float)], name="flat")
    shown_viewer.add_layer(Layer.create(*boxes_tuple(volume, {"cube": BOX})))
    objects = PromptList()
    panel = PromptPanel(shown_viewer, objects)
    qtbot.addWidget(panel)
    panel.set_volume(volume)
    shown_viewer.dims.set_current_step(0, 7)
    assert [(each.name, each.box) for each in objects.objects] == [("cube", BOX)]
    assert (measured.shape_type, len(flat.data)) == (["line"], 1)
    np.testing.assert_array_equal(measured.data[0], ruler[0])
    panel.release()


def test_boxes_of_another_scale_stay_where_they_are(panel, shown_viewer, volume, objects):
    scaled = transform(volume) | {"scale": (4.0, 4.0, 3.0)}
    corners = np.array([[6, 4, 4], [6, 4, 8], [6, 7, 8], [6, 7, 4]], float)
    before = corners * scaled["scale"] + scaled["translate"]  # in napari's world
    layer = shown_viewer.add_shapes([corners], shape_type="rectangle", name="coarse", **scaled)
    np.testing.assert_allclose([layer.data_to_world(each) for each in layer.data[0]], before)
    panel.nudge(1, 0)
    np.testing.assert_allclose([layer.data_to_world(each) for each in layer.data[0]], before + np.array([0, 0, 1.5]))


def test_no_box_is_drawn_beside_the_volume(panel, shown_viewer, objects, drag):
    shown_viewer.add_image(np.zeros((40, 40, 40), np.uint8), scale=(4.0, 2.0, 1.5), translate=(200.0, 10.0, -20.0))
    for place in (210.0, 352.0):  # below the feet, above the head
        shown_viewer.dims.set_point(0, place)
        panel.draw()
        drag(shown_viewer, (5.0, 6.0), (14.0, 16.0))
        assert len(objects) == 0
        panel.lay_down()


def test_a_drag_is_for_one_tool_and_paints_on_no_labels_of_the_user_s(panel, shown_viewer, objects, drag, volume):
    labels = shown_viewer.add_labels(np.zeros(volume.voxels.shape, np.uint8), **transform(volume))
    labels.mode = "paint"
    panel.draw()
    assert str(labels.mode) == "pan_zoom"
    drag(shown_viewer, (5, 5), (15, 17))
    assert len(objects) == 1
    assert not labels.data.any()
    shown_viewer.layers.selection.active = labels
    panel.draw()
    labels.mode = "paint"
    drag(shown_viewer, (18, 20), (24, 30))
    assert len(objects) == 1, "napari's brush was taken up last"
    assert labels.data.any()
    assert not panel.draw_button.isChecked()


def test_the_mouse_shows_the_tool_in_the_hand_whichever_was_before(panel, shown_viewer):
    panel.draw()
    panel.points.tool.arm(True)
    assert shown_viewer.cursor.style == "cross"
    panel.draw()
    assert shown_viewer.cursor.style == "cross"
    panel.lay_down()
    assert shown_viewer.cursor.style == "standard"


def test_undo_brings_back_what_was_chosen_before_the_change_and_not_what_was_drawn_last():
    prompts = PromptList()
    for name, box in (("spleen", BOX), ("aorta", OTHER)):
        prompts.add(box, name)
        prompts.settle()
    prompts.choose(0)
    prompts.set_box(0, Box3D(1, 1, 1, 9, 9, 9))
    prompts.settle()
    prompts.undo()
    assert prompts.current_prompt.name == "spleen"


def test_the_current_object_stays_the_current_one_when_another_is_removed(panel, objects):
    for name in ("first", "second", "third"):
        objects.add(BOX, name)
        objects.settle()
    objects.choose(1)
    layer = panel.layers.layer
    layer.selected_data = {0}
    layer.remove_selected()  # with napari's own key
    assert objects.current_prompt.name == "second"
    objects.undo()
    objects.choose(1)
    objects.remove(0)
    assert objects.current_prompt.name == "second"
