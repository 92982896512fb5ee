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
        candidate_stability: stability score of the candidate's own answer, from 0, in doubt, to 1; told without asking
            full precision. None where it was not prompted, and in files from before it was kept.
    """

    z: int
    agreement: float
    reference_accuracy: float | None
    candidate_accuracy: float | None
    candidate_stability: float | None = None
