"""Bits and latency against Dice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator

from pqcomq.comparison.measures.latency import passes_told
from pqcomq.comparison.measures.metrics import Scores
from pqcomq.comparison.model_result import Comparison, ModelResult
from pqcomq.comparison.presentation.comparison_text import short_names
from pqcomq.plots.theme import MARKERS, Look, cleared
from pqcomq.wording import counted

Measure = Literal["agreement", "accuracy"]
MEASURE_TITLES: dict[Measure, str] = {
    "agreement": "Dice between the models",
    "accuracy": "Dice against ground truth",
}
_BIT_TICKS = (1, 2, 4, 8, 16, 32)
_LOW = 2
"""Times as wide as high: axes one above the other would be too low to tell one Dice from another."""


def draw_trade_off(figure: Figure, comparisons: Sequence[Comparison], look: Look, measure: Measure) -> None:
    """Dice over effective bits, and over encoder latency; measured and simulated low-bit speed on separate axes.

    They stand one above the other, on a figure more than twice as wide as high side by side.

    Args:
        figure: drawn over.
        comparisons: of one object with one reference.
        look: colours.
        measure: which Dice; ``accuracy`` needs ground truth. Full precision's agreement with itself is 1 by definition
            and drawn hollow.
    """
    cleared(figure, look)
    points = _points(comparisons, look, measure)
    measured = [each for each in points if not each[0].simulated]
    simulated = [each for each in points if each[0].simulated]
    speeds = [("measured", measured)] + [("simulated: low bits run as FP32", simulated)] * bool(simulated)
    is_low = figure.get_figwidth() > _LOW * figure.get_figheight()
    placed = figure.subplots(*((1, 1 + len(speeds)) if is_low else (1 + len(speeds), 1)), sharey=True)
    _draw_bits(placed[0], points, look)
    for axes, (title, chosen) in zip(placed[1:], speeds, strict=True):
        _draw_latency(axes, chosen, look, title)
    figure.supylabel(MEASURE_TITLES[measure], color=look.ink, fontsize=look.points)
    slices = len(comparisons[0].prompt.slices)
    passes = passes_told(side.encoder for side, *_ in points)
    hollow = "; hollow: 1 by definition" if measure == "agreement" else ""
    look.remark(
        figure,
        f"one object, {counted(slices, 'slice')}; latency: median, line to the 95th percentile, n = {passes}{hollow}",
    )


_Point = tuple[ModelResult, float, str, str, bool]
"""A model, its Dice, its colour, its marker, and whether the Dice is 1 by definition."""


def _points(comparisons: Sequence[Comparison], look: Look, measure: Measure) -> list[_Point]:
    reference = comparisons[0].reference
    points: list[_Point] = []
    if measure == "agreement":
        points.append((reference, 1.0, look.full, "D", True))
    else:
        points.append((reference, _known(reference.accuracy).dice, look.full, "D", False))
    for index, comparison in enumerate(comparisons):
        scores = comparison.agreement if measure == "agreement" else _known(comparison.candidate.accuracy)
        marker = MARKERS[index % len(MARKERS)]
        points.append((comparison.candidate, scores.dice, look.candidate(index), marker, False))
    return points


def _known(accuracy: Scores | None) -> Scores:
    if accuracy is None:
        raise ValueError("no ground truth, so no accuracy")
    return accuracy


def _draw_bits(axes: Axes, points: Sequence[_Point], look: Look) -> None:
    look.dress(axes, "effective bits per quantized weight")
    axes.set_xscale("log", base=2)
    axes.set_xlim(min(1.6, *(0.8 * side.effective_bits for side, *_ in points)), 48)  # entropy coded, 1 bit or so
    axes.xaxis.set_major_locator(FixedLocator(_BIT_TICKS))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticklabels([str(bits) for bits in _BIT_TICKS])
    axes.margins(y=0.25)
    names = _names(points)
    for side, dice, colour, marker, hollow in points:
        _dot(axes, side.effective_bits, dice, colour, marker, hollow)
        _name(axes, names[side.precision], side.effective_bits, dice, look)


def _draw_latency(axes: Axes, points: Sequence[_Point], look: Look, title: str) -> None:
    look.dress(axes, "encoder, ms a slice", title=title)
    slowest = max((side.encoder.p95_ms for side, *_ in points), default=1.0)
    axes.set_xlim(0, slowest * 1.35)
    for side, dice, colour, marker, hollow in points:
        axes.plot([side.encoder.median_ms, side.encoder.p95_ms], [dice, dice], color=colour, linewidth=1.2)
        _dot(axes, side.encoder.median_ms, dice, colour, marker, hollow)
    names = _names(points)
    for rank, (side, dice, *_) in enumerate(sorted(points, key=lambda point: -point[1])):
        # Models of equal speed are common: their labels alternate above and below.
        _name(
            axes, names[side.precision], side.encoder.p95_ms, dice, look, (4, -4, 0)[rank % 3] if len(points) > 1 else 0
        )


def _dot(axes: Axes, x: float, y: float, colour: str, marker: str, hollow: bool) -> None:
    fill = "none" if hollow else colour
    axes.plot(x, y, marker, color=colour, markerfacecolor=fill, markeredgecolor=colour, markersize=6)


def _names(points: Sequence[_Point]) -> dict[str, str]:
    return short_names(side.precision for side, *_ in points)


def _name(axes: Axes, name: str, x: float, y: float, look: Look, lift: float = 0) -> None:
    look.note(axes, name, (x, y), (7, lift), look.ink)
