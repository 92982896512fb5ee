"""The two docks of the plugin in one window."""

from __future__ import annotations

import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QTabBar


@pytest.mark.parametrize("order", [("Compare precisions", "Cohort"), ("Cohort", "Compare precisions")])
def test_docks_opened_after_each_other_share_one_place(shown_viewer, qtbot, order):
    shown_viewer.window.resize(1280, 720)
    docks = []
    for name in order:
        dock, late = shown_viewer.window.add_plugin_dock_widget("napari-pqcomq", name)
        qtbot.waitUntil(lambda late=late: late.parts is not None, timeout=300_000)
        docks.append(dock)
    first, second = docks
    window = shown_viewer.window._qt_window
    qtbot.waitUntil(lambda: window.tabifiedDockWidgets(second) == [first])
    qtbot.waitUntil(lambda: not second.visibleRegion().isEmpty() and first.visibleRegion().isEmpty())
    assert second.height() > 500, "nearly all of the window's"
    tabs = next(each for each in window.findChildren(QTabBar) if each.isVisible() and each.count() == 2)
    other = next(index for index in range(2) if tabs.tabText(index) == first.windowTitle())
    QTest.mouseClick(tabs, Qt.MouseButton.LeftButton, pos=tabs.tabRect(other).center())
    qtbot.waitUntil(lambda: not first.visibleRegion().isEmpty())
    window.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, second)  # the user drags it elsewhere
    second.setVisible(False)
    second.setVisible(True)
    qtbot.wait(50)
    assert window.tabifiedDockWidgets(second) == [], "it stays there"
