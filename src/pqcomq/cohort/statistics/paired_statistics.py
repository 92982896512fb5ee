"""Is a quantized model worse than full precision by more than a margin stated beforehand?

The unit is the case: prompts of a case are averaged, label by label, and for the whole cohort labels of a case are
averaged again. Cases of one patient belong together: patients are resampled, and tests are on patients' means. All
methods are SciPy's and statsmodels'.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from pqcomq.cohort.statistics.prompt_summary import share_losing
from pqcomq.wording import beside, counted

if TYPE_CHECKING:
    import pandas as pd

ALL_LABELS = "all labels"
FEWEST_PATIENTS = 10
"""Below, no interval decides: those of a bootstrap of so few are too narrow. An exact test may still show a loss."""
_RESAMPLES, _CONFIDENCE, _POWER = 9999, 0.95, 0.8
_ONE_SIDED = (1 - _CONFIDENCE) / 2
_ROUNDING = 1e-9
_NUMBERS = ["full_dice", "quantized_dice", "difference"]

Outcome = Literal["pass", "fail", "undecided"]


@dataclass(frozen=True)
class PairedDifference:
    """Dice against ground truth of a quantized model minus that of full precision.

    Attributes:
        model: name of the quantized model.
        protocol: ``"slice"`` or ``"organ"``.
        label: title, or :data:`ALL_LABELS` for the mean over each case's labels.
        cases: with this label.
        patients: whom they show.
        full_dice: mean over cases.
        quantized_dice: mean over cases.
        difference: mean over cases, negative where the quantized model is worse.
        low: lower end of the 95 % confidence interval (BCa bootstrap over patients); NaN for a single patient.
        high: upper end.
        deviation: standard deviation of the patients' means.
        wilcoxon_p: signed-rank test of no difference, two-sided; Holm's correction over the labels.
        noninferiority_p: signed-rank test of a loss of at least the margin, one-sided; Holm's correction over labels.
        loss_p: signed-rank test of a loss of at most the margin, one-sided; Holm's correction over the labels.
        worst_case: the greatest loss of one case (positive).
        losing: share of single prompts that lose more than :data:`.GREAT_LOSS` of Dice, which a case's mean hides.
        most_lost: by the prompt that loses most (positive).
        patients_needed: to show with a power of 80 % that the loss is below the margin, at the observed spread, if the
            true difference is the observed one, or none where quantization looks better; None where none would do.
        margin: stated.
    """

    model: str
    protocol: str
    label: str
    cases: int
    patients: int
    full_dice: float
    quantized_dice: float
    difference: float
    low: float
    high: float
    deviation: float
    wilcoxon_p: float
    noninferiority_p: float
    loss_p: float
    worst_case: float
    losing: float
    most_lost: float
    patients_needed: int | None
    margin: float

    @property
    def outcome(self) -> Outcome:
        """Whether the quantized model is not inferior.

        The interval's ends decide. Of fewer than :data:`FEWEST_PATIENTS` none passes, and it fails where an exact test
        shows the loss, which takes six at least.
        """
        if self.patients < FEWEST_PATIENTS:
            return "fail" if self.loss_p < _ONE_SIDED else "undecided"
        if self.low > -self.margin:
            return "pass"
        return "fail" if self.high < -self.margin else "undecided"

    @property
    def sentence(self) -> str:
        """The outcome with its reason."""
        return f"{self.label}, {self.model}: {self.outcome.upper()}. {self.finding}"

    @property
    def finding(self) -> str:
        """What was found, and why that decides or does not."""
        count = f"{counted(self.cases, 'case')} of {counted(self.patients, 'patient')}"
        told = f"{self.difference:+.4f} Dice against ground truth on {count}"
        if math.isfinite(self.low):
            told += " (95 % interval {} to {})".format(*self.ends)
        return f"{told}. {self._reason}"

    @property
    def ends(self) -> tuple[str, str]:
        """Both ends of the interval, with as many places as tell their side of the margin; dashes for none."""
        low, high = (
            beside(-self.margin, each, 4, "+") if math.isfinite(each) else "–" for each in (self.low, self.high)
        )
        return low, high

    @property
    def _reason(self) -> str:
        if self.patients == 1:
            return f"One patient is too few to decide on a margin of {self.margin:g}."
        needed = (
            "as things look no number of patients would show it"
            if self.patients_needed is None
            else f"about {self.patients_needed} patients would be needed"
        )
        if self.patients < FEWEST_PATIENTS and self.outcome == "fail":
            shown = f"a signed-rank test shows that it loses more than the {self.margin:g} allowed"
            return f"{self.patients} patients are few, yet {shown} (p = {self.loss_p:.3f})."
        if self.patients < FEWEST_PATIENTS:
            return f"{self.patients} patients are too few to decide on a margin of {self.margin:g}: {needed}."
        if self.outcome == "pass":
            return f"A loss of {self.margin:g} or more is ruled out."
        if self.outcome == "fail":
            return f"It loses more than the {self.margin:g} allowed."
        return f"A loss of {self.margin:g} is neither shown nor ruled out: {needed}."

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready: what is no number is None."""
        content = {**asdict(self), "outcome": self.outcome, "sentence": self.sentence}
        return {
            name: None if isinstance(value, float) and not math.isfinite(value) else value
            for name, value in content.items()
        }


