"""Planes that lie unevenly or shifted, brought to a regular grid by linear interpolation.

SimpleITK shifts each plane within itself. Between planes it cannot help: its images have one spacing, and these planes
come here because theirs is uneven.
"""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk


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
    x, y = (float(v) for v in place_xy)
    if abs(x - round(x)) < 1e-3 and abs(y - round(y)) < 1e-3:
        x, y = float(round(x)), float(round(y))  # rounding in the positions must not blur
    shift = sitk.TranslationTransform(2, (-x, -y))
    image = sitk.GetImageFromArray(plane.astype(np.float64))
    size = (shape_yx[1], shape_yx[0])
    moved = sitk.Resample(image, size, shift, sitk.sitkLinear, (0.0, 0.0), (1.0, 1.0), (1.0, 0.0, 0.0, 1.0), fill)
    raster: np.ndarray = sitk.GetArrayFromImage(moved)
    return raster
