"""The table of figures is read whole in windows of any width."""

from __future__ import annotations

from dataclasses import replace

import pytest
from qtpy.QtWidgets import QApplication, QScrollArea

from napari_pqcomq.results.figures.metrics_table import MetricsTable


def test_long_texts_that_are_the_same_for_all_models_are_read_whole(shown, result):
    table = shown(MetricsTable())
    first = result.objects[0]
    table.resize(895, 195)  # as the tab is in a window of 1280 × 800
    table.show_object(replace(first, comparisons=(first.comparisons * 3)[:3]))
    QApplication.processEvents()
    times = table.tables[1]
    row = next(row for row in range(times.rowCount()) if times.item(row, 0).text() == "Runs on")
    cell = times.item(row, 1)
    assert len({times.item(row, column).text() for column in range(1, 5)}) == 1
    assert times.visualItemRect(cell).width() > times.fontMetrics().horizontalAdvance(cell.text())
    assert times.columnSpan(row, 1) == 4


@pytest.mark.parametrize(("width", "is_wide"), [(895, True), (597, False)])  # the second at a scale of 150 %
def test_names_of_measures_are_read_in_a_window_of_any_scale(shown, result, width, is_wide):
    table = MetricsTable()
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setWidget(table)
    shown(area).resize(width, 195)
    first = result.objects[0]
    table.show_object(replace(first, comparisons=(first.comparisons * 3)[:3]))
    QApplication.processEvents()
    left, right = table.tables
    assert (left.y() == right.y()) == is_wide
    for each in (left, right):
        assert each.horizontalScrollBar().maximum() == 0, "every value is in sight"
        assert each.columnWidth(0) > 140, "and what it is"
    if not is_wide:
        assert left.verticalScrollBar().maximum() == right.verticalScrollBar().maximum() == 0
        area.ensureWidgetVisible(right, 0, 0)
        assert area.verticalScrollBar().maximum() > 0, "the area scrolls instead"
    area.resize(2000, 195)
    QApplication.processEvents()
    assert left.y() == right.y()
