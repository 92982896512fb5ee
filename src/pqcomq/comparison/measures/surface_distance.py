"""Surfaces of voxel masks: their elements, the area of each, and the distance from each to another surface.

The definition is that of DeepMind's ``surface-distance`` (Nikolov et al., "Deep learning to achieve clinically
applicable segmentation of head and neck anatomy", 2018), with which the MedSAM authors report: a surface element sits
at every corner shared by 2 × 2 × 2 voxels that are not all inside or all outside, and weighs as much as the marching
cubes surface through those eight voxels has area. A mask of a single slice has contour elements instead, weighed by
length. The package itself (0.1) is not used: it calls SciPy names that warn today and end with SciPy 2, NumPy names
that NumPy 2 has removed, and asks for absl, which it never imports. The numbers here are the same, but for distances
that only rounding sets apart from the tolerance.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import permutations, product

import numpy as np
from scipy.spatial import KDTree

_CASES: tuple[tuple[tuple[tuple[int, int, int], ...], tuple[tuple[int, int, int], ...]], ...] = (
    (((1, 1, 1),), ((1, 1, 1),)),
    (((1, 1, 0), (1, 1, 1)), ((2, 2, 0), (2, 2, 0))),
    (((1, 0, 1), (1, 1, 0)), ((1, 1, 1), (1, 1, 1))),
    (((0, 1, 1), (1, 0, 0)), ((1, 1, 1), (1, 1, 1))),
    (((1, 0, 1), (1, 1, 0), (1, 1, 1)), ((1, 1, 1), (2, 2, 2), (4, 0, 0))),
    (((0, 1, 1), (1, 0, 1), (1, 1, 0)), ((1, 1, 1), (1, 1, 1), (1, 1, 1))),
    (((0, 1, 1), (1, 0, 0), (1, 1, 1)), ((0, 2, 2), (0, 2, 2), (1, 1, 1))),
    (((1, 0, 0), (1, 0, 1), (1, 1, 0), (1, 1, 1)), ((4, 0, 0), (4, 0, 0))),
    (((0, 1, 1), (1, 0, 1), (1, 1, 0), (1, 1, 1)), ((1, 1, 1), (1, 1, 1), (2, 2, 2), (2, 2, 2))),
    (((0, 1, 1), (1, 0, 0), (1, 1, 0), (1, 1, 1)), ((0, 2, 2), (1, 1, 1), (2, 0, 2), (3, 3, 3))),
    (((0, 1, 1), (1, 0, 0), (1, 0, 1), (1, 1, 0)), ((1, 1, 1), (1, 1, 1), (2, 2, 2), (4, 0, 0))),
    (((0, 1, 0), (0, 1, 1), (1, 0, 0), (1, 0, 1)), ((2, 2, 0), (2, 2, 0), (2, 2, 0), (2, 2, 0))),
    (((0, 0, 1), (0, 1, 0), (1, 0, 0), (1, 1, 1)), ((1, 1, 1), (1, 1, 1), (1, 1, 1), (1, 1, 1))),
)
"""Marching cubes up to turning, mirroring and swapping inside with outside: the voxels inside, as z y x in a
2 × 2 × 2 block, and the triangles, each by its area projected along z, y and x in eighths of a voxel's face."""

_ROUNDING = 1e-6
"""Part of a distance that spacings are unsure of: NIfTI keeps them in single precision, DICOM as differences of places.
Without it five voxels of 0.4 mm would lie within 2 mm or beyond, by the kind of the file."""


@dataclass(frozen=True)
class SurfaceDistances:
    """Every surface element of one mask and how far it is from the other mask's surface.

    Attributes:
        distances: (elements,) mm, ascending.
        areas: (elements,) mm² in the same order; mm of contour for a single slice.
    """

    distances: np.ndarray
    areas: np.ndarray

    def within(self, tolerance_mm: float) -> float:
        """Area of the elements no farther than ``tolerance_mm``, in mm² (mm); what rounding puts beyond it is not."""
        return float(self.areas[self.distances <= tolerance_mm * (1 + _ROUNDING)].sum())

    @property
    def area(self) -> float:
        """Area of the whole surface in mm² (mm)."""
        return float(self.areas.sum())

    def percentile(self, percent: float) -> float:
        """The distance in mm that ``percent`` % of the area does not exceed."""
        reached = np.cumsum(self.areas) / self.areas.sum()
        index = min(int(np.searchsorted(reached, percent / 100)), len(self.distances) - 1)
        return float(self.distances[index])


