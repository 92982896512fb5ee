"""The table of corrections: what its columns are called, however narrow it is."""

from __future__ import annotations

import pytest

from napari_pqcomq.results.held.result_store import ResultStore
from napari_pqcomq.results.masks.corrections_panel import CorrectionsPanel


@pytest.mark.parametrize("width", [380, 1200])
def test_titles_of_columns_are_never_cut(qtbot, width):
    panel = CorrectionsPanel(ResultStore())
    qtbot.addWidget(panel)
    panel.resize(width, 200)
    panel.show()
    header = panel.table.horizontalHeader()
    for column in range(header.count()):
        title = panel.table.horizontalHeaderItem(column).text()
        assert header.sectionSize(column) > header.fontMetrics().horizontalAdvance(title), title
