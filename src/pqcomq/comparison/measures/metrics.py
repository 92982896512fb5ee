"""How much two masks agree: Dice, surface distances, volumes.

The same numbers serve two questions that must not be confused: agreement (one model against another) and accuracy
(a model against the truth). They are labelled where they are shown, not here.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np

from pqcomq.comparison.measures.surface_distance import surface_distances

NSD_TOLERANCE_MM = 2.0
"""Distance up to which two surfaces count as the same, the MedSAM authors' choice."""


@dataclass(frozen=True)
class Scores:
    """Two masks, a and b, compared.

    Attributes:
        dice: overlap of the volumes, 0 to 1.
        nsd: normalized surface distance: share of both surfaces within the tolerance of the other, 0 to 1.
        hd95_mm: 95 % Hausdorff distance in mm, the larger of both directions; infinite when one mask is empty.
        volume_a_ml: volume of a in mL.
        volume_b_ml: volume of b in mL.
        volume_difference_percent: (b − a) / a in %; None when a is empty.
        both_empty: neither mask holds a voxel; they agree, but about nothing.
        nsd_tolerance_mm: the tolerance behind ``nsd``.
    """

    dice: float
    nsd: float
    hd95_mm: float
    volume_a_ml: float
    volume_b_ml: float
    volume_difference_percent: float | None
    both_empty: bool
    nsd_tolerance_mm: float = NSD_TOLERANCE_MM

    def to_dict(self) -> dict[str, float | bool | None]:
        """The scores for JSON, which has no infinity: ``hd95_mm`` is then null and ``hd95_infinite`` true."""
        infinite = math.isinf(self.hd95_mm)
        return {**asdict(self), "hd95_mm": None if infinite else self.hd95_mm, "hd95_infinite": infinite}

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> Self:
        """The inverse of :meth:`to_dict`."""
        known = dict(content)
        infinite = known.pop("hd95_infinite")
        return cls(**{**known, "hd95_mm": math.inf if infinite else known["hd95_mm"]})


def dice(a: np.ndarray, b: np.ndarray) -> float:
    """Dice's coefficient of two masks of one shape; 1 when both are empty.

    Raises:
        ValueError: the shapes differ.
    """
    if a.shape != b.shape:
        raise ValueError(f"masks of shapes {a.shape} and {b.shape} cannot be compared")
    inside_a, inside_b = a.astype(bool), b.astype(bool)
    total = int(np.count_nonzero(inside_a)) + int(np.count_nonzero(inside_b))
    return 2 * int(np.count_nonzero(inside_a & inside_b)) / total if total else 1.0


def scores(
    a: np.ndarray,
    b: np.ndarray,
    spacing_zyx: tuple[float, float, float],
    nsd_tolerance_mm: float = NSD_TOLERANCE_MM,
) -> Scores:
    """Compare two masks.

    Args:
        a: (z, y, x), true or non-zero inside: the reference. One slice (z = 1) is compared as a plane figure.
        b: (z, y, x), of the same shape: the candidate.
        spacing_zyx: mm between voxel centres, z y x: ``Grid.spacing_zyx``, not SimpleITK's x y z.
        nsd_tolerance_mm: largest distance at which surfaces count as the same.

    Returns:
        The scores; when both masks are empty Dice and NSD are 1 and the distance 0, when one is, 0, 0 and infinite.

    Raises:
        ValueError: the masks are not 3-D arrays of one shape, or the spacing is not three positive numbers.
    """
    if a.ndim != 3 or a.shape != b.shape:
        raise ValueError(f"expected two z y x masks of one shape, not {a.shape} and {b.shape}")
    if len(spacing_zyx) != 3 or not all(math.isfinite(step) and step > 0 for step in spacing_zyx):
        raise ValueError(f"expected three positive spacings z y x in mm, not {spacing_zyx}")
    a, b = a.astype(bool), b.astype(bool)
    millilitres = math.prod(spacing_zyx) / 1000
    volume_a, volume_b = int(np.count_nonzero(a)) * millilitres, int(np.count_nonzero(b)) * millilitres
    nsd, hd95 = _surface_scores(a, b, spacing_zyx, nsd_tolerance_mm)
    return Scores(
        dice=dice(a, b),
        nsd=nsd,
        hd95_mm=hd95,
        volume_a_ml=volume_a,
        volume_b_ml=volume_b,
        volume_difference_percent=100 * (volume_b - volume_a) / volume_a if volume_a else None,
        both_empty=not volume_a and not volume_b,
        nsd_tolerance_mm=nsd_tolerance_mm,
    )


def _surface_scores(
    a: np.ndarray, b: np.ndarray, spacing_zyx: tuple[float, float, float], tolerance_mm: float
) -> tuple[float, float]:
    """NSD and 95 % Hausdorff distance in mm of two bool masks."""
    if np.array_equal(a, b):
        return 1.0, 0.0
    if not (a.any() and b.any()):
        return 0.0, math.inf
    there, back = surface_distances(a, b, spacing_zyx)
    nsd = (there.within(tolerance_mm) + back.within(tolerance_mm)) / (there.area + back.area)
    return nsd, max(there.percentile(95), back.percentile(95))
