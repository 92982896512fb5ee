"""Masks of a side hold what they are to show, and take memory for drawn slices alone."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from napari_pqcomq.viewer.sides.mask_arrays import copied_masks, put_masks


@pytest.mark.parametrize("seed", range(5))
def test_masks_are_those_put_whatever_was_there(seed):
    random = np.random.default_rng(seed)
    before, after = (random.integers(0, 3, (6, 4, 5)).astype(np.uint8) for _ in range(2))
    before[random.random(6) < 0.5], after[random.random(6) < 0.5] = 0, 0
    target = before.copy()
    put_masks(target, after)
    np.testing.assert_array_equal(target, after)
    put_masks(target, after == 1)
    np.testing.assert_array_equal(target, after == 1)


def test_a_copy_leaves_out_what_is_hidden_and_is_no_view():
    masks = np.random.default_rng(0).integers(0, 3, (6, 4, 5)).astype(np.uint8)
    copy = copied_masks(masks, lambda each: np.where(each == 2, 0, each))
    np.testing.assert_array_equal(copy, np.where(masks == 2, 0, masks))
    assert copied_masks(masks == 1).dtype == np.uint8
    copy[:] = 7
    assert masks.max() == 2


MEMORY = """
import numpy as np, psutil
from napari_pqcomq.viewer.sides.mask_arrays import copied_masks, put_masks
masks = np.zeros((200, 1000, 1000), np.uint8)
masks[90:100] = 1
before = psutil.Process().memory_info().rss
first, second = copied_masks(masks), np.zeros(masks.shape, np.uint8)
put_masks(second, masks)
print(psutil.Process().memory_info().rss - before, first.sum() == second.sum() == masks.sum())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="where memory is counted when it is first written to")
def test_empty_slices_take_no_memory():
    """In a process of its own: a command that was run in this one has told its allocator to keep memory."""
    run = subprocess.run([sys.executable, "-c", MEMORY], capture_output=True, text=True, check=True)
    taken, is_alike = run.stdout.split()
    assert int(taken) < 60e6, "20 MB are drawn, 400 MB are held"
    assert is_alike == "True"
