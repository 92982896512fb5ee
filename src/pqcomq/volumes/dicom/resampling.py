"""Planes that lie unevenly or shifted, brought to a regular grid by linear interpolation."""

from __future__ import annotations

import numpy as np
from scipy import ndimage


def resampled(planes: np.ndarray, places: np.ndarray, shape_zyx: tuple[int, int, int], fill: float) -> np.ndarray:
    """Interpolate planes onto a grid that is parallel to them.

    Between two planes the values of both are weighted by their distance; within a plane they are shifted by fractions
    of a pixel. A plane that lies on the grid comes back unchanged.

    Args:
        planes: (n, rows, columns), in ascending order of height.
        places: where each plane's first pixel lies on the grid, (n, 3) voxels in the order x, y, z.
        shape_zyx: of the grid.
        fill: where no plane reaches.

    Returns:
        (z, y, x) of the planes' type; whole numbers are rounded.
    """
    result = np.empty(shape_zyx, planes.dtype)
    heights = places[:, 2]
    shifted: dict[int, np.ndarray] = {}

    def plane(index: int) -> np.ndarray:
        if index not in shifted:
            for old in [key for key in shifted if key < index - 1]:
                del shifted[old]
            shifted[index] = _shifted(planes[index], places[index, :2], shape_zyx[1:], fill)
        return shifted[index]

    for z in range(shape_zyx[0]):
        above = min(int(np.searchsorted(heights, z - 1e-6)), len(heights) - 1)
        below = max(above - 1, 0)
        gap = heights[above] - heights[below]
        weight = 1.0 if gap == 0 else float(np.clip((z - heights[below]) / gap, 0.0, 1.0))
        # Rounding in the positions must not blur a plane that is where it should be.
        if weight > 1 - 1e-3:
            values = plane(above)
        elif weight < 1e-3:
            values = plane(below)
        else:
            values = (1 - weight) * plane(below) + weight * plane(above)
        result[z] = np.rint(values) if planes.dtype.kind != "f" else values
    return result


def _shifted(plane: np.ndarray, place_xy: np.ndarray, shape_yx: tuple[int, int], fill: float) -> np.ndarray:
    """A plane on a larger raster with its first pixel at ``place_xy``, float64."""
    whole = np.floor(place_xy + 1e-6).astype(int)  # x, y
    fraction = np.clip(place_xy - whole, 0.0, None)
    rows, columns = plane.shape
    raster = np.full(shape_yx, float(fill))
    x, y = int(whole[0]), int(whole[1])
    height, width = min(rows, shape_yx[0] - y), min(columns, shape_yx[1] - x)
    raster[y : y + height, x : x + width] = plane[:height, :width]
    if (fraction < 1e-3).all():
        return raster
    moved: np.ndarray = ndimage.shift(raster, fraction[::-1], order=1, mode="grid-constant", cval=fill)
    return moved
