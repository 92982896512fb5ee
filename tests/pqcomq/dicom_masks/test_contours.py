"""Masks to polygons and back, against skimage's point-in-polygon test as an independent filler."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage
from skimage.draw import polygon2mask

from pqcomq.dicom_masks.contours import filled, outlines


def random_mask(seed):
    rng = np.random.default_rng(seed)
    shape = rng.integers(1, 24, 2)
    mask = rng.random(shape) < rng.random()
    return ndimage.binary_closing(mask) if seed % 3 == 0 else mask


def test_a_mask_comes_back_pixel_by_pixel():
    for seed in range(400):
        mask = random_mask(seed)
        polygons = outlines(mask)
        np.testing.assert_array_equal(filled(polygons, mask.shape), mask, err_msg=f"seed {seed}")
        assert len(polygons) == ndimage.label(mask)[1], "one polygon for each connected part, holes joined to it"


def test_another_filler_finds_the_same_pixels():
    for seed in range(60):
        mask = random_mask(seed)
        theirs = np.zeros(mask.shape, bool)
        for polygon in outlines(mask):
            theirs ^= polygon2mask(mask.shape, polygon)
        np.testing.assert_array_equal(theirs, mask, err_msg=f"seed {seed}")


def test_rings_within_rings():
    row, column = np.indices((41, 41))
    distance = np.hypot(row - 20, column - 20)
    mask = (distance < 19) & ~((distance > 6) & (distance < 12)) & ~(distance < 3)
    polygons = outlines(mask)
    assert len(polygons) == 2  # the outer ring with its hole, the inner ring with its own
    np.testing.assert_array_equal(filled(polygons, mask.shape), mask)


def test_channels_to_holes_run_through_the_object_and_beside_its_centres():
    for seed in range(0, 300, 3):
        mask = random_mask(seed)
        for polygon in outlines(mask):
            ends = np.roll(polygon, -1, axis=0)
            channels = (polygon[:, 1] == ends[:, 1]) & (polygon[:, 1] % 0.5 != 0)
            for (row, column), (end, _same) in zip(polygon[channels], ends[channels], strict=True):
                crossed = np.arange(np.ceil(min(row, end)), max(row, end)).astype(int)
                assert mask[crossed, round(column)].all(), f"seed {seed}"


def test_straight_edges_have_points_at_their_ends_only():
    mask = np.zeros((12, 12), bool)
    mask[2:9, 3:10] = True
    (polygon,) = outlines(mask)
    assert len(polygon) == 8


def test_an_empty_slice_has_no_outline():
    assert outlines(np.zeros((4, 5), bool)) == []
    assert not filled([], (4, 5)).any()


@pytest.mark.parametrize("shift", [0.0, 1e-9, -1e-9])
def test_rounding_of_coordinates_moves_no_pixel(shift):
    for seed in range(100):
        mask = random_mask(seed)
        np.testing.assert_array_equal(filled([p + shift for p in outlines(mask)], mask.shape), mask)


def test_polygons_over_the_edge_are_cut_off():
    around = np.array([[-5.5, -5.5], [-5.5, 20.5], [20.5, 20.5], [20.5, -5.5]])
    assert filled([around], (6, 7)).all()
    assert not filled([around, around], (6, 7)).any()  # twice is outside again
