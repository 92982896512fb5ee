"""Whether a quantized model's own doubt tells where full precision would disagree, and what a cascade makes of it.

Every number here is of prompts that the score was not fitted on: patients are left out one group at a time.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pqcomq.cohort.statistics.prompt_summary import Stratum, finite, share_losing, strata_of, worst_decile

if TYPE_CHECKING:
    import pandas as pd

LEAST_AGREEMENT = 0.9
"""Dice between the models below which they disagree."""
SCORES = {
    "doubt_stability": "stability score",
    "doubt_moved_boxes": "agreement under moved boxes",
    "doubt_certainty": "mean certainty",
}
COMBINED = "all three, fitted on other patients"
CAUGHT = 0.95
"""Share of disagreements that a threshold is to catch."""
_FOLDS = 10
_SHARES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0)


@dataclass(frozen=True)
class CascadePoint:
    """What a cascade gives that sends some share of the prompts on to full precision.

    Attributes:
        sent: share of the prompts sent on, the most doubtful ones.
        threshold: stability score below which they are sent.
        dice: mean against ground truth.
        worst_decile: mean of the worst tenth of the prompts, against ground truth.
        worst_dice: of the worst prompt, against ground truth.
        between: mean Dice against full precision.
        losing: share of prompts that lose more than :data:`GREAT_LOSS` of Dice against ground truth.
        milliseconds: mean time of the networks for a slice and a box; NaN where low bits are simulated.
        strata: by how right full precision is.
    """

    sent: float
    threshold: float
    dice: float
    worst_decile: float
    worst_dice: float
    between: float
    losing: float
    milliseconds: float
    strata: tuple[Stratum, ...]


@dataclass(frozen=True)
class DoubtStatistics:
    """One quantized model's doubt.

    Attributes:
        model: name.
        prompts: how many.
        disagreeing: with Dice below :data:`LEAST_AGREEMENT` against full precision.
        auroc: title of each score → area under the ROC curve for disagreement; NaN where none or all disagree.
        curve: the cascade by the stability score.
        threshold: of the stability score, that catches :data:`CAUGHT` of this cohort's disagreements; NaN for none.
        sent: share of prompts sent on by thresholds chosen so on other patients; NaN where there are none.
        caught: share of disagreements that those catch; NaN where there are none of either.
    """

    model: str
    prompts: int
    disagreeing: int
    auroc: dict[str, float]
    curve: tuple[CascadePoint, ...]
    threshold: float
    sent: float
    caught: float

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        content = asdict(self)
        content["auroc"] = {name: _known(value) for name, value in self.auroc.items()}
        content["curve"] = [finite(asdict(each)) for each in self.curve]
        return {name: _known(value) if isinstance(value, float) else value for name, value in content.items()}


def doubt_statistics(
    pairs: pd.DataFrame, model: str, small_ms: float = math.nan, full_ms: float = math.nan
) -> DoubtStatistics:
    """Judge a model's doubt.

    Args:
        pairs: of :func:`.pairs.paired` by slices.
        model: for the tables.
        small_ms: of the quantized model's networks for a slice and a box.
        full_ms: of full precision's.
    """
    disagrees = (pairs["dice_between_models"] < LEAST_AGREEMENT).to_numpy()
    doubt = {title: -pairs[name].to_numpy() for name, title in SCORES.items()}
    folds = _folds(pairs["patient"].to_numpy().astype(str))
    auroc = {title: area_under_roc(values, disagrees) for title, values in doubt.items()}
    auroc[COMBINED] = area_under_roc(_combined(np.column_stack(list(doubt.values())), disagrees, folds), disagrees)
    stability = pairs["doubt_stability"].to_numpy()
    sent = sent_by_other_patients(pairs)
    is_known = len(np.unique(folds)) > 1
    return DoubtStatistics(
        model=model,
        prompts=len(pairs),
        disagreeing=int(disagrees.sum()),
        auroc=auroc,
        curve=tuple(_point(pairs, stability, each, small_ms, full_ms) for each in _thresholds(stability)),
        threshold=catching(stability, disagrees) if disagrees.any() else math.nan,
        sent=float(sent.mean()) if is_known else math.nan,
        caught=float(sent[disagrees].mean()) if is_known and disagrees.any() else math.nan,
    )


def sent_by_other_patients(pairs: pd.DataFrame) -> np.ndarray:
    """Which prompts a cascade sends on whose threshold was chosen without their patient.

    Args:
        pairs: of :func:`.pairs.paired` by slices.

    Returns:
        (prompts,) bool; none of a single patient, for whom there are no others.
    """
    disagrees = (pairs["dice_between_models"] < LEAST_AGREEMENT).to_numpy()
    folds = _folds(pairs["patient"].to_numpy().astype(str))
    stability = pairs["doubt_stability"].to_numpy()
    sent = np.zeros(len(pairs), bool)
    for fold in np.unique(folds):
        sent[folds == fold] = stability[folds == fold] < catching(stability[folds != fold], disagrees[folds != fold])
    return sent


def cascaded(pairs: pd.DataFrame, sent: np.ndarray) -> pd.DataFrame:
    """The pairs as a cascade would give them: full precision's answer for what is sent on.

    Args:
        pairs: of :func:`.pairs.paired` by slices.
        sent: (prompts,) bool.
    """
    given = pairs.copy()
    given["quantized_dice"] = np.where(sent, pairs["full_dice"], pairs["quantized_dice"])
    given["dice_between_models"] = np.where(sent, 1.0, pairs["dice_between_models"])
    given["difference"] = given["quantized_dice"] - given["full_dice"]
    return given


def area_under_roc(doubt: np.ndarray, disagrees: np.ndarray) -> float:
    """The chance that a prompt with disagreement has more doubt than one without; SciPy's Mann–Whitney U over n₁ n₂.

    Args:
        doubt: (prompts,), higher where less sure; NaN is left out.
        disagrees: (prompts,) bool.
    """
    from scipy import stats

    known = np.isfinite(doubt)
    yes, no = doubt[known & disagrees], doubt[known & ~disagrees]
    if not (yes.size and no.size):
        return math.nan
    wins = float(stats.mannwhitneyu(yes, no).statistic)
    return wins / float(yes.size * no.size)


def catching(stability: np.ndarray, disagrees: np.ndarray) -> float:
    """The least threshold below which :data:`CAUGHT` of the disagreements lie; 0 where there is none to learn from."""
    if not disagrees.any():
        return 0.0
    highest = float(np.quantile(stability[disagrees], CAUGHT, method="higher"))
    return float(np.nextafter(highest, np.inf))


def _folds(patients: np.ndarray) -> np.ndarray:
    """A number for each prompt; all prompts of a patient have the same."""
    _names, places = np.unique(patients, return_inverse=True)
    return np.asarray(places % _FOLDS)


def _combined(doubt: np.ndarray, disagrees: np.ndarray, folds: np.ndarray) -> np.ndarray:
    """The chance of disagreement by a logistic regression on the other folds; NaN where those cannot teach it."""
    import statsmodels.api as sm

    chance = np.full(len(doubt), np.nan)
    for fold in np.unique(folds):
        here, others = folds == fold, folds != fold
        if len(np.unique(disagrees[others])) < 2:
            continue
        centre, spread = doubt[others].mean(axis=0), doubt[others].std(axis=0) + 1e-9
        inputs = sm.add_constant((doubt - centre) / spread, has_constant="add")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # classes that part exactly are what is hoped for; the penalty holds them
            fitted = sm.GLM(disagrees[others].astype(float), inputs[others], family=sm.families.Binomial())
            chance[here] = fitted.fit_regularized(alpha=0.01, L1_wt=0.0).predict(inputs[here])
    return chance


def _thresholds(stability: np.ndarray) -> list[float]:
    """Thresholds that send about :data:`_SHARES` of the prompts on, each once, of few prompts too.

    Prompts of one score go together, as a threshold has it: all empty masks have a score of 0.
    """
    ordered = np.sort(stability)
    counts = (round(share * len(ordered)) for share in _SHARES)
    return list(
        dict.fromkeys(0.0 if not count else float(np.nextafter(ordered[count - 1], np.inf)) for count in counts)
    )


def _point(
    pairs: pd.DataFrame, stability: np.ndarray, threshold: float, small_ms: float, full_ms: float
) -> CascadePoint:
    """Send on what is more doubtful than a threshold."""
    sent = stability < threshold
    given = cascaded(pairs, sent)
    return CascadePoint(
        sent=float(sent.mean()),
        threshold=threshold,
        dice=float(given["quantized_dice"].mean()),
        worst_decile=worst_decile(given["quantized_dice"].to_numpy()),
        worst_dice=float(given["quantized_dice"].min()),
        between=float(given["dice_between_models"].mean()),
        losing=share_losing(given),
        milliseconds=small_ms + float(sent.mean()) * full_ms,
        strata=strata_of(given),
    )


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
