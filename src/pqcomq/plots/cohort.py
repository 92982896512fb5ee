"""Plots over many patients' cases: intervals of differences, single cases, volumes, and what Dice costs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from pqcomq.plots.theme import LINE_STYLES, MARKERS, Look, cleared
from pqcomq.wording import counted


@dataclass(frozen=True)
class Interval:
    """One line of a forest plot.

    Attributes:
        label: what it is about.
        model: place of the model among the quantized ones; −1 for full precision under moved boxes.
        model_name: for the legend.
        difference: mean.
        low: of the confidence interval; NaN for none.
        high: of it.
        cases: behind it.
    """

    label: str
    model: int
    model_name: str
    difference: float
    low: float
    high: float
    cases: int


@dataclass(frozen=True)
class CostPoint:
    """A model in a trade-off.

    Attributes:
        model: place among the quantized ones; −1 for full precision.
        name: beside its point.
        dice: mean against ground truth.
        worst_decile: mean of the worst tenth.
        cost: milliseconds or MB.
    """

    model: int
    name: str
    dice: float
    worst_decile: float
    cost: float


def draw_forest(figure: Figure, intervals: Sequence[Interval], look: Look, margin: float) -> None:
    """Differences with their intervals, label by label; the margin is a line.

    Args:
        figure: drawn over.
        intervals: in the order of the lines; those of one label together.
        look: colours.
        margin: of non-inferiority, in Dice.
    """
    axes = cleared(figure, look).subplots()
    look.dress(axes, look.wrapped(figure, "Dice against ground truth, quantized − full precision"))
    labels = list(dict.fromkeys(each.label for each in intervals))
    models = list(dict.fromkeys((each.model, each.model_name) for each in intervals))
    step = 0.8 / max(1, len(models))
    for each in intervals:
        place = models.index((each.model, each.model_name))
        y = labels.index(each.label) + (place - (len(models) - 1) / 2) * step
        colour = look.full if each.model < 0 else look.candidate(each.model)
        marker = "D" if each.model < 0 else MARKERS[each.model % len(MARKERS)]
        if math.isfinite(each.low):
            axes.plot([each.low, each.high], [y, y], color=colour, linewidth=1.3)
        axes.plot(each.difference, y, marker, color=colour, markersize=4.5)
    for place, name in models:
        colour = look.full if place < 0 else look.candidate(place)
        marker = "D" if place < 0 else MARKERS[place % len(MARKERS)]
        axes.plot([], [], marker, color=colour, label=name, markersize=4.5)
    axes.axvline(0, color=look.faint, linewidth=0.8)
    axes.axvline(-margin, color=look.mark, linewidth=1.0, linestyle="--")
    counts = {label: next(each.cases for each in intervals if each.label == label) for label in labels}
    axes.set_yticks(range(len(labels)), [f"{label} (n = {counts[label]})" for label in labels])
    axes.set_ylim(len(labels) - 0.4, -0.6)
    look.legend(axes)
    look.remark(figure, f"Mean over cases with 95 % interval where there are several patients; dashed: −{margin:g}.")


def draw_case_dots(figure: Figure, losses: Sequence[tuple[str, np.ndarray]], look: Look, margin: float) -> None:
    """Every case's difference, a column for each model.

    Args:
        figure: drawn over.
        losses: name of each model and its cases' differences in Dice.
        look: colours.
        margin: of non-inferiority.
    """
    axes = cleared(figure, look).subplots()
    look.dress(axes, "", "Dice, quantized − full precision")
    for place, (_name, values) in enumerate(losses):
        # Beside each other in the order of their values: the same picture every time, and no two on one another.
        order = np.argsort(np.argsort(values, kind="stable"), kind="stable")
        x = place + ((order % 7) - 3) * 0.07
        axes.plot(x, values, MARKERS[place % len(MARKERS)], color=look.candidate(place), markersize=4, alpha=0.85)
    axes.axhline(0, color=look.faint, linewidth=0.8)
    axes.axhline(-margin, color=look.mark, linewidth=1.0, linestyle="--")
    axes.set_xticks(range(len(losses)), [name for name, _values in losses])
    axes.set_xlim(-0.6, len(losses) - 0.4)
    look.remark(figure, f"A mark for each case, the mean over its labels; dashed: −{margin:g}.")


def draw_bland_altman(
    figure: Figure,
    full_ml: np.ndarray,
    quantized_ml: np.ndarray,
    bias_ml: float,
    limits_ml: tuple[float, float],
    look: Look,
    place: int,
) -> None:
    """Difference of volumes over their mean, with bias and limits of agreement.

    Args:
        figure: drawn over.
        full_ml: (organs,) of full precision.
        quantized_ml: (organs,).
        bias_ml: mean difference.
        limits_ml: limits of agreement; NaN for none.
        look: colours.
        place: of the model among the quantized ones.
    """
    axes = cleared(figure, look).subplots()
    look.dress(axes, "mean of both volumes, mL", "quantized − full precision, mL")
    mean, difference = (full_ml + quantized_ml) / 2, quantized_ml - full_ml
    axes.plot(mean, difference, MARKERS[place % len(MARKERS)], color=look.candidate(place), markersize=4)
    axes.axhline(bias_ml, color=look.candidate(place), linewidth=1.0)
    for limit in limits_ml:
        if math.isfinite(limit):
            axes.axhline(limit, color=look.faint, linewidth=1.0, linestyle="--")
    look.remark(figure, f"{counted(len(mean), 'organ')}; line: bias {bias_ml:+.2f} mL; dashed: limits of agreement.")


@dataclass(frozen=True)
class CascadeLine:
    """A quantized model that sends its most doubtful prompts on to full precision.

    Attributes:
        model: place among the quantized ones.
        name: for the legend.
        sent: shares of the prompts sent on, rising.
        dice: mean against ground truth at each of them.
        losing: share of the prompts that still lose more than .1 Dice.
    """

    model: int
    name: str
    sent: Sequence[float]
    dice: Sequence[float]
    losing: Sequence[float]


def draw_cascade(figure: Figure, lines: Sequence[CascadeLine], look: Look) -> None:
    """What a cascade gives back, over the share of prompts that it sends on: mean Dice, and what is still lost.

    Args:
        figure: drawn over.
        lines: one for each quantized model.
        look: colours.
    """
    upper, lower = cleared(figure, look).subplots(2, 1, sharex=True)
    look.dress(upper, "", "mean Dice vs truth")
    look.dress(lower, "prompts sent on to full precision, %", "lose more than .1, %")
    for each in lines:
        style = {
            "color": look.candidate(each.model),
            "marker": MARKERS[each.model % len(MARKERS)],
            "linestyle": LINE_STYLES[each.model % len(LINE_STYLES)],
            "markersize": 3.5,
            "linewidth": 1.2,
        }
        sent = 100 * np.asarray(each.sent)
        upper.plot(sent, each.dice, label=each.name, **style)
        lower.plot(sent, 100 * np.asarray(each.losing), **style)
    look.legend(upper)
    look.remark(figure, "Most doubtful first, by the stability score; at 100 % it is full precision.")


def draw_costs(figure: Figure, points: Sequence[CostPoint], look: Look, title: str) -> None:
    """Dice over what a model costs: the mean, and hollow the worst tenth of the prompts.

    Args:
        figure: drawn over.
        points: full precision and the quantized models; only speeds that are measured, not simulated.
        look: colours.
        title: of the axis of costs, with its unit.
    """
    axes = cleared(figure, look).subplots()
    look.dress(axes, title, "Dice against ground truth")
    axes.set_xlim(0, max(each.cost for each in points) * 1.3)
    axes.yaxis.set_major_locator(MaxNLocator(6))
    for place, each in enumerate(points):
        colour = look.full if each.model < 0 else look.candidate(each.model)
        marker = "D" if each.model < 0 else MARKERS[each.model % len(MARKERS)]
        axes.plot([each.cost] * 2, [each.worst_decile, each.dice], color=colour, linewidth=0.6)
        axes.plot(each.cost, each.dice, marker, color=colour, markersize=6)
        axes.plot(each.cost, each.worst_decile, marker, color=colour, markerfacecolor="none", markersize=6)
        # Models of like cost and Dice are common: each name stands beside its own line, at a height of its own.
        height = each.dice - (0.2 + 0.2 * (place % 4)) * (each.dice - each.worst_decile)
        look.note(axes, each.name, (each.cost, height), (4, 0), look.ink)
    axes.margins(y=0.15)
    look.remark(figure, "Filled: mean over prompts; hollow: mean of the worst tenth.")
