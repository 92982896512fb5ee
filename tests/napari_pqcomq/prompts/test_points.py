"""Points set, moved and removed by real clicks and drags; and what an object of points is in the list."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.colors import to_hex
from napari.layers import Shapes
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from napari_pqcomq.prompts.objects.drawn_object import DrawnObject
from napari_pqcomq.prompts.objects.merging import as_before
from napari_pqcomq.prompts.objects.prompt_list import PromptList
from napari_pqcomq.viewer.sides.side_layers import point_lines
from napari_pqcomq.viewer.sides.strokes import Sight
from pqcomq.comparison.presentation.palette import INSIDE_COLOUR, OUTSIDE_COLOUR
from pqcomq.errors import InputError
from pqcomq.object_colours import rgb_of
from pqcomq.segmentation.box import Box3D
from pqcomq.segmentation.prompt import PromptPoint

BOX = Box3D(6, 5, 2, 16, 14, 8)
NONE, CTRL, ALT, SHIFT = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.AltModifier,
    Qt.KeyboardModifier.ShiftModifier,
)


@pytest.fixture
def click(shown_viewer, pixel, qtbot):
    """Clicks on a voxel (y, x) of the slice in sight."""

    def clicking(y, x, keys=NONE):
        canvas = shown_viewer.window._qt_viewer.canvas.native
        qtbot.wait(50)
        place = pixel(shown_viewer, (y, x), 0)
        QTest.mouseMove(canvas, place)
        QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, keys, place)
        qtbot.wait(50)

    return clicking


@pytest.fixture
def armed(panel, qtbot):
    """The panel, its point tool taken up."""
    qtbot.mouseClick(panel.points.button, Qt.MouseButton.LeftButton)
    assert panel.points.tool.is_armed
    return panel


def signs(objects):
    return [each.positive for each in objects.objects[0].points]


def test_clicks_set_points_inside_and_with_a_key_outside(armed, click, objects, shown_viewer):
    click(9, 12)
    click(20, 25, CTRL)
    click(12, 8, ALT)
    (made,) = objects.objects
    assert signs(objects) == [True, False, False]
    first = made.points[0]
    assert (first.x, first.y, first.z) == (pytest.approx(12, abs=0.5), pytest.approx(9, abs=0.5), 6)
    assert (made.box, made.span) == (None, (1, 11)), "five slices either way, as for a box"
    assert armed.points.tool.is_armed, "the next point follows"
    marks = shown_viewer.layers["Points"]
    assert [str(each) for each in marks.symbol] == ["disc"] * 3 + ["cross", "hbar", "hbar"]
    seen = [to_hex(each).upper() for each in marks.face_color[3:]]
    assert seen == [INSIDE_COLOUR, OUTSIDE_COLOUR, OUTSIDE_COLOUR]
    seen = shown_viewer.screenshot(canvas_only=True)[..., :3].astype(int)
    for colour in (INSIDE_COLOUR, OUTSIDE_COLOUR):
        assert (np.abs(seen - rgb_of(colour)).max(axis=-1) < 12).sum() > 10, "a sign in its colour"
    objects.undo()
    assert signs(objects) == [True, False]
    assert len(marks.data) == 4, "two signs, each on a disc"


def test_an_object_does_not_begin_with_a_point_outside_of_it(armed, click, objects):
    click(9, 12, CTRL)
    assert len(objects) == 0
    assert not objects.can_undo


def test_a_point_is_moved_by_a_drag_and_removed_by_a_click(armed, click, drag, objects, shown_viewer):
    click(9, 12)
    click(20, 25, CTRL)
    before = shown_viewer.scene.camera.center
    drag(shown_viewer, (20.0, 25.0), (16.0, 30.0))
    assert (objects.objects[0].points[1].x, objects.objects[0].points[1].y) == pytest.approx((30, 16), abs=0.6)
    assert shown_viewer.scene.camera.center == before, "the picture was dragged along"
    click(16, 30)
    assert signs(objects) == [True]
    click(9, 12)
    assert len(objects) == 0, "an object without a point inside is none"
    objects.undo()
    assert signs(objects) == [True]


def test_points_go_into_the_current_box_and_the_box_stays_where_it_is(panel, armed, click, drag, objects, shown_viewer):
    objects.add(BOX, "cube")
    objects.settle()
    drag(shown_viewer, (9.0, 10.0), (10.0, 13.0))  # inside the box: a point that is dragged while it is set
    assert objects.objects[0].box == BOX
    assert (objects.objects[0].points[0].x, objects.objects[0].points[0].y) == pytest.approx((13, 10), abs=0.6)
    shown_viewer.dims.set_current_step(0, 10)
    click(9, 12, CTRL)
    assert (objects.objects[0].box.z0, objects.objects[0].box.z1) == (2, 10), "the box grows to the point's slice"
    panel.last.setValue(7)
    assert panel.last.value() == 10, "and does not leave it"
    click(20, 30, SHIFT)
    assert [each.box is None for each in objects.objects] == [False, True]


def test_napari_s_own_tools_leave_the_points_alone(armed, click, objects, shown_viewer):
    objects.add(BOX, "cube")
    click(9, 12)
    click(20, 30, SHIFT)
    layer = next(each for each in shown_viewer.layers if isinstance(each, Shapes))
    layer.data = [layer.data[0] + [0, 1, 2]]
    assert [(each.name, len(each.points)) for each in objects.objects] == [("cube", 1), ("Object 2", 1)]
    assert objects.objects[0].box == Box3D(8, 6, 2, 18, 15, 8)


def test_a_model_of_boxes_greys_the_tool_out_and_says_why(armed, qtbot, objects):
    armed.offer_drawing(True, {"points": "LiteMedSAM takes no points."})
    assert not armed.points.tool.is_armed
    assert not armed.points.button.isEnabled()
    assert armed.points.button.toolTip() == "LiteMedSAM takes no points."
    armed.points.request()
    assert not armed.points.tool.is_armed
    armed.offer_drawing(True)
    armed.points.request()
    assert armed.points.tool.is_armed


def test_objects_of_points_are_taken_back_step_by_step():
    prompts = PromptList()
    index, place = prompts.add_point(PromptPoint(4, 5, 2), depth=12)
    prompts.settle()
    prompts.move_point(index, place, PromptPoint(6, 5, 2))
    prompts.settle()
    prompts.undo()
    assert prompts.objects[0].points == (PromptPoint(4, 5, 2),)
    assert prompts.objects[0].span == (0, 7)
    prompts.set_span(0, 3, 3)
    assert prompts.objects[0].span == (2, 3), "its point stays on one of its slices"
    prompts.undo()
    assert prompts.objects[0].span == (0, 7), "what is not settled first"
    prompts.undo()
    assert prompts.objects == ()
    with pytest.raises(InputError, match="first point of an object lies inside"):
        prompts.add_point(PromptPoint(4, 5, 2, positive=False), depth=12)


def test_a_comparison_draws_plus_and_minus_on_the_slice_in_sight(volume):
    points = (PromptPoint(10, 8, 6), PromptPoint(20, 9, 6, positive=False), PromptPoint(5, 5, 7))
    prompt = DrawnObject(1, "cube", None, points=points, span=(5, 8))
    lines = point_lines(prompt, Sight((0, 1, 2), 6, 4.0), volume)
    assert [len(each.ends) for each in lines] == [2, 2, 1, 1], "two arms and one, each on a rim"
    np.testing.assert_allclose(lines[1].ends.mean(axis=(0, 1)), [8, 10])
    assert len(point_lines(prompt, Sight((2, 0, 1), 20, 4.0), volume)) == 2, "in a sagittal plane, too"


def test_two_objects_of_one_name_keep_what_each_had_when_their_boxes_are_edited():
    inside = PromptPoint(8, 8, 3)
    twins = DrawnObject(4, "cyst", BOX, compared=False), DrawnObject(7, "cyst", BOX, points=(inside,))
    lone = DrawnObject(2, "cyst", None, points=(inside,), span=(3, 3))
    read = tuple(DrawnObject(number, "cyst", BOX) for number in (1, 2))
    assert as_before(read, (lone, *twins)) == (*twins, lone)


def test_nothing_is_done_to_a_point_that_was_taken_back_while_the_button_was_down():
    objects = PromptList()
    index, first = objects.add_point(PromptPoint(4, 5, 6), 12)
    objects.settle()
    _index, second = objects.add_point(PromptPoint(8, 9, 6), 12)
    objects.undo()
    before = objects.objects
    objects.move_point(index, second, PromptPoint(1, 2, 6))
    objects.remove_point(index, second)
    assert objects.objects == before
    objects.undo()
    objects.remove_point(index, first)
    assert not objects.objects
