"""Dice slice by slice through one object."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from pqcomq.comparison.measures.slice_scores import SliceScores
from pqcomq.comparison.model_result import Comparison
from pqcomq.comparison.presentation.comparison_text import short_names
from pqcomq.plots.theme import LINE_STYLES, MARKERS, Look, cleared
from pqcomq.wording import counted


def draw_along_slices(
    figure: Figure, comparisons: Sequence[Comparison], look: Look, least_dice: float | None = None
) -> None:
    """Agreement between the models above; accuracy against ground truth, where there is one, below on separate axes.

    Args:
        figure: drawn over.
        comparisons: of one object with one reference, a line each.
        look: colours.
        least_dice: the gate's limit for the agreement, drawn as a line.
    """
    cleared(figure, look)
    first = comparisons[0]
    with_truth = first.reference.accuracy is not None
    stacked = figure.subplots(2 if with_truth else 1, 1, sharex=True, squeeze=False)[:, 0]
    _draw_agreement(stacked[0], comparisons, look, least_dice)
    if with_truth:
        _draw_accuracy(stacked[1], comparisons, look)
    for axes in stacked:
        axes.axvline(first.prompt.start, color=look.faint, linewidth=0.8, linestyle=":")
        axes.margins(x=0.03)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    look.dress(stacked[-1], "slice (0 nearest the feet)", stacked[-1].get_ylabel())
    count = len(first.prompt.slices)
    prompted = "dotted: the prompted slice" if first.mode == "propagate" else "dotted: the middle; all prompted"
    last = _names(comparisons)[comparisons[-1].candidate.precision]
    marks = f"; marks: {last}" if len(comparisons) > 1 else ""
    look.remark(figure, f"n = {counted(count, 'slice')}; {prompted}{marks}")


def _draw_agreement(axes: Axes, comparisons: Sequence[Comparison], look: Look, least_dice: float | None) -> None:
    look.dress(axes, "", "Dice between\nthe models")
    names = _names(comparisons)
    for index, comparison in enumerate(comparisons):
        dice = [each.agreement for each in comparison.slices]
        _line(axes, comparison.slices, dice, look.candidate(index), index, names[comparison.candidate.precision])
    _mark_slices(axes, comparisons[-1], look)
    if least_dice is not None:
        axes.axhline(least_dice, color=look.mark, linewidth=0.8, linestyle="--", label=f"gate {least_dice:g}")
    look.legend(axes)


def _draw_accuracy(axes: Axes, comparisons: Sequence[Comparison], look: Look) -> None:
    look.dress(axes, "", "Dice against\nground truth")
    slices = comparisons[0].slices
    _line(axes, slices, [each.reference_accuracy for each in slices], look.full, 0, "FP32")
    names = _names(comparisons)
    for index, comparison in enumerate(comparisons):
        dice = [each.candidate_accuracy for each in comparison.slices]
        _line(axes, comparison.slices, dice, look.candidate(index), index, names[comparison.candidate.precision])
    look.legend(axes)


def _line(
    axes: Axes, slices: Sequence[SliceScores], dice: Sequence[float | None], colour: str, index: int, label: str
) -> None:
    style, marker = LINE_STYLES[index % len(LINE_STYLES)], MARKERS[index % len(MARKERS)]
    numbers = [each.z for each in slices]
    axes.plot(
        numbers,
        np.array(dice, dtype=float),
        style,
        marker=marker,
        color=colour,
        linewidth=1.4,
        markersize=3,
        label=label,
    )


def _mark_slices(axes: Axes, comparison: Comparison, look: Look) -> None:
    """Name the slice that agrees least and the one where the models diverge."""
    marks = {comparison.worst_slice: f"least, {comparison.worst_slice}"}
    if comparison.divergence is not None:
        z = comparison.divergence.z
        marks[z] = f"diverge, {z}" if z not in marks else f"diverge, and agree least, {z}"
    by_number = {each.z: each.agreement for each in comparison.slices}
    for z, text in marks.items():
        axes.plot(z, by_number[z], "D", color="none", markeredgecolor=look.mark, markersize=7, markeredgewidth=1.3)
        look.note(axes, text, (z, by_number[z]), (-7 if z > comparison.prompt.start else 7, -1), look.mark)


def _names(comparisons: Sequence[Comparison]) -> dict[str, str]:
    """Short names of the candidates by precision, e.g. ``"4-bit"``."""
    return short_names(each.candidate.precision for each in comparisons)
