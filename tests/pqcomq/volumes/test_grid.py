"""Voxels and millimetres, there and back, against SimpleITK and against the meaning of the letters."""

from __future__ import annotations

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk

from pqcomq.volumes.grid import Grid

RANDOM = np.random.default_rng(7)


def turned(degrees: float, axis: int) -> np.ndarray:
    """A rotation about one patient axis."""
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.roll(np.roll([[1, 0, 0], [0, cos, -sin], [0, sin, cos]], axis, axis=0), axis, axis=1)


def grid_of(axes: np.ndarray) -> Grid:
    return Grid((5, 6, 7), (0.75, 1.25, 3.5), (-112.25, 37.5, -401.0), tuple(float(v) for v in np.ravel(axes)))


@pytest.mark.parametrize("seed", range(20))
def test_voxels_and_millimetres_there_and_back_as_simpleitk_has_them(seed):
    axes = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))[0]
    grid = grid_of(axes)
    image = grid.place(sitk.Image(grid.size, sitk.sitkUInt8))
    voxels = RANDOM.uniform(-3, 9, (4, 2, 3))
    places = grid.to_patient(voxels)
    assert places.shape == (4, 2, 3)
    for voxel, place in zip(voxels.reshape(-1, 3), places.reshape(-1, 3), strict=True):
        np.testing.assert_allclose(place, image.TransformContinuousIndexToPhysicalPoint(voxel.tolist()), atol=1e-9)
    np.testing.assert_allclose(grid.to_voxels(places), voxels, atol=1e-9)


def test_letters_of_all_axis_orders(direction):
    grid = grid_of(direction)
    for axis, towards in enumerate(grid.orientation):
        first, last = grid.letters(axis)
        assert last[0] == towards  # SimpleITK's letter is the side that the axis points to
        assert first[0] == {"L": "R", "R": "L", "P": "A", "A": "P", "S": "I", "I": "S"}[towards]


@pytest.mark.parametrize(
    ("degrees", "letters"),
    [(0, ("R", "L")), (10, ("R", "L")), (20, ("RA", "LP")), (-20, ("RP", "LA")), (50, ("AR", "PL")), (180, ("L", "R"))],
)
def test_an_oblique_axis_shows_a_second_letter_where_it_can_be_seen(degrees, letters):
    assert grid_of(turned(degrees, 2)).letters(0) == letters


@pytest.mark.parametrize("degrees", [0, 3, 30, 44])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_the_tilt_is_the_angle_turned_by(degrees, axis):
    assert grid_of(turned(degrees, axis)).tilt_degrees == pytest.approx(degrees, abs=1e-4)
    swapped = turned(degrees, axis)[:, [1, 2, 0]]
    assert grid_of(swapped).tilt_degrees == pytest.approx(degrees, abs=1e-4)


@pytest.mark.parametrize("seed", range(50))
def test_orientations_are_named_as_nibabel_names_them(seed):
    axes = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))[0]
    ras = np.eye(4)
    ras[:3, :3] = np.diag([-1, -1, 1]) @ axes
    assert grid_of(axes).orientation == "".join(nibabel.aff2axcodes(ras))
