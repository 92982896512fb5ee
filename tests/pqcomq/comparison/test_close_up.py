"""The part of a slice that shows an object close up."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pqcomq.comparison.presentation.close_up import close_up

SIZES = st.integers(8, 300)


@given(rows=SIZES, columns=SIZES, steps=st.tuples(st.floats(0.2, 5), st.floats(0.2, 5)), data=st.data())
def test_all_of_the_object_and_its_box_is_seen_within_the_slice(rows, columns, steps, data):
    def ends(size):
        return sorted((data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, size - 1))))

    masks = [np.zeros((rows, columns), bool) for _ in range(2)]
    for mask in masks:
        (y0, y1), (x0, x1) = ends(rows), ends(columns)
        mask[y0 : y1 + 1, x0 : x1 + 1] = data.draw(st.booleans())
    (y0, y1), (x0, x1) = ends(rows), ends(columns)
    part = close_up(masks, [(x0, y0), (x1, y1)], steps)
    for each, size in zip(part, (rows, columns), strict=True):
        assert 0 <= each.start < each.stop <= size
        assert each.stop - each.start >= min(size, 63)
    for mask in masks:
        assert mask[part].sum() == mask.sum()
    assert part[0].start <= y0 and y1 < part[0].stop
    assert part[1].start <= x0 and x1 < part[1].stop


@pytest.mark.parametrize(("corner", "start"), [((0, 0), (0, 0)), ((480, 480), (448, 448)), ((200, 300), (176, 276))])
def test_a_lesion_of_a_few_pixels_is_not_blown_up_to_a_mosaic(corner, start):
    mask = np.zeros((512, 512), bool)
    (y, x) = corner
    mask[y : y + 16, x : x + 16] = True
    part = close_up([mask, None], [], (0.7, 0.7))
    assert [each.start for each in part] == list(start)
    assert [each.stop - each.start for each in part] == [64, 64]


def test_a_long_object_is_shown_in_a_square_of_millimetres():
    mask = np.zeros((400, 400), bool)
    mask[190:210, 100:200] = True
    rows, columns = close_up([mask], [], (2.0, 1.0))
    assert (rows.stop - rows.start, columns.stop - columns.start) == (100, 200)


def test_where_nothing_is_to_be_seen_all_of_the_slice_is():
    assert close_up([np.zeros((90, 120), bool)], [], (1.0, 1.0)) == (slice(0, 90), slice(0, 120))
