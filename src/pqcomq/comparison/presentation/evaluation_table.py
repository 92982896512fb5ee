"""An evaluation as a table for people; measured and simulated speed have columns of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pqcomq.comparison.model_result import MEGABYTE

if TYPE_CHECKING:
    from pqcomq.comparison.evaluate import ModelSummary

SIMULATED = "simulated: encoder ms"
"""Title of the column of encoders whose low bits run widened to float32; real speeds never stand in it."""


def in_own_column(milliseconds: str, row: ModelSummary, with_simulated: bool) -> list[str]:
    """The cells of measured and, where a table has any, of simulated speed: one of both is empty."""
    if not with_simulated:
        return [milliseconds]
    return ["", milliseconds] if row.simulated else [milliseconds, ""]


def evaluation_table(summaries: Sequence[ModelSummary]) -> tuple[list[str], list[list[str]]]:
    """Titles and cells of a table with a row for each model; simulated speeds have their own column and no ratio."""
    in_float32 = [each for each in summaries if each.execution.activations in ("float32", "FP32")]
    full = [each for each in in_float32 if each.effective_bits == 32]
    with_simulated = any(each.simulated for each in summaries)
    columns = [
        "Precision",
        "Dice vs truth",
        "worst",
        "NSD vs truth",
        "Dice vs FP32",
        "worst vs FP32",
        "bits",
        "file MB",
    ]
    columns += ["encoder ms", *[SIMULATED] * with_simulated, *(f"× FP32 in {each.execution.library}" for each in full)]
    rows = [
        [
            each.precision,
            f"{each.dice:.4f}",
            f"{each.worst_dice:.3f}",
            f"{each.nsd:.4f}",
            f"{each.agreement:.4f}",
            f"{each.worst_agreement:.3f}",
            f"{each.effective_bits:.2f}",
            f"{each.file_bytes / MEGABYTE:.1f}",
            *in_own_column(f"{each.encoder.median_ms:.0f}", each, with_simulated),
            *("" if each.simulated else f"{one.encoder.median_ms / each.encoder.median_ms:.2f}" for one in full),
        ]
        for each in summaries
    ]
    return columns, rows