def surface_distances(
    a: np.ndarray, b: np.ndarray, spacing_zyx: tuple[float, float, float]
) -> tuple[SurfaceDistances, SurfaceDistances]:
    """Distances from the surface of ``a`` to that of ``b``, and back.

    Args:
        a: (z, y, x) bool, not empty; a single slice (z = 1) is treated as a plane figure.
        b: (z, y, x) bool, not empty, the same shape.
        spacing_zyx: mm between voxel centres, z y x (not SimpleITK's x y z).

    Returns:
        From a to b, and from b to a.
    """
    spacing = np.asarray(spacing_zyx, dtype=np.float64)
    if a.shape[0] == 1:
        a, b, spacing = a[0], b[0], spacing[1:]
    crop = _bounds(a | b)
    weights = _contour_lengths(spacing) if a.ndim == 2 else _element_areas(spacing)
    points_a, areas_a = _elements(a[crop], weights)
    points_b, areas_b = _elements(b[crop], weights)
    return _nearest(points_a, areas_a, points_b, spacing), _nearest(points_b, areas_b, points_a, spacing)


def _bounds(mask: np.ndarray) -> tuple[slice, ...]:
    """The tight crop of a mask: nothing outside it bears a surface."""
    kept = []
    for axis in range(mask.ndim):
        inside = np.flatnonzero(mask.any(axis=tuple(other for other in range(mask.ndim) if other != axis)))
        kept.append(slice(int(inside[0]), int(inside[-1]) + 1))
    return tuple(kept)


def _elements(mask: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Corner indices (elements, dims) int and weights (elements,) of a mask's surface elements."""
    padded = np.pad(mask, 1).astype(np.uint8)
    shape = tuple(size + 1 for size in mask.shape)
    codes = np.zeros(shape, np.uint8)
    for bit, corner in enumerate(product((0, 1), repeat=mask.ndim)):
        window = tuple(slice(start, start + size) for start, size in zip(corner, shape, strict=True))
        codes |= padded[window] << bit
    border = (codes != 0) & (codes != len(weights) - 1)
    return np.argwhere(border), weights[codes[border]]


def _nearest(points: np.ndarray, areas: np.ndarray, others: np.ndarray, spacing: np.ndarray) -> SurfaceDistances:
    """Distance from each of ``points`` to the nearest of ``others``, sorted."""
    # A tree of surface points, not a distance map of the volume: a tenth of the time and memory for masks that nearly
    # agree. Large leaves halve the time for masks that lie far apart.
    _, index = KDTree(others * spacing, leafsize=64).query(points * spacing)
    # From whole index steps, not from the tree's coordinates: three voxels of 0.7 mm are the same distance everywhere,
    # so an element exactly at the tolerance does not depend on where the mask lies.
    distances = np.sqrt((((points - others[index]) * spacing) ** 2).sum(axis=1))
    order = np.argsort(distances, kind="stable")
    return SurfaceDistances(distances[order], areas[order])


def _element_areas(spacing: np.ndarray) -> np.ndarray:
    """Area in mm² of each of the 256 surface elements for voxels of ``spacing`` z y x."""
    faces = np.prod(spacing) / spacing
    areas: np.ndarray = np.linalg.norm(_triangles() * faces, axis=2).sum(axis=1)
    return areas


@cache
def _triangles() -> np.ndarray:
    """(256, 4, 3): up to four triangles of each element, by projected areas in faces of a voxel.

    Bit ``i`` of an element's number is the ``i``-th voxel of the 2 × 2 × 2 block, z y x, x fastest.
    """
    bits = 1 << np.arange(8).reshape(2, 2, 2)
    table = np.zeros((256, 4, 3))
    for corners, triangles in _CASES:
        block = np.zeros((2, 2, 2), dtype=bool)
        block[tuple(np.transpose(corners))] = True
        for order, mirrored in product(permutations(range(3)), product((False, True), repeat=3)):
            turned = np.flip(block.transpose(order), tuple(axis for axis in range(3) if mirrored[axis]))
            code = int(bits[turned].sum())
            for either in (code, 255 - code):
                table[either, : len(triangles)] = np.array(triangles)[:, list(order)] / 8
    return table


def _contour_lengths(spacing: np.ndarray) -> np.ndarray:
    """Length in mm of each of the 16 contour elements, numbered as the surface elements, for pixels of ``spacing``."""
    height, width = spacing
    diagonal = float(np.hypot(height, width)) / 2
    lengths = np.full(16, diagonal)
    lengths[[0b0000, 0b1111]] = 0
    lengths[[0b0011, 0b1100]] = width
    lengths[[0b0101, 0b1010]] = height
    lengths[[0b0110, 0b1001]] = 2 * diagonal
    return lengths
