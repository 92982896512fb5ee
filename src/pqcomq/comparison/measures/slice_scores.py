"""Dice on one slice."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SliceScores:
    """Dice on one slice.

    Attributes:
        z: slice number in LPS order, 0 nearest the feet.
        agreement: candidate against reference.
        reference_accuracy: reference against ground truth, None where there is none.
        candidate_accuracy: candidate against ground truth, None where there is none.
    """

    z: int
    agreement: float
    reference_accuracy: float | None
    candidate_accuracy: float | None
