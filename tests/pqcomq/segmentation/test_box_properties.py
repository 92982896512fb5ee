"""What holds of every box round every mask."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pqcomq.errors import InputError
from pqcomq.segmentation.box import Box3D, tight_box

SHAPES = st.tuples(*[st.integers(1, 9)] * 3)
MASKS = SHAPES.flatmap(lambda shape: arrays(bool, shape)).filter(np.any)
MARGINS = st.integers(0, 12)


@given(MASKS, MARGINS)
def test_the_box_round_a_mask_holds_it_and_reaches_no_further_than_its_margin(mask, margin):
    box = Box3D.around(mask, margin)
    depth, height, width = mask.shape
    assert 0 <= box.z0 <= box.z1 < depth
    assert 0 <= box.x0 <= box.x1 <= width
    assert 0 <= box.y0 <= box.y1 <= height
    z, y, x = np.nonzero(mask)
    assert (box.z0, box.z1) == (z.min(), z.max()), "slices are never added"
    for low, high, inside in ((box.x0, box.x1, x), (box.y0, box.y1, y)):
        assert low <= inside.min() <= inside.max() <= high
        assert inside.min() - low <= margin
        assert high - inside.max() <= margin


@given(MASKS, MARGINS)
def test_the_box_of_a_volume_is_the_tight_box_of_all_its_slices_laid_over_one_another(mask, margin):
    assert Box3D.around(mask, margin).xyxy.tolist() == tight_box(mask.any(axis=0), margin).tolist()


@given(MASKS.filter(lambda mask: min(mask.shape) > 1))
def test_a_grown_box_is_accepted_by_its_volume(mask):
    box = Box3D.around(mask, 1)
    assert box.checked(mask.shape) is box
    assert len(box.slices) == box.z1 - box.z0 + 1
    assert box.middle in box.slices


@given(st.lists(st.floats(-1e6, 1e6), min_size=4, max_size=4), st.integers(-99, 99), st.integers(-99, 99))
def test_six_numbers_make_a_box_and_come_back(edges, z0, z1):
    x0, y0, x1, y1 = edges
    box = Box3D.of([x0, y0, z0, x1, y1, z1])
    assert (box.x0, box.y0, box.z0, box.x1, box.y1, box.z1) == (x0, y0, z0, x1, y1, z1)


@given(st.tuples(*[st.integers(-3, 12)] * 6), SHAPES)
def test_a_box_is_accepted_exactly_where_it_grows_and_lies_inside(corners, shape):
    box = Box3D(*corners)
    depth, height, width = shape
    fits = 0 <= box.x0 < box.x1 <= width and 0 <= box.y0 < box.y1 <= height and 0 <= box.z0 <= box.z1 < depth
    if fits:
        assert box.checked(shape) is box
    else:
        with pytest.raises(InputError):
            box.checked(shape)
