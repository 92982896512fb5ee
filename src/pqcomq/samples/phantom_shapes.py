"""Solid shapes by signed distance: ellipsoids and tubes, blended, carved and clipped.

A signed distance is negative inside, zero on the surface and positive outside, in mm; here it is approximate away from
the surface, which is enough to draw with. Coordinates are mm, x to the patient's left, y to the back, z to the head.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

Point = tuple[float, float, float]
Distance = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Solid:
    """A shape and where it can be.

    Attributes:
        distance: signed distance in mm from arrays x, y, z of one shape.
        low: lowest x, y, z that the shape reaches.
        high: highest x, y, z.
    """

    distance: Distance
    low: Point
    high: Point


def ellipsoid(center: Point, radii: Point, tilt: float = 0.0, turn: float = 0.0) -> Solid:
    """An ellipsoid; ``tilt`` turns it about the front-back axis, ``turn`` about the long axis, in radians."""
    cos_t, sin_t, cos_r, sin_r = math.cos(tilt), math.sin(tilt), math.cos(turn), math.sin(turn)

    def distance(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        dx, dy, dz = x - center[0], y - center[1], z - center[2]
        if tilt:
            dx, dz = cos_t * dx - sin_t * dz, sin_t * dx + cos_t * dz
        if turn:
            dx, dy = cos_r * dx - sin_r * dy, sin_r * dx + cos_r * dy
        px, py, pz = np.square(dx / radii[0]), np.square(dy / radii[1]), np.square(dz / radii[2])
        # The level of the point over the level's slope there: the distance to first order.
        level = np.sqrt(px + py + pz)
        slope = np.sqrt(px / radii[0] ** 2 + py / radii[1] ** 2 + pz / radii[2] ** 2)
        distance: np.ndarray = level * (level - 1) / np.maximum(slope, 1e-6)
        return distance

    # A tilted ellipsoid stays within its greatest radius.
    reach = radii if tilt == 0 and turn == 0 else (max(radii),) * 3
    return Solid(distance, _shifted(center, reach, -1), _shifted(center, reach, 1))


def tube(path: Sequence[tuple[float, float, float, float]]) -> Solid:
    """A bent tube through points x, y, z with a radius at each, which changes evenly between them."""
    points = np.array(path, dtype=np.float32)

    def distance(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        nearest = np.full(x.shape, np.inf, dtype=np.float32)
        for start, end in pairwise(points):
            step = end - start
            length = max(float(step[:3] @ step[:3]), 1e-6)
            along = ((x - start[0]) * step[0] + (y - start[1]) * step[1] + (z - start[2]) * step[2]) / length
            along = np.clip(along, 0, 1)
            square = (x - start[0] - along * step[0]) ** 2
            square += (y - start[1] - along * step[1]) ** 2
            square += (z - start[2] - along * step[2]) ** 2
            nearest = np.minimum(nearest, np.sqrt(square) - start[3] - along * step[3])
        return nearest

    low = (points[:, :3] - points[:, 3:]).min(axis=0).tolist()
    high = (points[:, :3] + points[:, 3:]).max(axis=0).tolist()
    return Solid(distance, (low[0], low[1], low[2]), (high[0], high[1], high[2]))


def blended(a: Solid, b: Solid, width: float) -> Solid:
    """The union of two shapes, the crease between them filled over ``width`` mm."""

    def distance(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        return _smooth_least(a.distance(x, y, z), b.distance(x, y, z), width)

    low = (min(a.low[0], b.low[0]), min(a.low[1], b.low[1]), min(a.low[2], b.low[2]))
    high = (max(a.high[0], b.high[0]), max(a.high[1], b.high[1]), max(a.high[2], b.high[2]))
    return Solid(distance, _shifted(low, (width,) * 3, -1), _shifted(high, (width,) * 3, 1))


def carved(a: Solid, b: Solid, gap: float = 0.0, width: float = 4.0) -> Solid:
    """Shape ``a`` without ``b`` and without a layer of ``gap`` mm round it, the rim rounded over ``width`` mm."""
    margin = gap + 2 * width

    def distance(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        result = a.distance(x, y, z)
        # Only near b, where it can matter to the surface: most of a large shape is far from what is cut out of it.
        near = np.ones(result.shape, dtype=bool)
        for values, low, high in zip((x, y, z), b.low, b.high, strict=True):
            near &= (values > low - margin) & (values < high + margin)
        outside_b = b.distance(x[near], y[near], z[near]) - gap
        result[near] = -_smooth_least(-result[near], outside_b, width)
        return result

    return Solid(distance, a.low, a.high)


def within(a: Solid, container: Distance, gap: float = 0.0, width: float = 4.0) -> Solid:
    """Shape ``a`` as far as it lies inside a container, ``gap`` mm from its wall, the rim rounded over ``width`` mm."""

    def distance(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        return -_smooth_least(-a.distance(x, y, z), -container(x, y, z) - gap, width)

    return Solid(distance, a.low, a.high)


def _smooth_least(a: np.ndarray, b: np.ndarray, width: float) -> np.ndarray:
    """The lesser of two arrays, with the kink between them rounded over ``width``."""
    mix = np.maximum(width - np.abs(a - b), 0) / width
    return np.asarray(np.minimum(a, b) - mix * mix * (width / 4))


def _shifted(point: Point, reach: Point, sign: int) -> Point:
    return point[0] + sign * reach[0], point[1] + sign * reach[1], point[2] + sign * reach[2]
