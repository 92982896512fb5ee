"""Where two models that each follow their own masks first diverge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pqcomq.comparison.measures.slice_scores import SliceScores

DIVERGENCE_DICE = 0.95
"""Dice between the models below which they no longer see the same outline; below it the boxes that they hand to the
next slice begin to differ by pixels, not by fractions of one."""


@dataclass(frozen=True)
class Divergence:
    """The first slice, counted from the prompted one, on which the models disagree.

    Attributes:
        z: slice number in LPS order.
        steps: slices between it and the slice that the user's prompt was given on.
        agreement: Dice between the models on it.
        below: the limit that it fell below.
    """

    z: int
    steps: int
    agreement: float
    below: float

    def __str__(self) -> str:
        """A sentence for people."""
        away = "on the prompted slice itself" if self.steps == 0 else f"{self.steps} from the prompted slice"
        return f"The models diverge on slice {self.z}, {away}: Dice {self.agreement:.3f} between them there."


def first_divergence(slices: Sequence[SliceScores], start: int, below: float = DIVERGENCE_DICE) -> Divergence | None:
    """Find it.

    Propagation runs from the prompted slice in both directions, so the first is the one with the fewest steps; of
    two equally far, the one with the lower Dice.

    Args:
        slices: scores of the prompt's slices, in any order.
        start: the slice that the user's prompt was given on.
        below: Dice between the models under which they count as parted.

    Returns:
        None where they stay together throughout.
    """
    parted = [each for each in slices if each.agreement < below]
    if not parted:
        return None
    first = min(parted, key=lambda each: (abs(each.z - start), each.agreement))
    return Divergence(first.z, abs(first.z - start), first.agreement, below)
