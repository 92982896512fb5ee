"""The quantization error of each layer of the encoder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from pqcomq.comparison.presentation.comparison_text import short_names
from pqcomq.plots.theme import MARKERS, Look, cleared
from pqcomq.wording import counted

_NAMED = 3
"""Layers with the greatest error that are named on the plot."""


def draw_layer_errors(
    figure: Figure, errors: Sequence[tuple[str, Mapping[str, float]]], calibration_slices: Sequence[int], look: Look
) -> None:
    """Share of each layer's output energy that is lost on the calibration slices, from the input to the output.

    Args:
        figure: drawn over.
        errors: precisions, at least one, and by layer the share.
        calibration_slices: on how many each model's shares were measured.
        look: colours.
    """
    cleared(figure, look)
    axes = figure.subplots()
    count = max(len(layers) for _, layers in errors)
    look.dress(axes, f"encoder layer, from input to output (n = {count})", "share of output lost")
    axes.set_yscale("log")
    names = short_names(precision for precision, _ in errors)
    for index, (precision, layers) in enumerate(errors):
        marker, colour = MARKERS[index % len(MARKERS)], look.candidate(index)
        # A share of exactly 0 has no place on a logarithmic axis; it is drawn at the floor that float32 leaves.
        shares = [max(share, 1e-12) for share in layers.values()]
        axes.plot(range(1, len(shares) + 1), shares, marker, color=colour, markersize=3.5, label=names[precision])
    look.legend(axes)
    worst = errors[-1][1]
    named = sorted(worst, key=lambda name: -worst[name])[:_NAMED]
    places = list(worst)
    largest = "; ".join(f"{places.index(name) + 1}: {name}" for name in named)
    *others, last = dict.fromkeys(calibration_slices)
    slices = counted(last, "calibration slice")
    if others:
        slices = f"{', '.join(map(str, others))} and {last} calibration slices"
    note = f"share of the output's energy, on {slices}; greatest at {largest}"
    look.remark(figure, note)
