"""Volumes of whole organs: quantized model and full precision by the method of Bland and Altman (Lancet 1986)."""

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
        limits_ml: limits of agreement, between which 95 % of differences are expected; NaN for a single organ.
        bias_percent: mean difference in % of the mean of both volumes.
        limits_percent: limits of agreement of that.
        greatest_percent: the greatest difference either way, in % of full precision's volume.
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
    percent = 100 * difference[mean > 0] / mean[mean > 0]
    of_full = 100 * np.abs(difference[full > 0]) / full[full > 0]
    low, high = clustered_interval(difference, patients)
    return VolumeAgreement(
        model=model,
        organs=len(pairs),
        patients=len(set(patients)),
        bias_ml=float(difference.mean()),
        bias_low_ml=low,
        bias_high_ml=high,
        limits_ml=_limits(difference),
        bias_percent=float(percent.mean()) if percent.size else math.nan,
        limits_percent=_limits(percent),
        greatest_percent=float(of_full.max()) if of_full.size else math.nan,
    )


def _limits(differences: np.ndarray) -> tuple[float, float]:
    from scipy import stats

    if differences.size < 2:
        return math.nan, math.nan
    low, high = stats.norm.interval(0.95, float(differences.mean()), max(float(differences.std(ddof=1)), 1e-300))
    return float(low), float(high)
