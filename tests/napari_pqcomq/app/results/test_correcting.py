"""Brush and eraser with a real mouse on one side of a comparison: painted, undone, counted, kept and written."""

from __future__ import annotations

import csv
import json
import warnings
from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk
from napari.layers import Layer
from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_pqcomq.app.compare_widget import CompareWidget
from napari_pqcomq.app.dock import CompareDock
from napari_pqcomq.layers.mask_layers import layer_masks
from napari_pqcomq.layers.volume_layers import image_tuple, transform, voxel_at
from napari_pqcomq.prompts.objects.drawn_object import DrawnObject
from napari_pqcomq.viewer.comparison.correction_tool import Painted
from napari_pqcomq.viewer.modes.mode_registry import DIFFERENCE, SIDE_BY_SIDE, SWIPE
from napari_pqcomq.widgets.napari_window.gl_context import canvas_of
from pqcomq.comparison.presentation.comparison_text import short_names
from pqcomq.masks.file_formats import sidecar

PATIENCE_MS = 300_000


@pytest.fixture
def dock(shown_viewer, volume, loaded_once, result, qtbot):
    dock = CompareWidget(shown_viewer)
    shown_viewer.window.add_dock_widget(dock)
    shown_viewer.add_layer(Layer.create(*image_tuple(volume)))
    dock.panels.objects.load(tuple(DrawnObject(each.number, each.name, each.box) for each in result.objects))
    dock.workflow.show_result(result)
    qtbot.waitUntil(lambda: dock.panels.store.result is result and dock.panels.view.is_open, timeout=PATIENCE_MS)
    dock.panels.view.go_to(6)
    dock.panels.view.look_at(None)
    qtbot.wait(100)
    yield dock
    dock.release()


def test_the_brush_adds_on_its_side_alone_and_ctrl_z_takes_it_back(dock, shown_viewer, qtbot, drag):
    panel, view = dock.panels.corrections, dock.panels.view
    before = view.masks(6)
    boxes = dock.panels.objects.objects
    qtbot.mouseClick(panel.tools["brush"], Qt.MouseButton.LeftButton)
    assert panel.tools["brush"].isChecked()
    drag(shown_viewer, (12.0, 7.0), (12.0, 14.0), cell=1)  # inside the box: it must not move
    full, quantized = view.masks(6)
    assert np.array_equal(full, before[0]), "the other side is as it was"
    assert (quantized == 1).sum() > (before[1] == 1).sum()
    assert quantized[12, 7] == quantized[12, 14] == 1
    assert dock.panels.objects.objects == boxes
    rows = panel.rows()
    assert [row["model"] for row in rows] == [dock.on_screen.result.models[1].segmenter.precision]
    assert rows[0]["voxels_added"] == (quantized == 1).sum() - (before[1] == 1).sum()
    assert rows[0]["seconds"] > 0
    assert panel.table.item(0, 0).text() == "cube"
    titles = [each.segmenter.precision for each in dock.on_screen.result.models]
    shown = panel.table.item(0, 1)
    assert shown.text() == short_names(titles)[titles[1]], "the last columns are to be in sight"
    assert shown.toolTip() == titles[1]
    offered = dock.panels.export.models
    assert [offered.itemText(index) for index in (0, 1)] == [titles[0], f"{titles[1]} · corrected"]
    dock.correcting.undo_stroke_or_box()
    assert np.array_equal(view.masks(6)[1], before[1])
    assert panel.rows()[0]["voxels_changed"] == 0
    assert offered.itemText(1) == titles[1]
    assert not panel.undo_button.isEnabled()


