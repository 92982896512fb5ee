"""The synthetic CT while it is drawn: solid shapes painted in order, with soft edges and exact labels."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import ndimage

from pqcomq.samples.phantom_shapes import Distance, Solid

Hounsfield = float | Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray], np.ndarray]
"""One value in HU, or values from signed distance, x, y, z (mm)."""

EDGE_MM = 2.0
"""Width over which a shape's edge fades into what surrounds it: the scanner's resolution."""
WARP_MM = 4.0
"""Standard deviation of the random deformation."""
WARP_REACH_MM = 4 * WARP_MM
"""How far the deformation can move a shape, for cropping only."""


class Canvas:
    """Voxels to paint on.

    Attributes:
        hounsfield: (z, y, x) float32, air at first.
        labels: (z, y, x) uint8, 0 at first.
    """

    def __init__(
        self, size: tuple[int, int, int], spacing: tuple[float, float, float], rng: np.random.Generator
    ) -> None:
        """An empty canvas centred on the origin.

        Args:
            size: voxels along x, y, z.
            spacing: mm along x, y, z.
            rng: decides the deformation, which moves everything painted.
        """
        shape = size[::-1]
        self.hounsfield = np.full(shape, -1000, np.float32)
        self.labels = np.zeros(shape, np.uint8)
        x, y, z = (
            (np.arange(n, dtype=np.float32) - (n - 1) / 2) * np.float32(step)
            for n, step in zip(size, spacing, strict=True)
        )
        self._axes = z, y, x
        self._x = x + WARP_MM * smooth_noise(shape, (5, 6, 6), rng)
        self._y = y[:, None] + WARP_MM * smooth_noise(shape, (5, 6, 6), rng)
        self._z = z[:, None, None] + WARP_MM * smooth_noise(shape, (5, 6, 6), rng)
        self._kept: dict[Distance, np.ndarray] = {}
        self._painting: tuple[tuple[slice, ...], np.ndarray] | None = None

    def paint(
        self, shape: Solid, value: Hounsfield, label: int | None = 0, roughness: np.ndarray | None = None
    ) -> None:
        """Paint a shape over what is there.

        Args:
            shape: what to paint.
            value: its Hounsfield units.
            label: label of the voxels mostly inside; 0 takes labels away, None leaves them (something in an organ).
            roughness: (z, y, x) mm added to the distance, to roughen the surface.
        """
        crop = tuple(
            slice(*np.searchsorted(axis, [low - WARP_REACH_MM, high + WARP_REACH_MM]))
            for axis, low, high in zip(self._axes, shape.low[::-1], shape.high[::-1], strict=True)
        )
        self._paint(crop, shape.distance, value, label, roughness)

    def kept(self, distance: Distance) -> Distance:
        """A distance that many shapes painted here need, computed once for all voxels and then looked up."""
        if distance not in self._kept:
            self._kept[distance] = distance(self._x, self._y, self._z)
            self._kept[distance].flags.writeable = False  # parts of it are handed out
        everywhere = self._kept[distance]

        def looked_up(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
            if self._painting is not None and x is self._painting[1]:
                return everywhere[self._painting[0]]
            return distance(x, y, z)  # of single voxels

        return looked_up

    def fill(self, distance: Distance, value: Hounsfield) -> None:
        """Paint a shape that may be anywhere in the volume, unlabelled."""
        self._paint((slice(None),) * 3, distance, value, 0, None)

    def _paint(
        self,
        crop: tuple[slice, ...],
        distance: Distance,
        value: Hounsfield,
        label: int | None,
        roughness: np.ndarray | None,
    ) -> None:
        x, y, z = self._x[crop], self._y[crop], self._z[crop]
        self._painting = crop, x
        depth = distance(x, y, z)
        if roughness is not None:
            depth = depth + roughness[crop]
        cover = np.clip(0.5 - depth / EDGE_MM, 0, 1)
        paint = value(depth, x, y, z) if callable(value) else value
        self.hounsfield[crop] += cover * (paint - self.hounsfield[crop])
        if label is not None:
            self.labels[crop][depth < 0] = label


def smooth_noise(shape: tuple[int, ...], knots: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """A smooth random float32 field of zero mean and unit deviation, with ``knots`` hills along each axis."""
    field = rng.standard_normal(knots).astype(np.float32)
    for axis, (length, count) in enumerate(zip(shape, knots, strict=True)):
        # One bell over each knot, along one axis after the other: far cheaper than filtering the whole volume.
        at, center = np.linspace(0, 1, length), np.linspace(0, 1, count)
        bells = np.exp(-0.5 * ((at[:, None] - center) * (count - 1) / 0.6) ** 2).astype(np.float32)
        field = np.moveaxis(np.tensordot(bells, field, axes=(1, axis)), 0, axis)
    field -= field.mean()
    return np.asarray(field / field.std(), dtype=np.float32)


def scanned(hounsfield: np.ndarray, deviation: float, rng: np.random.Generator) -> np.ndarray:
    """What the scanner delivers: the painting with noise of ``deviation`` HU, grainy within the slice, as int16."""
    noise = rng.standard_normal(hounsfield.shape, dtype=np.float32)
    noise = ndimage.gaussian_filter(noise, (0, 0.7, 0.7))
    noise *= deviation / noise.std()
    delivered: np.ndarray = np.clip(np.rint(hounsfield + noise), -1024, 3071).astype(np.int16)
    return delivered
