"""What a comparison says to people, the same words on the canvas, in a picture and in a terminal."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence

from pqcomq.comparison.measures.metrics import Scores
from pqcomq.comparison.model_result import MEGABYTE, Comparison, ModelResult
from pqcomq.comparison.presentation.speed_text import speed_lines, speed_rows
from pqcomq.research_only import RESEARCH_ONLY as RESEARCH_ONLY
from pqcomq.segmentation.doubt import DOUBTFUL
from pqcomq.wording import beside, counted


def millimetres(distance: float) -> str:
    """A distance, infinite where one of two masks is empty."""
    return "∞ (one mask is empty)" if math.isinf(distance) else f"{distance:.1f} mm"


def p_value(value: float) -> str:
    """A test's probability as journals print it: no test proves one of 0; a dash where there is none."""
    if math.isnan(value):
        return "–"
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def side_title(side: ModelResult) -> str:
    """Model and precision."""
    return heading(side.model, side.precision)


def heading(model: str, precision: str) -> str:
    """Model and precision without the library that runs them, which tables tell: headings are short of room."""
    return f"{model} · {precision.replace(', OpenVINO FP32', '').replace(' OpenVINO', '').removesuffix(',')}"


def short_precision(precision: str) -> str:
    """For legends: the first word, and what tells models of one title apart, e.g. ``"4-bit (3fa29c01)"``."""
    mark = re.search(r"\(\w+\)", precision)
    return " ".join([precision.split()[0].rstrip(","), *([mark.group()] if mark else [])])


def short_names(precisions: Iterable[str]) -> dict[str, str]:
    """Short names of models that stand beside each other: the first kind that tells them apart.

    Examples:
        >>> short_names(["FP32", "4-bit Permutation-COMQ"])
        {'FP32': 'FP32', '4-bit Permutation-COMQ': '4-bit'}
        >>> list(short_names(["4-bit COMQ", "4-bit Round to nearest"]).values())
        ['4-bit COMQ', '4-bit Round to nearest']
    """
    whole = list(dict.fromkeys(precisions))
    ways = [short_precision(each) for each in whole], [each.partition(", ")[0] for each in whole], whole
    return dict(zip(whole, next(way for way in ways if len(set(way)) == len(way)), strict=True))


def side_lines(comparison: Comparison, side: ModelResult, doubt_below: float = DOUBTFUL) -> list[str]:
    """One side's own numbers, a line each; latencies are medians.

    Agreement between the models is only told on the candidate's side: there it is a statement about that side.
    Accuracy, against ground truth, is a different number and never shares its label.
    """
    lines = []
    if side is comparison.candidate:
        lines.append(f"Dice vs full precision {_dice_and_nsd(comparison.agreement)}")
        lines += [f"In doubt: {told}"] if (told := doubt_text(comparison, doubt_below)) else []
    if side.accuracy is not None:
        lines.append(f"Dice vs ground truth {_dice_and_nsd(side.accuracy)}")
    lines += [
        f"Volume {side.volume_ml:.1f} mL{_volume_difference(comparison, side)}",
        *speed_lines(comparison, side),
        f"{side.file_bytes / MEGABYTE:.1f} MB · {side.effective_bits:.2f} bits per weight",
    ]
    if side is comparison.candidate and side.execution.why:
        lines.append(side.execution.why)
    return lines


def doubt_text(comparison: Comparison, doubt_below: float = DOUBTFUL) -> str:
    """On how many slices the candidate's own answer is in doubt, and where most; empty where that is not known."""
    stability = comparison.stability
    if not stability:
        return ""
    least = min(stability, key=stability.__getitem__)
    count = len(comparison.doubtful_slices(doubt_below)) or "none"
    told = f"{count} of {counted(len(comparison.slices), 'slice')}"
    return f"{told} (least stability {beside(doubt_below, stability[least], 2)}, slice {least})"


