"""What a round brush covers of a slice."""

from __future__ import annotations

import numpy as np

Patch = tuple[slice, slice]
"""Rows and columns."""


def disc_along(
    start: np.ndarray, end: np.ndarray, radius_mm: float, spacing: tuple[float, float], shape: tuple[int, ...]
) -> tuple[Patch, np.ndarray] | None:
    """The voxels that a disc covers on its way along a line.

    Args:
        start: row and column, in voxels.
        end: likewise.
        radius_mm: of the disc; the voxel under its middle is covered however small it is.
        spacing: millimetres between voxels, down and across.
        shape: rows and columns of the slice.

    Returns:
        The part of the slice that is touched, and (rows, columns) bool in it; None beside the slice.

    Examples:
        >>> patch, inside = disc_along(np.array([4., 4.]), np.array([4., 4.]), 1.0, (1.0, 1.0), (9, 9))
        >>> patch, inside.astype(int).tolist()
        ((slice(3, 6, None), slice(3, 6, None)), [[0, 1, 0], [1, 1, 1], [0, 1, 0]])
    """
    steps = np.asarray(spacing)
    reach = radius_mm / steps
    low = np.maximum(np.floor(np.minimum(start, end) - reach).astype(int), 0)
    high = np.minimum(np.ceil(np.maximum(start, end) + reach).astype(int) + 1, shape)
    if (low >= high).any():
        return None
    rows, columns = np.mgrid[low[0] : high[0], low[1] : high[1]]
    at = np.stack([rows, columns], -1) * steps  # (rows, columns, 2) mm
    first, way = start * steps, (end - start) * steps
    length = float(way @ way)
    share = np.clip((at - first) @ way / length, 0, 1)[..., None] if length else 0.0
    distance = np.linalg.norm(at - first - share * way, axis=-1)
    inside = distance <= max(radius_mm, float(steps.max()) / 2)
    return (slice(int(low[0]), int(high[0])), slice(int(low[1]), int(high[1]))), inside
