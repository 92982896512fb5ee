"""Arrays of masks that take memory for their drawn slices alone.

A system hands out memory when it is first written to; most slices of most masks are empty, and stay unwritten here.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np


def put_masks(target: np.ndarray, masks: np.ndarray) -> None:
    """Let ``target`` hold ``masks``, both (z, y, x); slices that are empty and stay so are not written to."""
    for held, mask in zip(target, masks, strict=True):
        if mask.any():
            held[:] = mask
        elif held.any():
            held[:] = 0


def copied_masks(masks: np.ndarray, seen: Callable[[np.ndarray], np.ndarray] = lambda labels: labels) -> np.ndarray:
    """A copy in uint8 of object numbers or a bool mask, (z, y, x).

    Args:
        masks: to be copied.
        seen: takes the object numbers of a slice (y, x), and leaves out those that are not to be copied.

    Example:
        >>> labels = np.zeros((3, 2, 2), np.uint8)
        >>> labels[1] = [[1, 2], [0, 0]]
        >>> copied_masks(labels, lambda each: np.where(each == 2, 0, each))[1].tolist()
        [[1, 0], [0, 0]]
    """
    copy = np.zeros(masks.shape, np.uint8)
    for held, mask in zip(copy, masks, strict=True):
        if mask.any():
            held[:] = seen(mask)
    return copy
