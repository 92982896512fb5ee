"""Whether planes stand at even distances along their normal."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pqcomq.volumes.dicom.headers import PlaneHeader

SAME_PLACE = 1e-3
"""Millimetres: planes closer than this are at the same position."""
EVENNESS = 0.1
"""How far a slice may lie from its place on the regular grid, as a part of the spacing."""
ROUNDING = 0.1
"""The same in millimetres for thin slices, whose positions some scanners write with one decimal."""
MOST_UNEVENNESS = 0.25
"""Bound of both, as a part of the spacing: one missing slice moves another by at least a third."""


def heights(planes: Sequence[PlaneHeader]) -> np.ndarray:
    """Millimetres along the first plane's normal (n,); all planes say where they lie."""
    orientation = np.array(planes[0].orientation, dtype=np.float64)
    normal = np.cross(orientation[:3], orientation[3:])
    length = float(np.linalg.norm(normal))
    positions = np.array([plane.position for plane in planes], dtype=np.float64)
    along: np.ndarray = positions @ (normal / length if length > 0 else normal)
    return along


def allowed_unevenness(spacing: float) -> float:
    """How far a slice may lie from its place on a regular grid of this spacing, mm."""
    return max(EVENNESS * spacing, min(ROUNDING, MOST_UNEVENNESS * spacing))


def is_even(along: np.ndarray) -> bool:
    """Whether ascending positions, mm (n,), are those of a regular grid but for rounding."""
    spacing = (along[-1] - along[0]) / (len(along) - 1)
    regular = along[0] + spacing * np.arange(len(along))
    return bool(np.abs(along - regular).max() <= allowed_unevenness(spacing))


def doubled(along: np.ndarray) -> int:
    """How many of ascending positions, mm (n,), are those of another."""
    return int(np.count_nonzero(np.diff(along) < SAME_PLACE))


def is_stack(planes: Sequence[PlaneHeader]) -> bool:
    """Whether planes stand at even distances, each at a place of its own; a single one does."""
    along = np.sort(heights(planes))
    return len(along) == 1 or (not doubled(along) and is_even(along))
