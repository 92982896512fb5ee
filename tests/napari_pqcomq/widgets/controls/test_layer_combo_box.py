"""The list of layers that may be chosen follows napari's own list."""

from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image

from napari_pqcomq.viewer.comparison.viewer_state import ViewerState
from napari_pqcomq.widgets.controls.layer_combo_box import LayerComboBox


@pytest.fixture
def viewer():
    viewer = ViewerModel()
    for name in ("first", "second", "third"):
        viewer.add_image(np.zeros((2, 4, 4)), name=name)
    viewer.add_points(np.zeros((1, 3)), name="points")
    return viewer


@pytest.fixture
def box(viewer, qtbot):
    box = LayerComboBox(viewer, lambda layer: isinstance(layer, Image))
    qtbot.addWidget(box)
    return box


def names(box):
    return [box.itemText(index) for index in range(box.count())]


def test_layers_that_were_moved_stand_in_their_new_order_and_the_chosen_one_stays(viewer, box):
    box.choose(viewer.layers["second"])
    heard = []
    box.changed.connect(lambda: heard.append(box.layer))
    viewer.layers.move(2, 0)
    assert names(box) == ["third", "first", "second"]
    viewer.layers.move_multiple([1, 2], 0)
    assert names(box) == ["first", "second", "third"]
    viewer.layers.reverse()
    assert names(box) == ["third", "second", "first"]
    assert box.layer is viewer.layers["second"]
    assert not heard, "the same layer is chosen as before"


def test_it_follows_the_order_that_a_closed_comparison_restores(viewer, box):
    """What the user has added meanwhile stands behind the layers that were there."""
    saved = ViewerState(viewer)
    viewer.layers.insert(1, Image(np.zeros((2, 4, 4)), name="copy"))
    assert names(box) == ["first", "copy", "second", "third"]
    saved.restore()
    assert [layer.name for layer in viewer.layers] == ["first", "second", "third", "points", "copy"]
    assert names(box) == ["first", "second", "third", "copy"]


def test_names_additions_and_removals_are_followed_until_it_is_released(viewer, box):
    viewer.layers["first"].name = "renamed"
    del viewer.layers["second"]
    viewer.layers.insert(0, Image(np.zeros((2, 4, 4)), name="new"))
    assert names(box) == ["new", "renamed", "third"]
    box.release()
    viewer.layers.move(2, 0)
    viewer.layers.clear()
    assert names(box) == ["new", "renamed", "third"]