def test_the_eraser_takes_away_of_the_current_object_alone(dock, shown_viewer, qtbot, drag):
    view = dock.panels.view
    other = view.masks(6)[0]
    other[8, 8] = 2
    view.set_mask_of(0, 6, other)
    dock.correcting.take("eraser")
    drag(shown_viewer, (8.0, 7.0), (8.0, 12.0), cell=0)
    full = view.masks(6)[0]
    assert full[8, 10] == 0
    assert full[8, 8] == 2
    assert dock.panels.corrections.rows()[0]["voxels_removed"] > 0
    dock.correcting.take("eraser")  # the same again lays it down
    boxes = dock.panels.objects.objects
    drag(shown_viewer, (9.5, 10.5), (12.5, 14.5), cell=0)
    assert dock.panels.objects.objects != boxes, "the mouse moves boxes again"
    assert dock.panels.corrections.rows() == [], "and with its box an object's corrections are gone"


def test_a_stroke_goes_on_with_the_tool_that_it_began_with(dock, shown_viewer, qtbot, drag, pixel):
    view, canvas = dock.panels.view, canvas_of(shown_viewer.window._qt_window)
    before = view.masks(6)[0]
    dock.correcting.take("eraser")
    start, end = (pixel(shown_viewer, (8.0, x), 0) for x in (7.0, 14.0))
    QTest.mouseMove(canvas, start)
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, start)
    qtbot.wait(20)
    dock.correcting.take("eraser")  # its key again, before the button is let go
    for step in range(1, 7):
        QTest.mouseMove(canvas, start + (end - start) * step / 6)
        qtbot.wait(20)
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, end)
    qtbot.wait(20)
    after = view.masks(6)[0]
    assert not (after & ~before).any() and after[8, 12] == 0, "an eraser paints nothing"


@pytest.mark.parametrize("what", ["turn", "close"])
def test_a_stroke_ends_with_its_slice_and_with_its_comparison(dock, shown_viewer, qtbot, pixel, what):
    view, canvas = dock.panels.view, canvas_of(shown_viewer.window._qt_window)
    other = view.masks(5)[1].copy()
    dock.correcting.take("brush")
    start, end = (pixel(shown_viewer, (12.0, x), 1) for x in (7.0, 14.0))
    QTest.mouseMove(canvas, start)
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, start)
    qtbot.wait(20)
    if what == "turn":
        view.go_to(5)
    else:
        view.close()
    for step in range(1, 7):
        QTest.mouseMove(canvas, start + (end - start) * step / 6)
        qtbot.wait(20)
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, end)
    qtbot.wait(20)
    if what == "turn":
        assert np.array_equal(view.masks(5)[1], other)
        assert view.masks(6)[1][12, 7] == 1, "what was painted before stays"
        assert view.masks(6)[1][12, 14] == 0, "and nothing is painted on a slice that is out of sight"
        assert dock.panels.corrections.rows()[0]["voxels_added"] > 0
    else:
        assert not view.is_open


def test_corrected_masks_are_kept_and_written_and_their_records_say_so(dock, shown_viewer, qtbot, drag, tmp_path):
    dock.correcting.take("brush")
    drag(shown_viewer, (12.0, 7.0), (12.0, 14.0), cell=1)
    corrected = dock.panels.view.all_masks()[1] == 1
    dock.on_screen.keep_masks()
    qtbot.waitUntil(lambda: not dock.on_screen.keeping.is_running)
    layer = shown_viewer.layers[f"Masks of {dock.on_screen.result.models[1].segmenter.precision}"]
    named, _volume = layer_masks(layer.data, layer.metadata, layer.name)
    assert np.array_equal(named[1].mask, corrected)
    assert named[1].origin.is_edited(named[1].mask), "the model drew another"
    export = dock.panels.export
    export.models.setCurrentIndex(1)
    export.form.export(tmp_path / "cube.nii.gz")
    qtbot.waitUntil(lambda: sidecar(tmp_path / "cube.nii.gz").exists() and export.form.button.isEnabled())
    written = sitk.GetArrayFromImage(sitk.DICOMOrient(sitk.ReadImage(str(tmp_path / "cube.nii.gz")), "LPS"))
    assert np.array_equal(written > 0, corrected)
    record = json.loads(sidecar(tmp_path / "cube.nii.gz").read_text())
    assert '"edited_since": true' in json.dumps(record)
    dock.panels.corrections.export(tmp_path / "corrections.csv")
    with (tmp_path / "corrections.csv").open(encoding="utf-8", newline="") as stream:
        (row,) = csv.DictReader(stream)
    assert row["object"] == "cube"
    assert int(row["voxels_changed"]) == int(row["voxels_added"]) > 0


