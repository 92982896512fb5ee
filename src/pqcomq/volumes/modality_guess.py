"""CT or MR, for files that do not say: told from how the values are distributed, never from a single voxel.

A CT has air near -1000 HU or lung above it, soft tissue round 0 to 100, and next to nothing below air but padding. MR
magnitudes are not negative and have a dark background; subtractions, phases and normalized images spread evenly to both
sides of 0. What is none of these, e.g. a CT cropped to one organ, is doubtful, and is called so.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pqcomq.volumes.volume import Modality

MOST_SAMPLES = 1 << 20
LOWEST_HU = -1100
"""Below air, with noise: in a CT only padding and a few overshoots lie there."""
AIR, LUNG, SOFT = (-1100, -850), (-950, -400), (-200, 300)
"""Ranges in HU."""
MIRRORED, LOPSIDED = tuple((-high, -low) for low, high in (AIR, LUNG)), 3
"""A subtraction has as many values as high above 0; a CT has at least this many times as much air, or lung, as that."""
LEAST_HU = -300
"""What some voxel of a CT lies below even where it was cropped to the inside of the body: fat, noise, gas."""
SOME, PLENTY = 0.01, 0.05
"""Shares of the voxels that are no accident: of air or lung, and of soft tissue."""
MOST_OF_A_PICTURE = 255
SLIGHTLY = 0.3
"""Share of the bright values to which filters make the dark ones negative."""
WATER_OF_UNSIGNED = (900, 1300)
"""Where soft tissue lies in a CT whose values were shifted to begin at 0."""


@dataclass(frozen=True)
class Guess:
    """What a file's values look like.

    Attributes:
        modality: the likelier one.
        is_sure: whether the values leave no doubt.
        reason: the rest of a sentence.
    """

    modality: Modality
    is_sure: bool
    reason: str

    @property
    def sentence(self) -> str:
        """For people."""
        if self.is_sure:
            return f"Taken for {self.modality}: {self.reason}."
        return f"Taken for {self.modality}, which is doubtful: {self.reason}; set the modality if it is another."


def guess_modality(voxels: np.ndarray) -> Guess:
    """Tell CT from MR.

    Args:
        voxels: (z, y, x), finite numbers.
    """
    flat = voxels.reshape(-1)
    values = flat[:: max(1, flat.size // MOST_SAMPLES)].astype(np.float64)
    values, padding = _without_padding(values)
    padded = f" (apart from padding of {padding:g})" if padding is not None else ""
    if values.size == 0 or values.min() == values.max():
        return Guess("MR", False, f"all values are the same{padded}")
    below = float((values < LOWEST_HU).mean())
    air, lung, soft = (_share(values, *limits) for limits in (AIR, LUNG, SOFT))
    one_sided = air >= LOPSIDED * _share(values, *MIRRORED[0]) or lung >= LOPSIDED * _share(values, *MIRRORED[1])
    if below < SOME and max(air, lung) >= SOME and one_sided:
        kind = "air" if air >= lung else "lung"
        told = f"{max(air, lung):.0%} of its values are those of {kind} in Hounsfield units{padded}"
        return Guess("CT", soft >= PLENTY, told if soft >= PLENTY else f"{told}, but hardly any of soft tissue")
    if 1 < values.max() <= MOST_OF_A_PICTURE and values.min() >= 0 and np.array_equal(values, np.rint(values)):
        return Guess("MR", False, "its values are those of an 8-bit picture, which may show anything")
    bright = float(np.percentile(values, 99.5))
    slightly = values.min() > -SLIGHTLY * bright
    if (negative := float((values < 0).mean())) >= SOME and not slightly:
        return _with_negatives(values, negative, below, padded)
    if _share(values, *WATER_OF_UNSIGNED) >= 0.25 and bright < 5 * WATER_OF_UNSIGNED[0]:
        return Guess("MR", False, "its values could also be Hounsfield units that were shifted to begin at 0")
    if float((values < 0.1 * bright).mean()) >= 10 * SOME:
        return Guess("MR", True, f"its values are hardly negative, and its background is dark{padded}")
    return Guess("MR", False, f"its values are not negative, but a CT cropped to soft tissue has none, either{padded}")


def _with_negatives(values: np.ndarray, negative: float, below: float, padded: str) -> Guess:
    """Values on both sides of 0 without the air of a CT."""
    low, high = np.percentile(values, (1, 99))
    # Fat and soft tissue with bone: a long tail of high values, and next to none of low ones.
    if below < SOME and _share(values, *SOFT) >= 0.5 and LOWEST_HU <= values.min() <= LEAST_HU and high > 2 * -low:
        told = f"its values are those of soft tissue in Hounsfield units, but hardly any are air{padded}"
        return Guess("CT", False, told)
    if below >= SOME:
        return Guess("MR", False, f"{below:.0%} of its values lie below air in Hounsfield units{padded}")
    if np.abs(values).max() < -LOWEST_HU / 10:
        return Guess("MR", True, "its values are small and lie on both sides of 0, as normalized ones do")
    return Guess("MR", False, f"{negative:.0%} of its values are negative, but none are those of air{padded}")


def _share(values: np.ndarray, low: float, high: float) -> float:
    return float(((values >= low) & (values <= high)).mean())


def _without_padding(values: np.ndarray) -> tuple[np.ndarray, float | None]:
    """Leave out the lowest value where it is below air and occurs again and again, as no measured value does."""
    lowest = float(values.min())
    outside = values == lowest
    # Beside it lies a gap: padding is no tail of the values.
    rest = values[~outside]
    if lowest >= LOWEST_HU or outside.sum() < 2 or rest.size == 0 or rest.min() - lowest < 100:
        return values, None
    return rest, lowest
