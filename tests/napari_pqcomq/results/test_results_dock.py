"""The results in a dock of their own, below the pictures."""

from __future__ import annotations

import pytest
from qtpy.QtWidgets import QMainWindow, QWidget

from napari_pqcomq.results.result_tabs import ResultTabs
from napari_pqcomq.results.results_dock import ResultsDock


@pytest.mark.parametrize(("height", "taken"), [(800, 256), (533, 178)])  # the second at a scale of 150 %
def test_the_pictures_keep_the_most_of_a_low_window(qtbot, height, taken):
    window, inside, tabs = QMainWindow(), QWidget(), ResultTabs()
    qtbot.addWidget(window)
    window.setCentralWidget(inside)
    window.resize(853, height)
    window.show()
    qtbot.waitExposed(window)
    tabs.add_panel("Figures", QWidget())
    dock = ResultsDock(tabs, inside)
    tabs.reveal()
    qtbot.wait(50)
    assert dock.isVisible()
    assert dock.height() == taken
    assert inside.height() > dock.height()