def test_a_tool_is_for_sides_in_pictures_of_their_own_and_for_results_alone(dock, shown_viewer, qtbot):
    dock.panels.view.show(DIFFERENCE)
    dock.correcting.take("brush")
    assert dock.panels.view.name == SIDE_BY_SIDE
    dock.panels.view.close()
    assert dock.correcting.tool.tool is None
    assert not dock.panels.corrections.tools["brush"].isChecked()
    dock.correcting.take("brush")
    assert dock.correcting.tool.tool is None


@pytest.mark.parametrize("tool", ["box", "points"])
def test_of_the_tools_of_masks_and_of_prompts_one_is_in_the_hand(dock, shown_viewer, qtbot, drag, tool):
    dock.panels.live.pause(True)
    prompts, masks = dock.panels.prompts, dock.panels.view.masks(6)
    dock.correcting.take("brush")
    prompts.request_drawing() if tool == "box" else prompts.points.tool.arm(True)
    assert dock.correcting.tool.tool is None
    assert shown_viewer.cursor.style == "cross"
    drag(shown_viewer, (18.0, 20.0), (24.0, 32.0), cell=1)
    found = dock.panels.objects.objects
    assert len(found) == 2 if tool == "box" else len(found[0].points) == 1
    for before, after in zip(masks, dock.panels.view.masks(6), strict=True):
        assert not (after & ~before).any(), "nothing is painted"
    dock.correcting.take("brush")
    assert not prompts.draw_button.isChecked() and not prompts.hand.is_armed


def test_a_tool_is_laid_down_where_there_is_nothing_to_paint_on(dock):
    dock.correcting.take("brush")
    dock.panels.view.show(SWIPE)
    assert dock.correcting.tool.tool is None


def paint(dock, *, side=1, rows=slice(0, 3)):
    """A stroke as the brush makes it."""
    view = dock.panels.view
    before = view.masks(6)[side]
    after = before.copy()
    after[rows, :5] = 1
    view.set_mask_of(side, 6, after)
    dock.correcting.tool.painted.emit(Painted(side, 1, 6, before, after, 0.0, 1.0))
    return after


def test_corrections_come_back_with_their_comparison(dock, qtbot):
    painted = paint(dock)
    dock.panels.view.close()
    dock.on_screen.result = None  # as where masks follow a box
    dock.panels.live.outdated.emit(1)
    assert dock.panels.store.corrections, "another box says nothing of a comparison that is not in sight"
    dock.kept_results.bring_back()
    qtbot.waitUntil(lambda: dock.panels.view.is_open and bool(dock.panels.store.corrections), timeout=PATIENCE_MS)
    assert np.array_equal(dock.panels.view.masks(6)[1], painted)
    assert dock.panels.corrections.rows()[0]["voxels_added"] > 0
    dock.correcting.undo()
    assert not np.array_equal(dock.panels.view.masks(6)[1], painted)
    dock.panels.view.close()
    assert dock.kept_results.offered is not None
    dock.workflow.show_result(dock.panels.store.result)
    assert dock.panels.view.is_opening
    assert dock.kept_results.offered is None, "it is on its way"


def test_after_a_blinded_reading_corrected_masks_are_seen_again(dock, qtbot, tmp_path):
    painted = paint(dock)
    dock.panels.reader_study.begin(tmp_path / "log.csv")
    assert dock.on_screen.is_reading
    dock.panels.reader_study.stop()
    qtbot.waitUntil(lambda: dock.panels.view.is_open and not dock.on_screen.is_reading, timeout=PATIENCE_MS)
    assert np.array_equal(dock.panels.view.masks(6)[1], painted)


