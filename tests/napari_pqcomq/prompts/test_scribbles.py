"""Scribbles drawn and erased by real drags; and that only models that were trained for them offer the brush."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from napari_pqcomq.prompts.objects.drawn_object import DrawnObject
from napari_pqcomq.prompts.objects.prompt_list import PromptList
from napari_pqcomq.viewer.sides.side_layers import scribble_lines
from napari_pqcomq.viewer.sides.strokes import Sight
from pqcomq.models.catalogue.entries import PROMPT_KINDS, why_not
from pqcomq.segmentation.box import Box3D
from pqcomq.segmentation.prompt import PromptPoint
from pqcomq.segmentation.scribble import Scribble

KEY = "lite-medsam-scribble"
NONE, CTRL, SHIFT = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
)


def offered(key):
    return {kind: why_not(key, kind) for kind in PROMPT_KINDS}


@pytest.fixture
def armed(panel, qtbot):
    """The panel, its brush taken up."""
    panel.show()
    panel.offer_drawing(True, offered(KEY))
    qtbot.mouseClick(panel.brush.button, Qt.MouseButton.LeftButton)
    assert panel.brush.tool.is_armed
    return panel


@pytest.fixture
def stroke(shown_viewer, pixel, qtbot):
    """Drags from one voxel (y, x) of the slice in sight to another."""

    def stroking(start, end, keys=NONE):
        canvas = shown_viewer.window._qt_viewer.canvas.native
        qtbot.wait(50)
        first, last = (pixel(shown_viewer, each, 0) for each in (start, end))
        QTest.mouseMove(canvas, first)
        QTest.mousePress(canvas, Qt.MouseButton.LeftButton, keys, first)
        for share in (0.5, 1.0):
            QTest.mouseMove(canvas, first + (last - first) * share)
            qtbot.wait(30)
        QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, keys, last)
        qtbot.wait(50)

    return stroking


def test_a_drag_draws_and_with_a_key_erases(armed, stroke, objects, shown_viewer):
    before = shown_viewer.scene.camera.center
    stroke((9, 8), (9, 20))
    (made,) = objects.objects
    drawn = made.scribble.on_slice(6, (24, 32))
    assert made.scribble.slices == (6,)
    assert drawn[9, 8:21].all()
    assert drawn.sum() < 60, "a line, not an area"
    assert (made.box, made.points, made.span) == (None, (), (1, 11)), "five slices either way, as for a box"
    assert shown_viewer.scene.camera.center == before, "the picture was dragged along"
    assert len(shown_viewer.layers["Scribbles"].data) == drawn.sum()
    stroke((16, 8), (16, 20))
    assert objects.objects[0].scribble.on_slice(6, (24, 32))[16, 8:21].all()
    stroke((9, 7), (9, 21), CTRL)
    left = objects.objects[0].scribble.on_slice(6, (24, 32))
    assert not left[9, 8:21].any()
    assert left[16, 8:21].all()
    objects.undo()
    objects.undo()
    assert np.array_equal(objects.objects[0].scribble.on_slice(6, (24, 32)), drawn)
    stroke((9, 6), (9, 22), CTRL)
    assert len(objects) == 0, "with its last voxel the object goes"


def test_a_key_begins_a_further_object_and_other_slices_join(armed, stroke, objects, shown_viewer):
    stroke((9, 8), (9, 20))
    shown_viewer.dims.set_current_step(0, 8)
    stroke((9, 8), (9, 20))
    stroke((18, 8), (18, 20), SHIFT)
    first, second = objects.objects
    assert (first.scribble.slices, second.scribble.slices) == ((6, 8), (8,))
    armed.first.setValue(9)
    assert objects.objects[1].asked.first == 8, "an object reaches as far as it is drawn"


def test_only_what_the_model_was_trained_for_is_offered(panel, qtbot):
    panel.show()
    panel.offer_drawing(True, offered("lite-medsam"))
    assert not panel.brush.isVisible()
    assert panel.draw_button.isEnabled()
    panel.offer_drawing(True, offered(KEY))
    assert panel.brush.isVisible()
    assert not panel.draw_button.isEnabled()
    assert not panel.points.button.isEnabled()
    assert "takes no boxes; LiteMedSAM, " in panel.draw_button.toolTip()
    panel.brush.request()
    assert panel.brush.tool.is_armed
    panel.offer_drawing(True, offered("mobile-sam"))
    assert not panel.brush.tool.is_armed, "the brush is laid down with the model"


def test_of_two_tools_one_has_the_mouse(panel):
    panel.show()
    panel.offer_drawing(True)
    panel.points.tool.arm(True)
    panel.brush.tool.arm(True)
    assert not panel.points.tool.is_armed
    panel.draw()
    assert not panel.brush.tool.is_armed


def test_a_scribble_stands_alone_in_the_list():
    prompts, drawn = PromptList(), np.zeros((8, 9), bool)
    drawn[2, 3:6] = True
    prompts.add(Box3D(1, 1, 1, 6, 6, 3), "cube")
    prompts.draw(2, drawn, 12)
    prompts.draw(3, drawn, 12)
    prompts.add_point(PromptPoint(4, 5, 2), 12)
    kinds = [each.asked.kinds for each in prompts.objects]
    assert kinds == [("box",), ("scribble",), ("points",)]
    scribbled = prompts.objects[1]
    assert DrawnObject.of(2, "Object 2", scribbled.asked) == scribbled
    assert scribbled.extent == Box3D(0, 0, 0, 10, 7, 7)
    assert scribbled.with_span(2, 3).asked.slices == range(2, 4)


def test_a_scribble_is_seen_on_every_plane(volume):
    each = DrawnObject(1, "a", None, scribble=Scribble.of_runs([(2, 4, 3, 5), (3, 4, 9, 9)]))
    for order, position, ends in (
        ((0, 1, 2), 2, [[[4, 2.5], [4, 5.5]]]),
        ((1, 0, 2), 4, [[[2, 2.5], [2, 5.5]], [[3, 8.5], [3, 9.5]]]),
        ((2, 0, 1), 4, [[[2, 3.5], [2, 4.5]]]),
    ):
        (lines,) = scribble_lines(each, Sight(order, position, 2.0), volume)
        assert lines.ends.tolist() == ends
        assert scribble_lines(each, Sight(order, 11, 2.0), volume) == []
