"""Results as pandas tables, with columns that say against what a number was measured."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pqcomq.comparison.measures.metrics import Scores

if TYPE_CHECKING:
    import pandas as pd

    from pqcomq.comparison.compared_model import ComparedModel
    from pqcomq.comparison.comparison_result import ObjectComparison
    from pqcomq.comparison.evaluate import Evaluation, ModelSummary
    from pqcomq.comparison.model_result import ModelResult

BETWEEN, TRUTH = "between_models", "against_ground_truth"
"""Ends of the columns of agreement and of accuracy: two numbers that must not be taken for one another."""


def per_object(objects: Sequence[ObjectComparison], models: Sequence[ComparedModel]) -> pd.DataFrame:
    """A row for each object and model, full precision first.

    Raises:
        ImportError: pandas is not installed.
    """
    rows = []
    for found in objects:
        agreements = [None, *(each.agreement for each in found.comparisons)]
        for model, result, agreement in zip(models, found.results, agreements, strict=True):
            difference = None if agreement is None else agreement.volume_difference_percent
            rows.append(
                {
                    "object": found.name,
                    "model": result.model,
                    "precision": result.precision,
                    "slices": len(found.prompt.slices),
                    **_scores(agreement, BETWEEN),
                    **_scores(result.accuracy, TRUTH),
                    "volume_ml": result.volume_ml,
                    "volume_difference_percent": _number(difference),
                    **_costs(result, model.code_bits),
                    "working_memory_bytes": result.working_memory_bytes,
                    "peak_process_memory_bytes": result.peak_memory_bytes,
                }
            )
    return _frame(rows)


def per_slice(objects: Sequence[ObjectComparison]) -> pd.DataFrame:
    """A row for each object, quantized model and slice.

    Raises:
        ImportError: pandas is not installed.
    """
    return _frame(
        [
            {
                "object": found.name,
                "model": comparison.candidate.model,
                "precision": comparison.candidate.precision,
                "slice": scores.z,
                f"dice_{BETWEEN}": scores.agreement,
                f"dice_{TRUTH}": _number(scores.candidate_accuracy),
                f"full_precision_dice_{TRUTH}": _number(scores.reference_accuracy),
                "stability_of_quantized": _number(scores.candidate_stability),
            }
            for found in objects
            for comparison in found.comparisons
            for scores in comparison.slices
        ]
    )


def per_prompt(evaluation: Evaluation) -> pd.DataFrame:
    """A row for each label, slice and model of an evaluation.

    Raises:
        ImportError: pandas is not installed.
    """
    count = len(evaluation.summaries)
    rows = []
    for place, prompt in enumerate(evaluation.prompts):
        model = place % count  # the models take turns on every prompt
        rows.append(
            {
                "label": prompt.label,
                "slice": prompt.z,
                "model": prompt.model,
                "precision": prompt.precision,
                f"dice_{BETWEEN}": prompt.agreement if model else math.nan,  # the first is what others are held against
                f"dice_{TRUTH}": prompt.dice,
                f"nsd_{TRUTH}": prompt.nsd,
                **_costs(evaluation.summaries[model], evaluation.summaries[model].code_bits),
            }
        )
    return _frame(rows)


def _scores(scores: Scores | None, against: str) -> dict[str, float]:
    names = ("dice", "nsd", "hd95_mm")
    return {f"{name}_{against}": math.nan if scores is None else getattr(scores, name) for name in names}


def _costs(result: ModelResult | ModelSummary, code_bits: float) -> dict[str, Any]:
    """Size and speed of a model; a number of bits never stands without saying what it counts."""
    return {
        "bits_of_a_code": code_bits,
        "bits_stored_per_weight": result.effective_bits,
        "file_bytes": result.file_bytes,
        "encoder_median_ms": result.encoder.median_ms,
        "encoder_p95_ms": result.encoder.p95_ms,
        "decoder_median_ms": result.decoder.median_ms,
        "decoder_p95_ms": result.decoder.p95_ms,
        "speed_is_simulated": result.simulated,
        "runtime": result.execution.runtime,
    }


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def _frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    try:
        import pandas as pd
    except ImportError as problem:
        raise ImportError(
            'A data frame needs pandas, which is not installed: pip install "napari-pqcomq[cohort]".'
        ) from problem
    return pd.DataFrame(rows)