def test_undo_and_redo_go_through_strokes_and_boxes_in_their_order(dock):
    objects, corrections = dock.panels.objects, dock.panels.store.corrections
    box = objects.objects[0].box
    objects.add(box, "second")
    objects.settle()
    objects.choose(0)
    painted = paint(dock)
    dock.correcting.undo_stroke_or_box()  # no tool is in the hand, but the stroke came last
    assert len(objects) == 2 and not corrections.can_undo
    dock.correcting.redo_stroke_or_box()
    assert np.array_equal(dock.panels.view.masks(6)[1], painted)
    dock.correcting.undo_stroke_or_box()
    dock.correcting.undo_stroke_or_box()
    assert len(objects) == 1, "what came before the stroke"
    dock.correcting.redo_stroke_or_box()
    assert len(objects) == 2


def test_with_a_tool_in_the_hand_redo_never_moves_a_box(dock):
    objects = dock.panels.objects
    objects.add(objects.objects[0].box, "second")
    objects.settle()
    objects.undo()
    dock.correcting.take("brush")
    dock.correcting.redo_stroke_or_box()
    assert len(objects) == 1


def test_what_was_painted_is_kept_when_its_box_is_moved_by_a_slip(dock, shown_viewer, qtbot):
    painted = paint(dock)
    name = f"Masks of {dock.on_screen.result.models[1].segmenter.precision}, corrected"
    box = dock.panels.objects.objects[0].box
    dock.panels.objects.set_box(0, replace(box, x0=box.x0 + 1))
    assert dock.panels.corrections.rows() == []
    qtbot.waitUntil(lambda: name in [layer.name for layer in shown_viewer.layers], timeout=PATIENCE_MS)
    assert np.array_equal(shown_viewer.layers[name].data[6], painted)


def test_a_dock_that_is_closed_at_once_loses_neither_what_was_painted_nor_kept_masks(dock, shown_viewer, monkeypatch):
    monkeypatch.setattr("napari_pqcomq.jobs.running.errands.one_off", lambda *_work, **_how: NeverDone())
    painted, name = paint(dock), f"Masks of {dock.on_screen.result.models[1].segmenter.precision}"
    dock.on_screen.keep_masks()
    box = dock.panels.objects.objects[0].box
    dock.panels.objects.set_box(0, replace(box, x0=box.x0 + 1))
    dock.release()
    for each in (name, f"{name}, corrected"):
        assert np.array_equal(shown_viewer.layers[each].data[6], painted)


class NeverDone:
    """A worker whose thread has not come to it yet."""

    def __init__(self):
        self.returned = self

    def connect(self, take):
        """Nothing ever comes."""

    def start(self):
        """It waits for a free thread."""


class Staying(QObject):
    """Keeps a window from closing, as the user's answer to napari's question does: the fixture closes it itself."""

    def eventFilter(self, _watched, event):  # noqa: N802
        """Swallow what closes; who listens to the window since then has heard of it before."""
        if event.type() != QEvent.Type.Close:
            return False
        event.ignore()  # or Qt would delete it all the same
        return True


def test_a_window_that_is_closed_at_once_loses_neither_what_was_painted_nor_kept_masks(
    shown_viewer, volume, loaded_once, result, qtbot, monkeypatch
):
    window, staying = shown_viewer.window._qt_window, Staying()
    window.installEventFilter(staying)
    whole = CompareDock(shown_viewer)
    shown_viewer.window.add_dock_widget(whole)
    shown_viewer.add_layer(Layer.create(*image_tuple(volume)))
    qtbot.waitUntil(lambda: whole.parts is not None)
    dock = whole.parts
    dock.panels.objects.load(tuple(DrawnObject(each.number, each.name, each.box) for each in result.objects))
    dock.workflow.show_result(result)
    qtbot.waitUntil(lambda: dock.panels.store.result is result and dock.panels.view.is_open)
    monkeypatch.setattr("napari_pqcomq.jobs.running.errands.one_off", lambda *_work, **_how: NeverDone())
    painted, name = paint(dock), f"Masks of {result.models[1].segmenter.precision}"
    dock.on_screen.keep_masks()
    box = dock.panels.objects.objects[0].box
    dock.panels.objects.set_box(0, replace(box, x0=box.x0 + 1))
    window.close()  # as its button does
    window.removeEventFilter(staying)
    for each in (name, f"{name}, corrected"):
        assert np.array_equal(shown_viewer.layers[each].data[6], painted)


