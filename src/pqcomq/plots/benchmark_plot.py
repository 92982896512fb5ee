"""Latency against Dice, a bubble's area the size of the file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, ScalarFormatter

from pqcomq.comparison.benchmark import Benchmark
from pqcomq.comparison.evaluate import ModelSummary
from pqcomq.comparison.model_result import MEGABYTE
from pqcomq.plots.theme import LIGHT, Look, cleared
from pqcomq.wording import counted

_POINTS_PER_MEGABYTE = 9.0


def draw_benchmark(path: Path, benchmark: Benchmark, look: Look = LIGHT) -> None:
    """Draw a benchmark as a PNG; simulated and real low-bit speed have separate axes.

    Args:
        path: to write; its ending says the format.
        benchmark: to draw.
        look: colours.
    """
    rows = benchmark.evaluation.summaries
    panels = [("measured", [row for row in rows if not row.simulated])]
    simulated = [row for row in rows if row.simulated]
    if simulated:
        panels.append(("simulated: low bits run as FP32", simulated))
    figure = cleared(Figure(figsize=(9, 1.4 + 3.6 * len(panels))), look)
    stacked = figure.subplots(len(panels), 1, squeeze=False)[:, 0]
    for axes, (title, chosen) in zip(stacked, panels, strict=True):
        _draw(axes, sorted(chosen, key=lambda each: each.encoder.median_ms), look, title)
    first = rows[0]
    look.remark(
        figure,
        f"{first.model}, {counted(len(benchmark.evaluation.prompts) // len(rows), 'prompt')}, "
        f"{first.execution.threads_title}; area of a bubble: size of the file",
    )
    figure.savefig(path, dpi=150)


def _draw(axes: Axes, rows: Sequence[ModelSummary], look: Look, title: str) -> None:
    """Numbered bubbles, the fastest first, with a numbered legend beside them, since names would overlap."""
    look.dress(axes, "encoder, median ms a slice", "Dice against ground truth", title)
    axes.set_xscale("log")
    axes.margins(x=0.1, y=0.4)
    for number, row in enumerate(rows, start=1):
        x, y, colour = row.encoder.median_ms, row.dice, _colour(row, look)
        area = row.file_bytes / MEGABYTE * _POINTS_PER_MEGABYTE
        axes.scatter(x, y, area, color=colour, alpha=0.35, edgecolors=colour, linewidths=1.2)
        lift = (18, -18, 30, -30)[number % 4]
        look.note(axes, str(number), (x, y), (0, lift), look.ink)
    names = "\n".join(
        f"{number}  {row.precision}, {row.encoder.median_ms:.0f} ms" for number, row in enumerate(rows, start=1)
    )
    axes.text(1.02, 1, names, transform=axes.transAxes, va="top", color=look.ink, fontsize=look.points - 1)
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(ScalarFormatter())
    axes.xaxis.set_minor_formatter(NullFormatter())


def _colour(row: ModelSummary, look: Look) -> str:
    return look.full if row.effective_bits == 32 else look.candidate(0)
