"""What holds of every grid: any rotation, mirrored or not, any spacing and place."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from pqcomq.volumes.grid import Grid

MILLIMETRES = st.floats(-1500, 1500)


@st.composite
def grids(draw):
    angles = draw(st.tuples(*[st.floats(-180, 180)] * 3))
    axes = Rotation.from_euler("xyz", angles, degrees=True).as_matrix()
    if draw(st.booleans()):
        axes[:, 2] *= -1
    return Grid(
        draw(st.tuples(*[st.integers(1, 6)] * 3)),
        draw(st.tuples(*[st.floats(0.05, 20)] * 3)),
        draw(st.tuples(*[MILLIMETRES] * 3)),
        tuple(float(cosine) for cosine in axes.ravel()),
    )


INDICES = st.lists(st.tuples(*[st.floats(-20, 600)] * 3), min_size=1, max_size=5)


@given(grids(), INDICES)
def test_millimetres_lead_back_to_the_same_voxel_and_are_simpleitk_s(grid, indices):
    places = grid.to_patient(indices)
    np.testing.assert_allclose(grid.to_voxels(places), indices, atol=1e-6)
    image = grid.place(sitk.Image(grid.size, sitk.sitkUInt8))
    for index, place in zip(indices, places, strict=True):
        np.testing.assert_allclose(place, image.TransformContinuousIndexToPhysicalPoint(index), atol=1e-6)


@given(grids())
def test_what_is_shown_lies_where_the_file_has_it(grid):
    """Every voxel, numbered, is shown at its own millimetres, along axes that run to the left, the back, the head."""
    numbers = np.arange(np.prod(grid.size)).reshape(grid.shape_zyx)
    turn = grid.shown()
    image = grid.place(sitk.GetImageFromArray(numbers.astype(np.int32)))
    theirs = sitk.DICOMOrient(image, "LPS")
    assert turn.grid.size == theirs.GetSize()
    shown = turn.shown(numbers)
    np.testing.assert_array_equal(shown, sitk.GetArrayFromImage(theirs))
    np.testing.assert_array_equal(turn.as_before(shown), numbers)
    assert turn.grid.orientation == "LPS"
    np.testing.assert_allclose(turn.grid.origin, theirs.GetOrigin(), atol=1e-6)
    np.testing.assert_allclose(turn.grid.spacing, theirs.GetSpacing(), atol=1e-9)
    np.testing.assert_allclose(turn.grid.direction, theirs.GetDirection(), atol=1e-9)
    assert np.isclose(turn.grid.voxel_millilitres, grid.voxel_millilitres)
    assert np.isclose(turn.grid.tilt_degrees, grid.tilt_degrees, atol=1e-4)
