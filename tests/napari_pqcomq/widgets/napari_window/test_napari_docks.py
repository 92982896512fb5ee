"""napari's own docks make room where the window has too little."""

from __future__ import annotations

import pytest
from napari.utils.notifications import notification_manager
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDockWidget, QMainWindow, QWidget

from napari_pqcomq.widgets.napari_window.napari_docks import NapariDocks


@pytest.fixture
def window(qtbot):
    """One with a dock as wide as asked for, of napari's name."""

    def made(share):
        window, dock, inside = QMainWindow(), QDockWidget(), QWidget()
        window.setCentralWidget(QWidget())
        inside.setMinimumWidth(round(share * window.screen().availableGeometry().width()))
        dock.setWidget(inside)
        dock.name = "layer list"
        window.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, dock)
        qtbot.addWidget(window)
        window.show()
        qtbot.waitExposed(window)
        return window, dock

    return made


@pytest.mark.parametrize(("share", "is_put_away"), [(0.3, False), (1.1, True)])
def test_they_are_put_away_where_the_window_would_be_wider_than_the_screen(window, share, is_put_away):
    shown, dock = window(share)
    docks, before = NapariDocks(shown.centralWidget()), len(notification_manager.records)
    docks.fit_screen()
    assert dock.isHidden() == is_put_away
    told = [each.message for each in list(notification_manager.records)[before:]]
    assert ["N shows them" in each for each in told] == [True] * is_put_away
    assert shown.width() <= shown.screen().availableGeometry().width()
    docks.restore()
    assert dock.isHidden() == is_put_away, "a comparison that closes brings back what it hid itself"
    docks.toggle()
    assert dock.isHidden() != is_put_away
    docks.fit_screen()
    assert dock.isHidden() != is_put_away, "the user has asked for that"
