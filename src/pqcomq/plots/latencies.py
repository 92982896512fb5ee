"""The distribution of both networks' latencies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pqcomq.comparison.measures.latency import Latency, passes_told
from pqcomq.comparison.model_result import Comparison, ModelResult
from pqcomq.comparison.presentation.comparison_text import short_names
from pqcomq.plots.theme import Look, cleared

_SPREAD = 0.22
"""Vertical jitter of the points in rows, so that equal latencies remain visible."""


def draw_latencies(figure: Figure, comparisons: Sequence[Comparison], look: Look) -> None:
    """Every single pass as a point, with median and 95th percentile: encoder left, decoder right.

    Measured and simulated low-bit speed have separate axes.

    Args:
        figure: drawn over.
        comparisons: of one object with one reference.
        look: colours.
    """
    cleared(figure, look)
    rows = [(comparisons[0].reference, look.full)]
    rows += [(each.candidate, look.candidate(index)) for index, each in enumerate(comparisons)]
    groups = [("measured", [row for row in rows if not row[0].simulated])]
    if len(groups[0][1]) < len(rows):
        groups.append(("simulated: low bits run as FP32", [row for row in rows if row[0].simulated]))
    grid = figure.subplots(
        len(groups), 2, squeeze=False, sharex="col", height_ratios=[len(members) for _, members in groups]
    )
    names = short_names(side.precision for side, _ in rows)
    for pair, (title, members) in zip(grid, groups, strict=True):
        _draw_strips(pair[0], [(side, side.encoder, colour) for side, colour in members], names, look, title)
        _draw_strips(pair[1], [(side, side.decoder, colour) for side, colour in members], names, look, "")
        pair[1].tick_params(labelleft=False)
    look.dress(grid[-1][0], "encoder, ms a slice", title=grid[-1][0].get_title("left"))
    look.dress(grid[-1][1], "decoder, ms a box", title=grid[-1][1].get_title("left"))
    encoder, decoder = (passes_told(getattr(side, part) for side, _ in rows) for part in ("encoder", "decoder"))
    passes = f"n = {encoder} passes of each encoder, {decoder} of each decoder"
    look.remark(figure, f"{passes}, networks alone; tall tick: median, short: 95th percentile")


def _draw_strips(
    axes: Axes, rows: Sequence[tuple[ModelResult, Latency, str]], names: Mapping[str, str], look: Look, title: str
) -> None:
    look.dress(axes, "", title=title)
    generator = np.random.default_rng(0)
    for row, (_side, latency, colour) in enumerate(rows):
        shaken = row + generator.uniform(-_SPREAD, _SPREAD, len(latency.each_ms))
        axes.plot(latency.each_ms, shaken, ".", color=colour, alpha=0.7, markersize=4)
        axes.vlines(latency.median_ms, row - 0.4, row + 0.4, color=look.ink, linewidth=1.4)
        axes.vlines(latency.p95_ms, row - 0.2, row + 0.2, color=look.ink, linewidth=1.0)
    axes.set_yticks(range(len(rows)), [names[side.precision] for side, _, _ in rows])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.locator_params(axis="x", nbins=4)
