"""The user's own tolerance: may the quantized model stand in for full precision on this object?

A gate judges agreement between the models. It says nothing about how right either is: a quantized model may pass and
both be wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pqcomq.comparison.comparison_result import ObjectComparison
from pqcomq.comparison.model_result import Comparison
from pqcomq.comparison.tolerance import Tolerance as Tolerance
from pqcomq.wording import beside, counted

Outcome = Literal["pass", "fail", "undecided"]


@dataclass(frozen=True)
class Verdict:
    """One object judged.

    Attributes:
        name: of the object.
        precision: of the model judged.
        outcome: ``undecided`` where both masks are empty: there is nothing to agree about.
        dice: between the models, over the box's slices.
        volume_difference_percent: (quantized − full precision) / full precision in %; None where that has no volume.
        tolerance: asked for.
        reasons: plain sentences, one for each criterion.
        rests_on: a plain sentence: on which slices, how prompted.
    """

    name: str
    precision: str
    outcome: Outcome
    dice: float
    volume_difference_percent: float | None
    tolerance: Tolerance
    reasons: tuple[str, ...]
    rests_on: str

    @property
    def sentence(self) -> str:
        """The verdict with its reasons, in plain words."""
        return f"{self.name}, {self.precision}: {self.outcome.upper()}. {' '.join(self.reasons)} {self.rests_on}"

    @property
    def short(self) -> str:
        """The verdict in a few words, e.g. ``"FAIL: Dice < 0.98, volume > 5 % off"``."""
        if self.outcome == "undecided":
            return "UNDECIDED: both models found nothing"
        least, most = self.tolerance.dice, self.tolerance.volume_percent
        if self.outcome == "pass":
            return f"PASS: Dice ≥ {least:g}, volume within {most:g} %"
        missed = [] if self.dice >= least else [f"Dice < {least:g}"]
        if not _is_near(self.volume_difference_percent, self.tolerance):
            missed.append(f"volume > {most:g} % off")
        return f"FAIL: {', '.join(missed)}"

    def to_dict(self) -> dict[str, Any]:
        """One row of a table, JSON-ready."""
        return {
            "object": self.name,
            "precision": self.precision,
            "outcome": self.outcome,
            "dice_between_models": self.dice,
            "least_dice_asked": self.tolerance.dice,
            "volume_difference_percent": self.volume_difference_percent,
            "greatest_volume_difference_percent_asked": self.tolerance.volume_percent,
            "reasons": " ".join(self.reasons),
            "rests_on": self.rests_on,
        }


def judge(comparison: Comparison, tolerance: Tolerance, name: str) -> Verdict:
    """Hold a comparison against a tolerance.

    Args:
        comparison: of one object.
        tolerance: the user's.
        name: of the object, for the sentences.

    Returns:
        The verdict; limits themselves pass.
    """
    agreement = comparison.agreement
    if agreement.both_empty:
        outcome: Outcome = "undecided"
        reasons = ["Both models found nothing in the box, so there is nothing to agree about."]
    else:
        enough = agreement.dice >= tolerance.dice
        near = _is_near(agreement.volume_difference_percent, tolerance)
        outcome = "pass" if enough and near else "fail"
        reasons = [
            f"Dice between the models is {beside(tolerance.dice, agreement.dice, 4)}, "
            f"{'at least' if enough else 'below'} the "
            f"{tolerance.dice:g} asked for.",
            _volume_reason(agreement.volume_difference_percent, tolerance, near),
        ]
    if comparison.stability:
        below = tolerance.stability
        told = f"{len(comparison.doubtful_slices(below))} of {counted(len(comparison.slices), 'slice')}"
        reasons.append(f"By itself it is in doubt on {told} (stability below {below:g}).")
    return Verdict(
        name=name,
        precision=comparison.candidate.precision,
        outcome=outcome,
        dice=agreement.dice,
        volume_difference_percent=agreement.volume_difference_percent,
        tolerance=tolerance,
        reasons=tuple(reasons),
        rests_on=_rests_on(comparison),
    )


def judge_objects(objects: Sequence[ObjectComparison], tolerance: Tolerance) -> tuple[Verdict, ...]:
    """Hold every object under every quantized model against a tolerance."""
    return tuple(judge(comparison, tolerance, each.name) for each in objects for comparison in each.comparisons)


def overall(verdicts: Sequence[Verdict]) -> Outcome:
    """All objects together: one that fails fails all, and only if all pass is it a pass."""
    outcomes = {each.outcome for each in verdicts}
    if "fail" in outcomes:
        return "fail"
    return "pass" if outcomes == {"pass"} else "undecided"


def _is_near(difference: float | None, tolerance: Tolerance) -> bool:
    # Volumes are sums of a voxel's volume in floating point: a limit that is met to the voxel must not fail by it.
    return difference is not None and abs(difference) <= tolerance.volume_percent + 1e-9


def _volume_reason(difference: float | None, tolerance: Tolerance, near: bool) -> str:
    if difference is None:
        return "Full precision found nothing where the quantized model found something."
    larger = "larger" if difference > 0 else "smaller"
    apart = beside(tolerance.volume_percent, abs(difference), 2)
    told = f"{apart} % {larger} than" if difference else "the same as"
    where = "within" if near else "outside"
    return f"The volume is {told} full precision's, {where} the {tolerance.volume_percent:g} % asked for."


def _rests_on(comparison: Comparison) -> str:
    prompt = comparison.prompt
    count = len(prompt.slices)
    where = f"slice {prompt.first}" if count == 1 else f"{count} slices ({prompt.first} to {prompt.last})"
    prompted = (
        "each model following its own masks from the prompted slice"
        if comparison.mode == "propagate"
        else f"both prompted with the same {' and '.join(prompt.kinds)} on every slice"
    )
    return f"This rests on {where} of one volume, {prompted}; it is agreement between the models, not accuracy."
