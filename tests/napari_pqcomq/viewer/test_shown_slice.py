"""A slice that is asked for by its number is that of the volume, whatever else is open."""

from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image, Layer

from napari_pqcomq.layers.volume_layers import image_tuple, voxel_at
from napari_pqcomq.viewer.navigation.slice_steps import show_slice


@pytest.mark.parametrize("others", [(), (90, 40, 40), (5, 12, 30, 40)], ids=["alone", "a finer one", "a series"])
def test_a_slice_is_the_volume_s_whatever_is_open_beside_it(volume, others):
    viewer = ViewerModel()
    viewer.add_layer(Layer.create(*image_tuple(volume)))
    if others:
        viewer.add_layer(Image(np.zeros(others, np.uint8)))
    before = viewer.dims.point[:-3]
    show_slice(viewer, volume, 7)
    assert voxel_at(volume, viewer.dims.point)[0] == 7
    assert viewer.dims.point[:-3] == before, "a series stays at its moment"
