"""Colours and letter sizes of a plot, on a dark or a light ground."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from pqcomq.comparison.presentation.palette import FULL_COLOUR, QUANTIZED_COLOUR

# One more than there are colours: a cohort may compare nine models, and the fourth must not look like the first.
LINE_STYLES = ("-", "--", ":", "-.")
MARKERS = ("o", "s", "^", "v")
_CHARACTERS_PER_EM = 1.75
"""Mean width of a letter of matplotlib's own font, rounded up."""
_SHARE_OF_AXES = 0.6
"""Of a figure's width, beside names."""


@dataclass(frozen=True)
class Look:
    """Colours and styles of a plot. Models also differ in line style and marker: colour alone is never the key.

    Attributes:
        ground: behind everything.
        ink: letters and axes.
        faint: grid and remarks.
        full: full precision.
        quantized: the candidates, in their order.
        mark: named slices (lowest agreement, first divergence).
        points: letter size.
    """

    ground: str
    ink: str
    faint: str
    full: str
    quantized: tuple[str, str, str]
    mark: str
    points: float = 8.0

    def candidate(self, index: int) -> str:
        """Colour of a candidate."""
        return self.quantized[index % len(self.quantized)]

    def dress(self, axes: Axes, x_label: str, y_label: str = "", title: str = "") -> None:
        """Label axes, units included, and draw them thin."""
        axes.set_facecolor(self.ground)
        axes.set_xlabel(x_label, color=self.ink, fontsize=self.points)
        axes.set_ylabel(y_label, color=self.ink, fontsize=self.points)
        if title:
            axes.set_title(title, color=self.ink, fontsize=self.points, loc="left")
        axes.tick_params(colors=self.ink, labelsize=self.points - 1, length=2.5)
        axes.grid(color=self.faint, alpha=0.35, linewidth=0.5)
        axes.set_axisbelow(True)
        for name, spine in axes.spines.items():
            spine.set_visible(name in ("left", "bottom"))
            spine.set_color(self.faint)

    def legend(self, axes: Axes) -> None:
        """A legend in one row above the axes, where it covers no data."""
        axes.legend(
            loc="lower right",
            bbox_to_anchor=(1.02, 1.0),
            ncols=5,
            fontsize=self.points - 1,
            labelcolor=self.ink,
            frameon=False,
            handlelength=1.6,
            columnspacing=0.9,
            handletextpad=0.4,
        )

    def note(self, axes: Axes, text: str, place: tuple[float, float], offset: tuple[float, float], colour: str) -> None:
        """Write beside a point; an outline in the background's colour keeps the letters legible on lines."""
        axes.annotate(
            text,
            place,
            offset,
            textcoords="offset points",
            ha="right" if offset[0] < 0 else "left",
            va="center",
            color=colour,
            fontsize=self.points - 1,
            path_effects=[withStroke(linewidth=2.5, foreground=self.ground)],
        )

    def wrapped(self, figure: Figure, text: str) -> str:
        """A label of the axis of one plot that has names beside it, in as many lines as its width asks for."""
        columns = int(_SHARE_OF_AXES * figure.get_figwidth() * 72 / self.points * _CHARACTERS_PER_EM)
        return textwrap.fill(text, max(20, columns))

    def remark(self, figure: Figure, text: str) -> None:
        """Write a note on the data (n, slices, prompts) below the plot, wrapped to its width."""
        columns = int(figure.get_figwidth() * 72 / (self.points - 1) * _CHARACTERS_PER_EM)
        rows = [row for line in text.splitlines() for row in textwrap.wrap(line, max(20, columns))]
        figure.supxlabel("\n".join(rows), color=self.faint, fontsize=self.points - 1, x=0.01, ha="left")


# Full precision and the quantized model in the colours that they have on the canvas, darkened for white paper.
DARK = Look(
    ground="#262930",
    ink="#E6E9EE",
    faint="#9AA2AE",
    full=FULL_COLOUR,
    quantized=(QUANTIZED_COLOUR, "#B5DDF5", "#2F8FCB"),
    mark="#FAF05A",
)
LIGHT = Look(
    ground="#FFFFFF",
    ink="#1D2127",
    faint="#6B7280",
    full="#B8501C",
    quantized=("#0072B2", "#4FA3D8", "#003E66"),
    mark="#8A6D00",
)


def cleared(figure: Figure, look: Look) -> Figure:
    """An empty figure on a look's ground, its parts placed without overlaps."""
    figure.clear()
    figure.set_facecolor(look.ground)
    figure.set_layout_engine("constrained")
    return figure
