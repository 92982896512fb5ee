"""napari's millimetres and the patient's."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

from napari_pqcomq.layers.volume_layers import image_tuple, patient_millimetres
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