def test_a_finer_layer_of_the_users_moves_no_mask_to_another_slice(dock, shown_viewer, volume, qtbot, drag):
    """With it the viewer's steps are no slices of the volume."""
    panels, dims = dock.panels, shown_viewer.dims
    place = transform(volume)
    finer = [place["scale"][0] / 3, *place["scale"][1:]]
    begin = [place["translate"][0] - 2 * place["scale"][0], *place["translate"][1:]]
    shown_viewer.add_image(
        np.zeros((48, 30, 40), np.uint8), **place | {"scale": finer, "translate": begin}, opacity=0.1
    )
    qtbot.wait(200)

    def here():
        return voxel_at(volume, dims.point)[0]

    panels.view.go_to(6)
    qtbot.wait(100)
    assert here() == 6 != dims.current_step[0]
    before = panels.view.all_masks()[1]
    dock.correcting.take("brush")
    drag(shown_viewer, (12.0, 7.0), (12.0, 14.0), cell=1)
    changed = np.argwhere(panels.view.all_masks()[1] != before)
    assert set(changed[:, 0]) == {6}
    dock.correcting.take("brush")
    strip = panels.slice_strip
    for z in (4, 7):
        qtbot.mouseClick(strip, Qt.MouseButton.LeftButton, pos=strip.column(z).center().toPoint())
        assert here() == z
    qtbot.keyClick(strip, Qt.Key.Key_Left)
    assert here() == 6
    handle = next(each for each in strip._sliders() if each.axis == 0).slider
    at = handle.mapTo(strip.window(), handle.rect().topLeft()).x() + 10
    low, high, step = dims.range[0]
    expected = at + (dims.point[0] - low + step / 2) / (high - low + step) * (handle.width() - 20)
    assert abs(strip.mapTo(strip.window(), strip.column(6).center().toPoint()).x() - expected) < 8, "beside the handle"
    lines = []
    panels.live.lines_changed.connect(lambda each: lines.append(" ".join(each[0])))
    drag(shown_viewer, (9.5, 10.5), (12.5, 14.5), cell=0)
    qtbot.waitUntil(lambda: any("slice 6" in each for each in lines))


def test_a_box_goes_with_the_mouse_from_the_first_move_that_ends_its_comparison(dock, shown_viewer, qtbot, drag):
    strip, canvas = dock.panels.slice_strip, canvas_of(dock)
    assert strip.isVisible()
    size, before = canvas.size(), dock.panels.objects.objects[0].box
    drag(shown_viewer, (9.5, 10.5), (12.5, 14.5), cell=0)
    box = dock.panels.objects.objects[0].box
    assert (box.y0 - before.y0, box.x0 - before.x0) == pytest.approx((3, 4), abs=0.5)
    assert canvas.size() == size, "the picture has not moved under the mouse"
    assert "Compare" in strip.text_at(6)


def activate(dock):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        QApplication.setActiveWindow(dock.window())  # there is no window manager to do it under a virtual screen


