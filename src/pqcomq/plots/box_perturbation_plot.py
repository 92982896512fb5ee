"""How much a moved box changes the mask, beside how much quantization does."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from pqcomq.comparison.box_perturbation import BoxJitter
from pqcomq.comparison.model_result import Comparison
from pqcomq.comparison.presentation.comparison_text import short_names
from pqcomq.plots.theme import LINE_STYLES, Look, cleared
from pqcomq.wording import counted


def draw_jitter(figure: Figure, jitter: BoxJitter, comparisons: Sequence[Comparison], look: Look) -> None:
    """Dice with full precision's own mask: a point for each moved box, a line for each quantized model.

    Args:
        figure: drawn over.
        jitter: of the object.
        comparisons: of the same object with the user's own box.
        look: colours.
    """
    cleared(figure, look)
    axes = figure.subplots()
    look.dress(axes, "Dice with FP32's mask for the user's own box")
    ranked = sorted(each.dice for each in jitter.moved)
    rows = [0.5 + (index % 3 - 1) * 0.18 for index in range(len(ranked))]
    axes.plot(ranked, rows, "o", color=look.full, alpha=0.8, markersize=5, label="FP32, box moved")
    axes.vlines(jitter.mean_dice, 0.15, 0.85, color=look.full, linewidth=1.6, label="mean")
    names = short_names(each.candidate.precision for each in comparisons)
    for index, comparison in enumerate(comparisons):
        dice, style = comparison.agreement.dice, LINE_STYLES[index % len(LINE_STYLES)]
        name = names[comparison.candidate.precision]
        axes.axvline(dice, color=look.candidate(index), linewidth=1.8, linestyle=style, label=name)
    axes.set_ylim(0, 1)
    axes.set_yticks([])
    axes.margins(x=0.08)
    look.legend(axes)
    x, y = jitter.shift_mm
    reach = f"{jitter.shift_pixels} px ({x:.1f} mm)" if x == y else f"{jitter.shift_pixels} px ({x:.1f} × {y:.1f} mm)"
    boxes = counted(len(ranked), "box", "boxes")
    look.remark(figure, f"n = {boxes}, each edge moved by up to {reach}; quantized models: the user's box")