def paired_differences(pairs: pd.DataFrame, model: str, protocol: str, margin: float) -> list[PairedDifference]:
    """All labels together, then each label.

    Args:
        pairs: of :func:`.pairs.paired`.
        model: for the tables.
        protocol: for the tables.
        margin: Dice, above 0.
    """
    by_label = _means_by_label(pairs)
    together = _difference(case_means(pairs), pairs, model, protocol, ALL_LABELS, margin)
    single = [
        _difference(rows, pairs[pairs["label"] == name], model, protocol, str(name), margin)
        for name, rows in by_label.groupby("label")
    ]
    return [together, *_corrected(single)]


def case_means(pairs: pd.DataFrame) -> pd.DataFrame:
    """A row for each case, the mean over its labels, however many prompts each of them has.

    Args:
        pairs: of :func:`.pairs.paired`.

    Returns:
        ``case``, ``patient``, ``full_dice``, ``quantized_dice`` and ``difference``, in the order of the cases.
    """
    return _means_by_label(pairs).groupby(["case", "patient"], sort=True)[_NUMBERS].mean().reset_index()


def _means_by_label(pairs: pd.DataFrame) -> pd.DataFrame:
    return pairs.groupby(["label", "case", "patient"], sort=True)[_NUMBERS].mean().reset_index()


def overall(differences: list[PairedDifference]) -> Outcome:
    """One label that fails fails all, and only if all pass, each and together, is it a pass."""
    outcomes = {each.outcome for each in differences}
    if "fail" in outcomes:
        return "fail"
    return "pass" if outcomes == {"pass"} else "undecided"


def clustered_interval(values: np.ndarray, patients: np.ndarray) -> tuple[float, float]:
    """95 % BCa bootstrap interval of the mean over cases, patients resampled with all their cases.

    Args:
        values: (cases,).
        patients: (cases,) whom each case shows.

    Returns:
        Lower and upper end; NaN where there is a single patient.
    """
    from scipy import stats

    _names, places = np.unique(patients, return_inverse=True)
    sums, counts = np.bincount(places, weights=values), np.bincount(places)
    if len(sums) < 2:
        return math.nan, math.nan
    means = sums / counts
    if np.ptp(means) <= 1e-12:  # patients who are all alike draw the same mean, whoever is drawn: BCa has no answer
        return float(means[0]), float(means[0])

    def mean(drawn: np.ndarray, axis: int = -1) -> np.ndarray:
        chosen = drawn.astype(int)
        quotient: np.ndarray = sums[chosen].sum(axis=axis) / counts[chosen].sum(axis=axis)
        return quotient

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", stats.DegenerateDataWarning)
        found = stats.bootstrap(
            (np.arange(len(sums)),),
            mean,
            n_resamples=_RESAMPLES,
            batch=500,
            confidence_level=_CONFIDENCE,
            method="BCa",
            vectorized=True,
            rng=np.random.default_rng(0),
        )
    return float(found.confidence_interval.low), float(found.confidence_interval.high)


