"""The threshold of a cascade that a cohort has told for given weights."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pqcomq.cohort.cohort_result import CohortResult
from pqcomq.cohort.statistics.doubt_statistics import CAUGHT, LEAST_AGREEMENT, DoubtStatistics, doubt_statistics
from pqcomq.cohort.statistics.pairs import paired, protocols_of
from pqcomq.errors import InputError
from pqcomq.wording import counted


@dataclass(frozen=True)
class CascadeThreshold:
    """Below which stability score full precision is to be asked, and what that rests on.

    Attributes:
        cases: of the cohort.
        doubt: of the model in that cohort.
    """

    cases: int
    doubt: DoubtStatistics

    @property
    def threshold(self) -> float:
        """Stability score that catches :data:`.CAUGHT` of the cohort's disagreements, rounded up to three places."""
        return min(1.0, math.ceil(1000 * self.doubt.threshold) / 1000)

    @property
    def sentence(self) -> str:
        """What the threshold caught there, and what thresholds chosen without a patient caught on that patient."""
        doubt = self.doubt
        held_back = (
            "Of a single patient nobody knows what it catches on another."
            if math.isnan(doubt.sent)
            else f"Thresholds chosen so on other patients sent {doubt.sent:.0%} of the prompts on and caught "
            f"{doubt.caught:.0%}."
        )
        return (
            f"{doubt.model} on {counted(self.cases, 'case')}: at least {CAUGHT:.0%} of its "
            f"{counted(doubt.disagreeing, 'disagreement')} with full precision (Dice below "
            f"{LEAST_AGREEMENT:g}, {counted(doubt.prompts, 'prompt')}) had a stability score below "
            f"{self.threshold:.3f}. {held_back}"
        )

    @classmethod
    def of(cls, result: CohortResult, fingerprint: str) -> CascadeThreshold:
        """Look a model up by its weights.

        Args:
            result: of the cohort.
            fingerprint: of the quantized model's weights, hexadecimal.

        Raises:
            InputError: the cohort did not score these weights, not slice by slice, or they never disagreed there.
        """
        place = next((n for n, each in enumerate(result.settings.quantized) if each.fingerprint == fingerprint), None)
        folder = result.store.folder
        if place is None:
            scored = ", ".join(each.name for each in result.models[1:])
            raise InputError(f"The cohort did not score these weights, but others: {scored}.", folder)
        if "slice" not in protocols_of(result.scores):
            raise InputError("The cohort tells no threshold: no case of it was scored slice by slice.", folder)
        name = result.models[1 + place * len(result.settings.runtimes)].name  # on the first of its runtimes
        doubt = doubt_statistics(paired(result.scores, name, "slice"), name)
        if not math.isfinite(doubt.threshold):
            raise InputError(
                f"The cohort tells no threshold: {name} never disagreed with full precision there (Dice below "
                f"{LEAST_AGREEMENT:g}).",
                folder,
            )
        return cls(result.scored, doubt)
