import math

import numpy as np
import pytest

from pqcomq.errors import InputError
from pqcomq.segmentation.box import Box3D, tight_box

SHAPE = (10, 20, 30)  # z y x


def mask_of(z: slice, y: slice, x: slice) -> np.ndarray:
    mask = np.zeros(SHAPE, bool)
    mask[z, y, x] = True
    return mask


def test_of_takes_six_numbers_of_any_kind():
    box = Box3D.of(np.array([1, 2, 3, 4.5, 5, 6]))
    assert box == Box3D(1.0, 2.0, 3, 4.5, 5.0, 6)
    assert isinstance(box.z0, int)
    assert isinstance(box.z1, int)


@pytest.mark.parametrize(
    "values",
    [
        [],
        [1, 2, 3, 4, 5],
        [1, 2, 3, 4, 5, 6, 7],
        [1, 2, 3, 4, 5, float("nan")],
        [1, 2, 3, float("inf"), 5, 6],
        ["a", 2, 3, 4, 5, 6],
        [None] * 6,
    ],
)
def test_of_refuses_what_is_not_six_finite_numbers(values):
    with pytest.raises(InputError, match="six finite numbers"):
        Box3D.of(values)


def test_of_refuses_broken_slice_numbers():
    with pytest.raises(InputError, match=r"whole numbers, not 3\.5 and 6"):
        Box3D.of([1, 2, 3.5, 4, 5, 6])


@pytest.mark.parametrize("box", [Box3D(0, 0, 0, 30, 20, 9), Box3D(3, 4, 5, 3.5, 4.5, 5)])
def test_checked_returns_a_box_that_fits(box):
    assert box.checked(SHAPE) is box


@pytest.mark.parametrize(
    ("box", "problem"),
    [
        (Box3D(5, 1, 0, 4, 9, 3), "empty or reversed"),
        (Box3D(5, 1, 0, 5, 9, 3), "empty or reversed"),
        (Box3D(1, 9, 0, 4, 9, 3), "empty or reversed"),
        (Box3D(1, 1, 4, 4, 9, 3), "empty or reversed"),
        (Box3D(-1, 1, 0, 4, 9, 3), "outside"),
        (Box3D(1, 1, 0, 30.5, 9, 3), "outside"),
        (Box3D(1, 1, 0, 4, 20.5, 3), "outside"),
        (Box3D(1, -0.5, 0, 4, 9, 3), "outside"),
        (Box3D(1, 1, -1, 4, 9, 3), "outside"),
        (Box3D(1, 1, 0, 4, 9, 10), "outside"),
    ],
)
def test_checked_names_the_box_and_the_volume(box, problem):
    with pytest.raises(InputError, match=problem) as caught:
        box.checked(SHAPE)
    message = str(caught.value)
    assert f"[{box.x0:g}, {box.y0:g}, {box.z0}, {box.x1:g}, {box.y1:g}, {box.z1}]" in message
    assert "30 × 20 × 10" in message


def test_whole_slices_may_be_written_as_floats_and_others_are_refused():
    box = Box3D(1.5, 2, 3.0, 8, 9, np.float64(5)).checked((10, 20, 30))
    assert list(box.slices) == [3, 4, 5]
    for low, high in ((3.5, 5), (3, 5.25), (3, math.nan)):
        with pytest.raises(InputError, match="whole numbers"):
            Box3D(1.5, 2, low, 8, 9, high).checked((10, 20, 30))


def test_xyxy_slices_and_middle():
    box = Box3D(1, 2, 3, 4.5, 6, 8)
    assert box.xyxy.dtype == np.float32
    assert box.xyxy.tolist() == [1, 2, 4.5, 6]
    assert list(box.slices) == [3, 4, 5, 6, 7, 8]
    assert box.middle == 5
    assert Box3D(0, 0, 7, 1, 1, 7).middle == 7
    # The authors' expression int((z_max - z_min) / 2 + z_min) for every slice range.
    for low in range(6):
        for high in range(low, 6):
            assert Box3D(0, 0, low, 1, 1, high).middle == int((high - low) / 2 + low)


def test_around_grows_in_the_plane_only():
    mask = mask_of(slice(2, 5), slice(6, 9), slice(10, 14))
    assert Box3D.around(mask) == Box3D(8, 4, 2, 15, 10, 4)
    assert Box3D.around(mask, 0) == Box3D(10, 6, 2, 13, 8, 4)


def test_around_is_clamped_and_always_fits_its_volume():
    box = Box3D.around(mask_of(slice(0, 10), slice(0, 20), slice(0, 30)), 50)
    assert box == Box3D(0, 0, 0, 30, 20, 9)
    assert box.checked(SHAPE) is box


def test_around_covers_objects_that_wander_between_slices():
    mask = mask_of(slice(2, 3), slice(3, 4), slice(5, 6)) | mask_of(slice(7, 8), slice(15, 16), slice(25, 26))
    assert Box3D.around(mask, 1) == Box3D(4, 2, 2, 26, 16, 7)


def test_around_refuses_an_empty_mask():
    with pytest.raises(InputError, match="empty mask"):
        Box3D.around(np.zeros(SHAPE, bool))


def test_tight_box_of_a_slice():
    mask = np.zeros((20, 30), bool)
    mask[4, 5] = mask[7, 28] = True
    assert tight_box(mask).tolist() == [5, 4, 28, 7]
    assert tight_box(mask, 3).tolist() == [2, 1, 30, 10]
    assert tight_box(mask, 3).dtype == np.float32
    with pytest.raises(ValueError, match="empty"):
        tight_box(np.zeros((3, 3), bool))


@pytest.mark.parametrize("seed", range(5))
def test_tight_box_agrees_with_the_authors_way(seed):
    mask = np.random.default_rng(seed).random((37, 23)) > 0.99
    y, x = np.where(mask)
    expected = [max(0, x.min() - 5), max(0, y.min() - 5), min(23, x.max() + 5), min(37, y.max() + 5)]
    assert tight_box(mask, 5).tolist() == expected
