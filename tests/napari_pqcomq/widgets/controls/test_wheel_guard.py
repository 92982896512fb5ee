from __future__ import annotations

import warnings

import pytest
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QComboBox, QScrollArea, QSpinBox, QTabBar, QVBoxLayout, QWidget

from napari_pqcomq.widgets.controls.wheel_guard import WheelGuard


@pytest.fixture
def area(qtbot):
    """A low scroll area with a control of each kind at its top."""
    content, scrolled = QWidget(), QScrollArea()
    column = QVBoxLayout(content)
    combo, spin, tabs = QComboBox(), QSpinBox(), QTabBar()
    combo.addItems(["8, 4 and 2 bits", "2 bits", "4 bits"])
    spin.setValue(5)
    for title in ("Figures", "Plots", "Gate"):
        tabs.addTab(title)
    for widget in (combo, spin, tabs):
        column.addWidget(widget)
    filler = QWidget()
    filler.setMinimumHeight(2000)
    column.addWidget(filler)
    scrolled.setWidget(content)
    scrolled.setWidgetResizable(True)
    scrolled.resize(300, 200)
    qtbot.addWidget(scrolled)
    scrolled.show()
    qtbot.waitExposed(scrolled)
    scrolled.setFocus()
    WheelGuard(scrolled)
    return scrolled


def turn(widget):
    """Turn the wheel over a widget by a notch, as the window system reports it."""
    window = widget.window()
    QTest.wheelEvent(window.windowHandle(), QPointF(widget.mapTo(window, widget.rect().center())), QPoint(0, -120))
    QApplication.processEvents()


def state(area):
    combo, spin, tabs = (area.findChildren(kind)[0] for kind in (QComboBox, QSpinBox, QTabBar))
    return combo.currentIndex(), spin.value(), tabs.currentIndex()


@pytest.mark.parametrize("kind", [QComboBox, QSpinBox, QTabBar])
def test_the_wheel_scrolls_past_controls_without_the_focus(area, kind):
    before = state(area)
    turn(area.findChildren(kind)[0])
    assert state(area) == before
    assert area.verticalScrollBar().value() > 0, "the dock scrolls instead"


def test_a_control_with_the_focus_takes_the_wheel(area):
    combo = area.findChildren(QComboBox)[0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        QApplication.setActiveWindow(area)  # there is no window manager to do it under a virtual screen
    combo.setFocus()
    assert combo.hasFocus()
    turn(combo)
    assert combo.currentIndex() == 1


def test_the_wheel_itself_gives_no_focus(area):
    assert area.findChildren(QSpinBox)[0].focusPolicy() == Qt.FocusPolicy.StrongFocus
