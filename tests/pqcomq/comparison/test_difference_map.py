from __future__ import annotations

import numpy as np
import pytest

from pqcomq.comparison.measures.difference_map import BOTH, NEITHER, ONLY_A, ONLY_B, difference


def test_every_voxel_is_in_one_part():
    a = np.array([[0, 1, 1, 0]], bool)
    b = np.array([[0, 1, 0, 1]], bool)
    assert difference(a, b).tolist() == [[NEITHER, BOTH, ONLY_A, ONLY_B]]
    assert difference(b, a).tolist() == [[NEITHER, BOTH, ONLY_B, ONLY_A]]


def test_parts_add_up_to_the_masks():
    rng = np.random.default_rng(1)
    a, b = rng.random((2, 5, 6, 7)) > 0.5
    parts = difference(a, b)
    np.testing.assert_array_equal(np.isin(parts, (BOTH, ONLY_A)), a)
    np.testing.assert_array_equal(np.isin(parts, (BOTH, ONLY_B)), b)


def test_a_voxel_of_two_different_objects_is_no_agreement():
    assert difference(np.array([1, 2, 2]), np.array([2, 2, 0])).tolist() == [ONLY_A, BOTH, ONLY_A]


def test_other_shapes_are_refused():
    with pytest.raises(ValueError, match="cannot be compared"):
        difference(np.zeros((2, 3)), np.zeros((3, 2)))
