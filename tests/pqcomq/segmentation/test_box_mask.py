from __future__ import annotations

import numpy as np
import pytest

from pqcomq.segmentation.box import Box3D
from pqcomq.segmentation.box_mask import BoxMask

BOX = Box3D(1, 1, 2, 6, 5, 4)
SHAPE = (9, 6, 7)


@pytest.fixture
def whole():
    """A mask on the box's slices, another on each of them."""
    mask = np.zeros(SHAPE, bool)
    mask[2, 1, 1:4] = mask[3, 2:4, 5] = mask[4, 5, 6] = True
    return mask


def test_a_mask_is_kept_on_its_slices_and_comes_back_whole(whole):
    kept = BoxMask.cut(whole, BOX)
    assert kept.voxels.shape == (3, 6, 7)
    assert not np.shares_memory(kept.voxels, whole), "a view would keep the whole volume alive"
    assert kept.voxel_count == whole.sum() == 6
    assert np.array_equal(kept.in_volume(SHAPE), whole)
    for z in BOX.slices:
        assert np.array_equal(kept.on_slice(z), whole[z])
    assert repr(kept) == "BoxMask(slices 2 to 4, 6 voxels)"


def test_slices_are_filled_in_place(whole):
    mask = BoxMask.empty(BOX, SHAPE[1:])
    assert mask.voxel_count == 0
    for z in BOX.slices:
        mask.on_slice(z)[:] = whole[z]
    assert np.array_equal(mask.in_volume(SHAPE), whole)


@pytest.mark.parametrize("z", [-1, 1, 5])
def test_a_slice_outside_is_no_empty_slice(whole, z):
    with pytest.raises(IndexError, match=f"slice {z} is none"):
        BoxMask.cut(whole, BOX).on_slice(z)


def test_nothing_is_lost_in_silence(whole):
    for z in (1, 5):
        more = whole.copy()
        more[z, 0, 0] = True
        with pytest.raises(ValueError, match="outside the slices 2 to 4"):
            BoxMask.cut(more, BOX)
    with pytest.raises(ValueError, match="a mask of 4 slices does not reach"):
        BoxMask.cut(whole[:4], BOX)
