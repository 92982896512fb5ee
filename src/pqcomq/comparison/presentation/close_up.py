"""Which part of a slice shows an object close up, with so much round it that the place is recognized."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

_TIMES = 2.0
"""The part shown, in lengths of the object: it fills half of the picture, as in the window."""
_LEAST_PIXELS = 64
"""Of the slice, that are shown at the least along each side: fewer would be blown up to a mosaic."""

Part = tuple[slice, slice]
"""Rows and columns of a slice."""


def close_up(
    masks: Iterable[np.ndarray | None], places: Iterable[tuple[float, float]], spacing_yx: tuple[float, float]
) -> Part:
    """The part of a slice round an object, square in millimetres where the slice allows it.

    Args:
        masks: (y, x) bool each, of one shape, at least one; what any of them holds is shown.
        places: x, y in pixels, shown too: corners of a box, points.
        spacing_yx: mm between pixel centres, y x.

    Returns:
        Rows and columns, within the slice; all of it where there is nothing to be shown.

    Examples:
        >>> mask = np.zeros((512, 512), bool)
        >>> mask[100:200, 300:350] = True
        >>> close_up([mask], [(300, 100), (349, 199)], (0.8, 0.8))
        (slice(50, 250, None), slice(225, 425, None))
    """
    seen = np.logical_or.reduce([mask for mask in masks if mask is not None])
    rows, columns = ([*np.flatnonzero(seen.any(axis=axis))] for axis in (1, 0))
    for x, y in places:
        rows.append(y)
        columns.append(x)
    if not rows:
        return slice(0, seen.shape[0]), slice(0, seen.shape[1])
    lows, highs = (min(rows), min(columns)), (max(rows) + 1, max(columns) + 1)
    extents = [(high - low) * step for low, high, step in zip(lows, highs, spacing_yx, strict=True)]  # mm
    side = max(_TIMES * max(extents), _LEAST_PIXELS * max(spacing_yx))
    parts = []
    for low, high, step, size in zip(lows, highs, spacing_yx, seen.shape, strict=True):
        length = min(size, round(side / step))
        first = min(max(round((low + high - length) / 2), 0), size - length)
        parts.append(slice(first, first + length))
    return parts[0], parts[1]
