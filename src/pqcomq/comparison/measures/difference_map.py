"""Where two segmentations differ, voxel by voxel."""

from __future__ import annotations

import numpy as np

NEITHER, BOTH, ONLY_A, ONLY_B = range(4)


def difference(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Who segmented which voxel.

    Args:
        a: bool mask, or labels with 0 outside, of any shape.
        b: of the same shape.

    Returns:
        uint8 of that shape: ``NEITHER``, ``BOTH``, ``ONLY_A`` or ``ONLY_B``. A voxel that both label, but as different
        objects, is ``ONLY_A``: a's object is missing from b there.

    Raises:
        ValueError: the shapes differ.
    """
    if a.shape != b.shape:
        raise ValueError(f"masks of shapes {a.shape} and {b.shape} cannot be compared")
    inside_a, inside_b = a.astype(bool), b.astype(bool)
    parts = np.zeros(a.shape, dtype=np.uint8)
    parts[inside_b] = ONLY_B
    parts[inside_a] = ONLY_A
    parts[inside_a & (a == b)] = BOTH
    return parts