def _difference(
    rows: pd.DataFrame, prompts: pd.DataFrame, model: str, protocol: str, label: str, margin: float
) -> PairedDifference:
    """One label, or all of them together, of cases and of the single prompts they rest on; p-values as they come."""
    values = rows["difference"].to_numpy()
    means = rows.groupby("patient", sort=True)["difference"].mean().to_numpy()
    low, high = clustered_interval(values, rows["patient"].to_numpy().astype(str))
    deviation = float(means.std(ddof=1)) if len(means) > 1 else math.nan
    return PairedDifference(
        model=model,
        protocol=protocol,
        label=label,
        cases=len(rows),
        patients=len(means),
        full_dice=float(rows["full_dice"].mean()),
        quantized_dice=float(rows["quantized_dice"].mean()),
        difference=float(values.mean()),
        low=low,
        high=high,
        deviation=deviation,
        wilcoxon_p=_signed_rank(means, "two-sided"),
        noninferiority_p=_signed_rank(means + margin, "greater"),
        loss_p=_signed_rank(means + margin, "less"),
        worst_case=float(-values.min()),
        losing=share_losing(prompts),
        most_lost=max(0.0, float(-prompts["difference"].min())),
        patients_needed=patients_needed(float(values.mean()), deviation, margin),
        margin=margin,
    )


def _signed_rank(values: np.ndarray, alternative: str) -> float:
    from scipy import stats

    values = np.where(np.abs(values) < _ROUNDING, 0.0, values)  # a loss of just the margin is none of more
    if not values.any():
        return 1.0  # nothing differs, so nothing speaks against it
    # All signs are tried where there are few: with tied ranks an approximation would be taken, and may decide.
    few = 1 < len(values) < FEWEST_PATIENTS
    method = stats.PermutationMethod(n_resamples=2**FEWEST_PATIENTS) if few else "auto"
    return float(stats.wilcoxon(values, alternative=alternative, method=method).pvalue)


def patients_needed(difference: float, deviation: float, margin: float) -> int | None:
    """Patients that a one-sided paired t-test at 2.5 % needs for a power of 80 %.

    Args:
        difference: taken for the true one, but never for better than none.
        deviation: of the patients' means.
        margin: of non-inferiority.

    Returns:
        At least :data:`FEWEST_PATIENTS`; None where the spread is unknown or the difference itself reaches the margin.
    """
    from statsmodels.stats.power import TTestPower

    room = margin + min(difference, 0.0)
    if not math.isfinite(deviation) or room <= 0:
        return None
    effect = room / deviation if deviation else math.inf
    if effect > 3:  # a handful would do, and the solver finds no number that small
        return FEWEST_PATIENTS
    found = TTestPower().solve_power(effect_size=effect, alpha=_ONE_SIDED, power=_POWER, alternative="larger")
    return max(FEWEST_PATIENTS, math.ceil(float(np.ravel(found)[0])))


def _corrected(differences: list[PairedDifference]) -> list[PairedDifference]:
    """The same with Holm's correction over the labels."""
    from statsmodels.stats.multitest import multipletests

    corrected = {
        name: multipletests([getattr(each, name) for each in differences], method="holm")[1].tolist()
        for name in ("wilcoxon_p", "noninferiority_p", "loss_p")
    }
    return [
        replace(each, **{name: values[place] for name, values in corrected.items()})
        for place, each in enumerate(differences)
    ]
