"""The public functions of ``pqcomq``: plain calls that return results and take a function to be told of progress."""

from __future__ import annotations

from pqcomq.api.cohorts import evaluate_cohort
from pqcomq.api.inference import compare, evaluate, segment
from pqcomq.api.models import load_model, load_weights, quantize, save_weights
from pqcomq.api.volumes import read_volume

__all__ = [
    "compare",
    "evaluate",
    "evaluate_cohort",
    "load_model",
    "load_weights",
    "quantize",
    "read_volume",
    "save_weights",
    "segment",
]
