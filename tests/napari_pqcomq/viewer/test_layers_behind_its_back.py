"""What the user does with napari's own list of layers while a comparison is open."""

from __future__ import annotations

import numpy as np
import pytest
from napari.layers import Layer
from napari.layers._layer_actions import _duplicate_layer
from qtpy.QtWidgets import QApplication

from napari_pqcomq.layers.comparison_tag import is_of_comparison
from napari_pqcomq.layers.volume_layers import image_tuple, transform
from napari_pqcomq.viewer.comparison.comparison_view import ComparisonView
from napari_pqcomq.viewer.comparison.correction_tool import CorrectionTool
from napari_pqcomq.viewer.scene import Pane, Scene
from napari_pqcomq.viewer.sides.side_layers import LEFT_COLOUR
from pqcomq.segmentation.box import Box3D

BOX = Box3D(5, 5, 3, 17, 15, 8)


@pytest.fixture
def content(volume, masks):
    """What a comparison of two sides is opened with."""
    panes = [Pane(name, (), mask, LEFT_COLOUR) for name, mask in zip(("FP32", "4-bit"), masks, strict=True)]
    return panes, Scene.of_box(volume, (-160.0, 240.0), BOX)


@pytest.fixture
def view(viewer, volume, content):
    """An open comparison beside the volume and labels of the user's, which are seen on all sides."""
    viewer.add_layer(Layer.create(*image_tuple(volume)))
    view = ComparisonView(viewer)
    view.open(*content)
    viewer.add_labels(np.ones(volume.voxels.shape, np.uint8), name="mine", **transform(volume))
    yield view
    view.close()


def names(viewer):
    return [layer.name for layer in viewer.layers]


def test_all_layers_are_deleted_at_once(view, viewer):
    viewer.layers.select_all()
    viewer.layers.remove_selected()
    QApplication.processEvents()
    assert not view.is_open
    assert names(viewer) == []


@pytest.mark.parametrize("chosen", [("1: image", "2: image"), ("2: lines", "1: lines", "1: image")])
def test_several_of_the_comparison_s_are_deleted_at_once(view, viewer, volume, chosen):
    viewer.layers.selection = {viewer.layers[name] for name in chosen}
    viewer.layers.remove_selected()
    assert not view.is_open
    QApplication.processEvents()
    assert names(viewer) == [volume.name, "mine"], "and none of the user's"
    assert not viewer.canvas.grid.enabled


def test_a_layer_and_its_copy_on_the_other_side_are_deleted_at_once(view, viewer, volume):
    viewer.layers.selection = {viewer.layers["mine"], viewer.layers["2: mine"]}
    viewer.layers.remove_selected()
    QApplication.processEvents()
    assert not [name for name in names(viewer) if "mine" in name]


def test_the_user_s_own_is_deleted_by_its_button_and_the_comparison_stays(view, viewer):
    viewer.layers.selection = {viewer.layers["mine"]}
    viewer.layers.remove_selected()
    QApplication.processEvents()
    assert view.is_open
    assert names(viewer)[:4] == ["1: image", "1: lines", "2: image", "2: lines"]
    assert not [name for name in names(viewer) if "mine" in name]


@pytest.mark.parametrize("name", ["1: image", "2: lines", "2: mine"])
def test_a_copy_of_one_of_the_comparison_s_is_the_user_s(view, viewer, name):
    viewer.layers.selection = {viewer.layers[name]}
    _duplicate_layer(viewer.layers)
    copy = viewer.layers[f"{name} copy"]
    assert view.is_open
    assert not is_of_comparison(copy)
    sides = {layer.name.partition(":")[0] for layer in list(viewer.layers)[: viewer.canvas.grid.stride]}
    assert "2" not in sides - {name.partition(":")[0]}, "the first cell holds the first side"
    view.close()
    assert copy in viewer.layers
    assert not [layer for layer in viewer.layers if is_of_comparison(layer)]


def test_one_that_is_deleted_while_the_comparison_is_opened_ends_the_opening(viewer, volume, content, qtbot):
    viewer.add_layer(Layer.create(*image_tuple(volume)))
    view, opened = ComparisonView(viewer), []
    view.open_in_steps(*content, lambda: opened.append(True))
    qtbot.waitUntil(lambda: "1: lines" in names(viewer))
    viewer.layers.remove("1: image")
    qtbot.waitUntil(lambda: not view.is_opening)
    qtbot.wait(50)
    assert not view.is_open
    assert not opened
    assert names(viewer) == [volume.name]
    assert viewer.layers[0].visible


def test_those_that_are_moved_while_the_comparison_is_opened_are_put_back(viewer, volume, content, qtbot):
    viewer.add_layer(Layer.create(*image_tuple(volume)))
    view, opened = ComparisonView(viewer), []
    view.open_in_steps(*content, lambda: opened.append(True))
    qtbot.waitUntil(lambda: "1: lines" in names(viewer))
    viewer.layers.move(0, len(viewer.layers))
    qtbot.waitUntil(lambda: bool(opened))
    assert names(viewer)[:4] == ["1: image", "1: lines", "2: image", "2: lines"]
    view.close()


def test_the_brush_that_corrects_lays_napari_s_brush_down(view, viewer):
    mine = viewer.layers["mine"]
    viewer.layers.selection.active = mine
    mine.mode = "paint"
    tool = CorrectionTool(viewer, view, lambda: 1)
    tool.take("brush")
    assert str(mine.mode) == "pan_zoom"
    tool.release()