def _dice_and_nsd(scores: Scores) -> str:
    return f"{scores.dice:.3f}{_both_empty(scores)} · NSD {scores.nsd:.3f}"


def _volume_difference(comparison: Comparison, side: ModelResult) -> str:
    """By how much the candidate's volume differs from full precision's."""
    difference = comparison.agreement.volume_difference_percent
    return "" if side is not comparison.candidate or difference is None else f" ({_percent(difference)})"


def _percent(difference: float | None) -> str:
    """A difference of volumes; a dash where full precision's is empty, and nothing is a share of it."""
    return "–" if difference is None else f"{difference:+.1f} %"


def _both_empty(scores: Scores) -> str:
    return " (both masks are empty)" if scores.both_empty else ""


def figure_rows(comparisons: Sequence[Comparison], doubt_below: float = DOUBTFUL) -> list[tuple[str, ...]]:
    """All figures of one object: what is told, full precision's value, one value for each quantized model.

    Args:
        comparisons: of the object, at least one.
        doubt_below: stability score below which a slice is in doubt.
    """
    tables = [comparison_rows(comparison, doubt_below) for comparison in comparisons]
    return [(*first[:2], *(table[row][2] for table in tables)) for row, first in enumerate(tables[0])]


def comparison_rows(comparison: Comparison, doubt_below: float = DOUBTFUL) -> list[tuple[str, ...]]:
    """A table of both sides: what is told, the reference's value, the candidate's.

    Agreement stands in the candidate's column alone, accuracy in rows of its own.
    """
    sides = (comparison.reference, comparison.candidate)
    agreement = comparison.agreement
    rows: list[tuple[str, ...]] = [
        ("Dice vs full precision", "", f"{agreement.dice:.4f}{_both_empty(agreement)}"),
        (f"NSD at {agreement.nsd_tolerance_mm:g} mm vs full precision", "", f"{agreement.nsd:.4f}"),
        ("HD95 vs full precision", "", millimetres(agreement.hd95_mm)),
        ("Volume vs full precision", "", _percent(agreement.volume_difference_percent)),
    ]
    if comparison.stability:
        count = f"{len(comparison.doubtful_slices(doubt_below))} of {len(comparison.slices)}"
        rows += [
            (f"Slices in doubt, stability below {doubt_below:g}", "", count),
            ("Least stability of a slice", "", beside(doubt_below, min(comparison.stability.values()), 2)),
        ]
    truths = [side.accuracy for side in sides if side.accuracy is not None]
    if truths:
        rows += [
            ("Dice vs ground truth", *(f"{each.dice:.4f}{_both_empty(each)}" for each in truths)),
            (f"NSD at {truths[0].nsd_tolerance_mm:g} mm vs ground truth", *(f"{each.nsd:.4f}" for each in truths)),
            ("HD95 vs ground truth", *(millimetres(each.hd95_mm) for each in truths)),
        ]
    rows += [
        ("Volume", *(f"{side.volume_ml:.1f} mL" for side in sides)),
        ("Encoder, median", *(f"{side.encoder.median_ms:.0f} ms" for side in sides)),
        ("Encoder, 95th percentile", *(f"{side.encoder.p95_ms:.0f} ms" for side in sides)),
        ("Decoder, median", *(f"{side.decoder.median_ms:.1f} ms" for side in sides)),
        ("Decoder, 95th percentile", *(f"{side.decoder.p95_ms:.1f} ms" for side in sides)),
        *speed_rows(comparison),
        ("Runs on", *(f"{each.execution.runtime}, {each.execution.threads_title}" for each in sides)),
        ("File", *(f"{side.file_bytes / MEGABYTE:.1f} MB" for side in sides)),
        ("Effective bits per quantized weight", *(f"{side.effective_bits:.2f}" for side in sides)),
        ("Peak process memory", *(f"{side.peak_memory_bytes / MEGABYTE:.0f} MB" for side in sides)),
    ]
    return rows
