"""napari's millimetres and the patient's."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

from napari_pqcomq.layers.volume_layers import image_tuple, patient_millimetres, voxel_at
from pqcomq.volumes.volume import Volume


@pytest.mark.parametrize("degrees", [0, 25])
@pytest.mark.parametrize("order", ["LPS", "RAS", "PIR"])
def test_the_cursor_tells_the_patients_millimetres(block, degrees, order):
    image = block()
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    image.SetDirection((cos, -sin, 0, sin, cos, 0, 0, 0, 1))
    image = sitk.DICOMOrient(image, order)
    volume = Volume.of(image, "CT", "block")
    _data, keywords, _kind = image_tuple(volume)
    voxel_zyx = np.argwhere(volume.voxels == 200)[17]
    world = voxel_zyx * keywords["scale"] + keywords["translate"]
    place = patient_millimetres(volume, [99.0, *world])  # a leading axis, as a viewer with a 4-D layer has it
    index = image.TransformPhysicalPointToIndex(place)
    np.testing.assert_allclose(image.TransformIndexToPhysicalPoint(index), place, atol=1e-6)
    assert image[index] == 200


@pytest.mark.parametrize("axes", [2, 3, 4])
def test_the_nearest_voxel_is_told_whatever_axes_the_window_has(volume, axes):
    _data, keywords, _kind = image_tuple(volume)
    world = [99.0, *(np.array([2, 3, 1]) * keywords["scale"] + keywords["translate"])]
    assert voxel_at(volume, world[4 - axes :]) == (2 if axes > 2 else 0, 3, 1)
