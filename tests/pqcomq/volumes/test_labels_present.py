"""The labels of a map are those that sorting all of it finds."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from pqcomq.volumes.labels.labels_present import labels_present

_KINDS = st.sampled_from([np.bool_, np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.int64, np.uint64])


def _maps(kind):
    """Whole numbers of any size, and small ones such as labels mostly are."""
    shapes = array_shapes(min_dims=3, max_dims=3, max_side=5)
    small = st.integers(0, 1 if kind is np.bool_ else 3)
    return arrays(kind, shapes) | arrays(kind, shapes, elements=small)


@given(_KINDS.flatmap(_maps))
def test_labels_are_those_that_sorting_finds(labels):
    assert labels_present(labels) == [number for number in np.unique(labels).tolist() if number]


def test_a_map_of_background_has_none():
    assert labels_present(np.zeros((2, 3, 4), np.uint8)) == []
    assert labels_present(np.zeros((0, 3, 4), np.uint8)) == []
