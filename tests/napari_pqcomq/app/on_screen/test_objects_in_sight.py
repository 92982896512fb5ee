"""Which object is seen and counted, and which volume is compared: with real clicks on an open comparison."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from napari.layers import Layer
from qtpy.QtCore import QPoint, Qt
from qtpy.QtWidgets import QStyle, QStyleOptionViewItem

from napari_pqcomq.app.compare_widget import CompareWidget
from napari_pqcomq.layers.volume_layers import image_tuple, labels_tuple
from napari_pqcomq.prompts.objects.drawn_object import DrawnObject
from napari_pqcomq.viewer.modes.mode_registry import DIFFERENCE, SWIPE
from napari_pqcomq.viewer.sides.side_layers import ALL_COLOURS, FIRST_PART, LINE_COLOURS
from pqcomq.backends.runtime import Runtime
from pqcomq.comparison.compared_model import ComparedModel
from pqcomq.comparison.comparison_result import ComparisonResult, ObjectComparison
from pqcomq.comparison.presentation.palette import TRUTH_COLOUR
from pqcomq.segmentation.box import Box3D

PATIENCE_MS = 300_000


@pytest.fixture
def two(volume, masks, comparison_of, lite_medsam, eight_bits):
    """A comparison of two objects: the cube, which 8 bits cut in half, and a bar, which 8 bits find whole."""
    bar = np.zeros_like(masks[0])
    bar[4:8, 20:24, 20:30] = True
    comparisons = [comparison_of(volume, *pair, precision=eight_bits.settings.title) for pair in (masks, (bar, bar))]
    found = [
        ObjectComparison(name, (each,), number=number)
        for number, (name, each) in enumerate(zip(("cube", "bar"), comparisons, strict=True), start=1)
    ]
    return ComparisonResult(
        volume, tuple(found), ComparedModel.full(lite_medsam), (ComparedModel.quantized(eight_bits),)
    )


@pytest.fixture
def dock(shown_viewer, volume, loaded_once, two, qtbot):
    dock = CompareWidget(shown_viewer)
    shown_viewer.window.add_dock_widget(dock)
    dock.panels.model.choose_runtime(Runtime.torch)
    shown_viewer.add_layer(Layer.create(*image_tuple(volume)))
    dock.panels.objects.load(tuple(DrawnObject(each.number, each.name, each.box) for each in two.objects))
    dock.workflow.show_result(two)
    qtbot.waitUntil(lambda: dock.panels.store.result is two and dock.panels.view.is_open, timeout=PATIENCE_MS)
    dock.panels.live.pause(True)  # masks are the result's, not the models'
    yield dock
    dock.release()


def click_tick(qtbot, objects, row):
    """Click the tick box of a row of the list."""
    option = QStyleOptionViewItem()
    option.initFrom(objects)
    option.rect = objects.visualItemRect(objects.item(row))
    option.features = QStyleOptionViewItem.ViewItemFeature.HasCheckIndicator
    box = objects.style().subElementRect(QStyle.SubElement.SE_ItemViewItemCheckIndicator, option, objects)
    qtbot.mouseClick(objects.viewport(), Qt.MouseButton.LeftButton, pos=box.center())


def lines_in(layer):
    """Numbers of the objects whose outlines are drawn."""
    kinds = layer.vertex_values[(layer.vertex_values > 0) & (layer.vertex_values < len(ALL_COLOURS))]
    return set(np.unique(kinds).astype(int) + 1)


def rows_of_difference(layer):
    """Slice rows on which areas of the view Difference are drawn."""
    return set(np.round(layer.vertices[layer.vertex_values > FIRST_PART, 1] + 0.01).astype(int).tolist())


def test_an_unticked_object_hides_its_masks_on_every_side_and_in_every_view(dock, shown_viewer, qtbot):
    shown_viewer.dims.set_current_step(0, 6)
    dock.panels.view.hide("boxes", True)
    assert lines_in(shown_viewer.layers["1: lines"]) == {1, 2}
    click_tick(qtbot, dock.panels.prompts.objects, 1)
    assert [each.compared for each in dock.panels.objects.objects] == [True, False]
    for side in (1, 2):
        assert 2 not in lines_in(shown_viewer.layers[f"{side}: lines"])
    assert not (dock.panels.view.all_masks()[0] == 2).any(), "what is hidden is not kept as a layer either"
    dock.panels.view.show(DIFFERENCE)
    lines = shown_viewer.layers["1: lines"]
    assert not rows_of_difference(lines) & {20, 21, 22, 23}
    click_tick(qtbot, dock.panels.prompts.objects, 1)
    assert rows_of_difference(lines) >= {20, 21, 22, 23}, "ticked again, they are back"


def test_an_unticked_object_is_seen_again_when_its_box_is_moved(dock, shown_viewer, qtbot, drag):
    click_tick(qtbot, dock.panels.prompts.objects, 1)
    assert dock.panels.live.hidden == {2}
    box = dock.panels.objects.objects[1].box
    dock.panels.view.go_to(6)
    dock.panels.view.look_at(None)
    drag(shown_viewer, ((box.y0 + box.y1) / 2, (box.x0 + box.x1) / 2), (16.0, 24.0))
    assert dock.panels.objects.objects[1].box != box
    assert dock.panels.live.hidden == frozenset()


def test_the_curtain_is_dragged_over_a_box_and_the_box_stays(dock, shown_viewer, qtbot, drag):
    view, objects = dock.panels.view, dock.panels.objects
    view.go_to(6)
    view.look_at(None)
    view.show(SWIPE)
    view.move_curtain(-11)  # into the cube's box
    before = objects.objects
    assert before[0].box.x0 < 10.7 < before[0].box.x1

    def curtain():
        drawn = shown_viewer.layers["1: lines"].vertices
        return drawn[drawn[:, 1] > 29][:, 2].mean()

    drag(shown_viewer, (9.0, 10.7), (9.0, 15.7))
    assert curtain() == pytest.approx(15.7, abs=0.6)
    assert objects.objects == before
    drag(shown_viewer, (9.0, 9.0), (11.0, 11.0))
    assert objects.objects != before, "beside the curtain a drag moves the box as ever"
    dock.panels.prompts.draw()
    drag(shown_viewer, (20.0, 15.7), (25.0, 30.0))
    assert len(objects) == 3, "a tool in the hand draws"
    assert curtain() == pytest.approx(15.7, abs=0.6)


def test_the_millilitres_of_a_difference_are_those_of_the_object_named(dock, shown_viewer, qtbot):
    dock.panels.view.show(DIFFERENCE)

    def plates():
        return [each.title for each in dock.panels.view.strips.plates]

    objects = dock.panels.prompts.objects
    qtbot.mouseClick(objects.viewport(), Qt.MouseButton.LeftButton, pos=_name(objects, 1))
    assert plates()[0].endswith("0.0 mL of bar")
    assert plates()[1] == "Both: 1.9 mL of bar"  # 4 × 4 × 10 voxels of 0.012 mL
    qtbot.mouseClick(objects.viewport(), Qt.MouseButton.LeftButton, pos=_name(objects, 0))
    assert plates()[0].endswith("2.9 mL of cube")  # rows 10 to 13 of 6 slices, 10 columns
    assert "cube" in str(dock.panels.view.strips.plates[2].lines)


def _name(objects, row):
    rect = objects.visualItemRect(objects.item(row))
    return rect.center() - QPoint(rect.width() // 6, 0)


def test_a_second_volume_is_asked_about_and_never_stretches_the_slider(dock, shown_viewer, qtbot, volume):
    slices, place = shown_viewer.dims.nsteps[0], shown_viewer.dims.current_step
    long = replace(volume, voxels=np.repeat(volume.voxels, 3, axis=0), name="long", grid=_three_times(volume.grid))
    shown_viewer.add_layer(Layer.create(*image_tuple(long)))
    question = dock.panels.question
    qtbot.waitUntil(lambda: not question.isHidden())
    assert "long" in question.text.text()
    assert "block" in question.text.text()
    assert shown_viewer.dims.nsteps[0] == slices
    assert shown_viewer.dims.current_step == place, "and never goes elsewhere"
    qtbot.mouseClick(question.buttons[1], Qt.MouseButton.LeftButton)  # keep the present one
    assert dock.panels.view.is_open
    assert question.isHidden()
    qtbot.mouseClick(dock.panels.actions.close_button, Qt.MouseButton.LeftButton)
    assert "long" in [layer.name for layer in shown_viewer.layers], "it is there once the comparison is closed"
    assert dock.panels.volume.volume is volume
    assert not shown_viewer.layers["long"].visible, "nor does it lie over the present one"


def test_a_second_volume_is_compared_where_that_is_answered(dock, shown_viewer, qtbot, volume):
    long = replace(volume, voxels=np.repeat(volume.voxels, 3, axis=0), name="long", grid=_three_times(volume.grid))
    shown_viewer.add_layer(Layer.create(*image_tuple(long)))
    question = dock.panels.question
    qtbot.waitUntil(lambda: not question.isHidden())
    qtbot.mouseClick(question.buttons[0], Qt.MouseButton.LeftButton)
    assert not dock.panels.view.is_open
    assert dock.panels.volume.volume is long
    assert dock.panels.results.isHidden(), "figures of the other volume would be taken for its own"
    dock.panels.volume.layers.choose(shown_viewer.layers["block"])
    assert not dock.panels.actions.kept_button.isHidden(), "those of the first are offered again"


def test_the_truth_of_the_current_object_is_drawn_while_masks_are_live(dock, shown_viewer, qtbot, volume, eight_bits):
    labels = np.where(volume.voxels == 200, 3, 0).astype(np.uint8)
    labels[4:8, 20:24, 20:30] = 5
    shown_viewer.add_layer(Layer.create(*labels_tuple(volume, labels, "truth")))
    dock.panels.view.close()
    dock.panels.live.pause(False)
    dock.panels.truth.layers.choose(shown_viewer.layers["truth"])
    dock.workflow.weights.take({dock.panels.model.choice: eight_bits})
    qtbot.mouseClick(dock.panels.actions.live_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: dock.panels.view.is_open, timeout=PATIENCE_MS)
    dock.panels.view.go_to(6)
    lines = shown_viewer.layers["1: lines"]

    def right_end():
        """Of the outline of the truth, the last column."""
        return lines.vertices[lines.vertex_values.astype(int) == LINE_COLOURS.index(TRUTH_COLOUR), 2].max()

    dock.panels.objects.choose(0)
    dock.panels.objects.set_box(0, Box3D(5, 5, 3, 17, 15, 8))
    dock.panels.objects.settle()
    assert right_end() == pytest.approx(15.5, abs=0.5), "the cube"
    dock.panels.objects.choose(1)
    dock.panels.objects.set_box(1, Box3D(19, 19, 4, 31, 25, 7))
    dock.panels.objects.settle()
    assert right_end() == pytest.approx(29.5, abs=0.5), "the bar"
    wanted = "bar: Dice vs full precision"
    qtbot.waitUntil(lambda: wanted in str(dock.panels.view.strips.plates[1].lines), timeout=PATIENCE_MS)


def _three_times(grid):
    """As many slices again on either side."""
    below = grid.origin[2] - grid.spacing[2] * grid.size[2]
    return replace(grid, size=(*grid.size[:2], grid.size[2] * 3), origin=(*grid.origin[:2], below))
