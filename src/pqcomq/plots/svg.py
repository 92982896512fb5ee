"""A plot as an SVG without external references."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import matplotlib
from matplotlib.figure import Figure

_SETTINGS: dict[Any, Any] = {"svg.hashsalt": "pqcomq", "font.family": "DejaVu Sans"}
"""Names inside the file that are the same every time, and letters drawn as matplotlib's own font has them."""


def as_svg(draw: Callable[[Figure], None], width_inches: float, height_inches: float) -> str:
    """Draw a plot without a screen.

    Args:
        draw: one of this package's functions, all but its figure given.
        width_inches: of the plot.
        height_inches: of the plot.

    Returns:
        SVG, letters as outlines, no date: the same text for the same numbers.
    """
    figure = Figure(figsize=(width_inches, height_inches))
    stream = io.StringIO()
    with matplotlib.rc_context(_SETTINGS):
        draw(figure)
        figure.savefig(stream, format="svg", metadata={"Date": None})
    return stream.getvalue()