def test_shift_and_the_arrows_move_the_box_and_ctrl_z_takes_each_step_back(dock, qtbot):
    objects, canvas = dock.panels.objects, canvas_of(dock)
    activate(dock)
    shift, before = Qt.KeyboardModifier.ShiftModifier, objects.objects[0].box

    def away():
        box = objects.objects[0].box
        assert (box.x1 - box.x0, box.y1 - box.y0, box.z0, box.z1) == (*size, before.z0, before.z1)
        return round(box.x0 - before.x0, 6), round(box.y0 - before.y0, 6)

    size = before.x1 - before.x0, before.y1 - before.y0
    steps = {Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Down: (1, 1), Qt.Key.Key_Left: (0, 1), Qt.Key.Key_Up: (0, 0)}
    for key, expected in steps.items():
        qtbot.keyClick(canvas, key, shift)
        assert away() == expected
    qtbot.keyClick(canvas, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert away() == (0, 1)
    for _ in range(60):
        qtbot.keyClick(canvas, Qt.Key.Key_Up, shift)
    assert objects.objects[0].box.y0 == 0, "it stays in the volume"


def test_ctrl_z_takes_back_what_was_painted_on_labels_once_the_brush_is_laid_down(dock, shown_viewer, qtbot, drag):
    dock.panels.view.close()
    objects = dock.panels.objects
    objects.add(objects.objects[0].box, "second")
    objects.settle()
    layer = shown_viewer.add_labels(np.zeros((12, 30, 40), np.uint8), **transform(dock.panels.volume.volume))
    shown_viewer.layers.selection.active = layer
    layer.mode = "paint"
    drag(shown_viewer, (12.0, 7.0), (12.0, 14.0))
    painted = layer.data.copy()
    assert painted.any()
    layer.mode = "pan_zoom"
    activate(dock)
    control = Qt.KeyboardModifier.ControlModifier
    both = control | Qt.KeyboardModifier.ShiftModifier

    def press(modifiers):
        qtbot.keyClick(canvas_of(dock), Qt.Key.Key_Z, modifiers)

    press(control)
    assert not layer.data.any() and len(objects) == 2
    press(both)
    assert np.array_equal(layer.data, painted)
    press(control)
    press(control)
    assert len(objects) == 1, "what came before the stroke"
    objects.redo()
    objects.settle()
    press(control)
    assert len(objects) == 1 and not layer.data.any(), "the boxes were changed last"


def test_nothing_moves_a_box_that_a_blinded_reader_does_not_see(dock, shown_viewer, qtbot, drag, tmp_path):
    objects = dock.panels.objects
    objects.set_box(0, replace(objects.objects[0].box, x0=4))
    objects.settle()
    objects.undo()
    before = objects.objects
    dock.panels.reader_study.begin(tmp_path / "log.csv")
    activate(dock)
    drag(shown_viewer, (9.5, 10.5), (12.5, 14.5), cell=0)
    shift, none = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.NoModifier
    again = shift | Qt.KeyboardModifier.ControlModifier
    keys = (Qt.Key.Key_Right, shift), (Qt.Key.Key_BracketLeft, none), (Qt.Key.Key_Z, again), (Qt.Key.Key_B, none)
    for key, modifiers in keys:
        qtbot.keyClick(canvas_of(dock), key, modifiers)
    drag(shown_viewer, (3.0, 3.0), (9.0, 9.0), cell=0)
    assert objects.objects == before
    dock.panels.reader_study.stop()
    qtbot.waitUntil(lambda: dock.panels.view.is_open and not dock.on_screen.is_reading, timeout=PATIENCE_MS)
    qtbot.keyClick(canvas_of(dock), Qt.Key.Key_Right, shift)
    assert objects.objects != before


def test_another_tab_lays_the_tool_down(dock, shown_viewer, qtbot, drag):
    dock.correcting.take("eraser")
    assert dock.panels.results.shows(dock.panels.corrections)
    dock.panels.results.open_panel(dock.panels.metrics)
    assert dock.correcting.tool.tool is None, "nothing in sight would tell that a drag erases"
    before = dock.panels.view.masks(6)
    drag(shown_viewer, (7.0, 7.0), (7.0, 14.0), cell=1)
    assert np.array_equal(dock.panels.view.masks(6)[1], before[1])
