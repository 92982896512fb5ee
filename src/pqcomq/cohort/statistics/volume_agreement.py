"""Volumes of whole organs: quantized model and full precision by the method of Bland and Altman.

Source: Lancet 1986 for one organ a patient; where patients have several, *Agreement between methods of measurement with
multiple observations per individual*, J Biopharm Stat 2007, 17:571, for a true value that varies: organs of one patient
are no independent observations, and the spread of the differences is that between patients plus that within them.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pqcomq.cohort.statistics.paired_statistics import clustered_interval

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class VolumeAgreement:
    """Differences of volume, quantized − full precision.

    Attributes:
        model: name of the quantized model.
        organs: pairs of volumes.
        patients: whom they are of.
        bias_ml: mean difference.
        bias_low_ml: lower end of its 95 % interval (BCa bootstrap over patients).
        bias_high_ml: upper end.
        limits_ml: limits of agreement, between which 95 % of differences are expected; NaN for a single patient, of
            whom nobody can tell how far another one would be.
        bias_percent: mean difference in % of the mean of both volumes.
        limits_percent: limits of agreement of that.
        greatest_percent: the greatest difference either way, in % of full precision's volume; infinite where that has
            none and the quantized model has some.
    """

    model: str
    organs: int
    patients: int
    bias_ml: float
    bias_low_ml: float
    bias_high_ml: float
    limits_ml: tuple[float, float]
    bias_percent: float
    limits_percent: tuple[float, float]
    greatest_percent: float

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        content = asdict(self)
        for name, value in content.items():
            if isinstance(value, float) and not math.isfinite(value):
                content[name] = None
            elif isinstance(value, tuple):
                content[name] = [each if math.isfinite(each) else None for each in value]
        return content


def volume_agreement(pairs: pd.DataFrame, model: str) -> VolumeAgreement:
    """Compare volumes.

    Args:
        pairs: of :func:`.pairs.paired` by the protocol of whole organs.
        model: for the tables.
    """
    full, quantized = pairs["full_volume_ml"].to_numpy(), pairs["quantized_volume_ml"].to_numpy()
    patients = pairs["patient"].to_numpy().astype(str)
    difference, mean = quantized - full, (quantized + full) / 2
    known = mean > 0
    percent = 100 * difference[known] / mean[known]
    of_full = np.full(len(full), np.inf)
    np.divide(100 * np.abs(difference), full, out=of_full, where=full > 0)
    low, high = clustered_interval(difference, patients)
    return VolumeAgreement(
        model=model,
        organs=len(pairs),
        patients=len(set(patients)),
        bias_ml=float(difference.mean()),
        bias_low_ml=low,
        bias_high_ml=high,
        limits_ml=limits_of_agreement(difference, patients),
        bias_percent=float(percent.mean()) if percent.size else math.nan,
        limits_percent=limits_of_agreement(percent, patients[known]),
        greatest_percent=float(of_full[known].max()) if known.any() else math.nan,
    )


def limits_of_agreement(differences: np.ndarray, patients: np.ndarray) -> tuple[float, float]:
    """Between which 95 % of differences are expected, of patients with any number of organs each.

    The components of variance are those of a one-way analysis of variance. They are summed here since statsmodels'
    would need a matrix with a column for each patient; a test holds them against it.

    Args:
        differences: (organs,).
        patients: (organs,) whom each is of.

    Returns:
        Lower and upper limit; NaN where there is a single patient.
    """
    from scipy import stats

    _names, places = np.unique(patients, return_inverse=True)
    counts = np.bincount(places)
    total, among = len(differences), len(counts) - 1
    if among < 1:
        return math.nan, math.nan
    centre = float(differences.mean())
    means = np.bincount(places, weights=differences) / counts  # (patients,)
    between = float((counts * (means - centre) ** 2).sum()) / among
    residual = float(((differences - means[places]) ** 2).sum())
    within = residual / (total - among - 1) if total > among + 1 else 0.0
    size = (total**2 - float((counts**2).sum())) / (among * total)  # organs a patient, as they weigh
    # An estimate below 0 says that patients differ by no more than their organs do.
    variance = max(0.0, (between - within) / size) + within
    low, high = stats.norm.interval(0.95, centre, max(math.sqrt(variance), 1e-300))
    return float(low), float(high)
