"""Plots of a cohort as low and narrow as the dock draws them."""

from __future__ import annotations

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from pqcomq.plots.cohort import Interval, draw_forest
from pqcomq.plots.theme import LIGHT


@pytest.mark.parametrize("width", [3.4, 3.6, 9.0])  # inches: of the dock, and of the report
def test_the_axis_of_differences_is_named_whole(width):
    figure = Figure(figsize=(width, 3.4))
    intervals = [Interval(label, 0, "4-bit", -0.01, -0.02, 0.0, 8) for label in ("all labels", "right kidney")]
    draw_forest(figure, intervals, LIGHT, 0.02)
    FigureCanvasAgg(figure).draw()
    label = figure.axes[0].xaxis.label
    assert label.get_text().replace("\n", " ") == "Dice against ground truth, quantized − full precision"
    assert width < 9 or "\n" not in label.get_text(), "one line where there is room"
    told, whole = label.get_window_extent(), figure.bbox
    assert told.x0 >= whole.x0
    assert told.x1 <= whole.x1
