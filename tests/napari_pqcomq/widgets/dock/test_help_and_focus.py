"""The list of keys over the window, and the ring round what has the focus."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from qtpy.QtCore import QEvent, Qt
from qtpy.QtGui import QKeyEvent, QTextDocument
from qtpy.QtWidgets import QApplication, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from napari_pqcomq.widgets.controls.focus_ring import FOCUS_COLOUR, show_focus
from napari_pqcomq.widgets.dock.help_overlay import HelpOverlay
from napari_pqcomq.widgets.napari_window.shortcuts import Shortcut, Shortcuts


@pytest.fixture
def window(qtbot):
    window = QWidget()
    window.resize(900, 600)
    qtbot.addWidget(window)
    column = QVBoxLayout(window)
    for title in ("first", "second"):
        column.addWidget(QPushButton(title))
    window.show()
    qtbot.waitExposed(window)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        QApplication.setActiveWindow(window)
    return window


def test_a_question_mark_shows_all_keys_and_puts_them_away(window, qtbot):
    keys = [
        Shortcut("W", "Worst slice", lambda: None),
        Shortcut("?", "All keys", lambda: overlay.toggle(), always=True),
    ]
    overlay = HelpOverlay(window, keys, [("Wheel", "slices")])
    Shortcuts(window, keys)
    assert overlay.isHidden()
    qtbot.keyClick(window, "?")
    assert overlay.isVisible()
    words = " ".join(label.text() for label in overlay.findChildren(QLabel))
    for word in ("Worst slice", "All keys", "Wheel", "slices"):
        assert word in words
    assert window.rect().contains(overlay.geometry()), "all of it is seen"
    qtbot.keyClick(overlay, Qt.Key.Key_Escape)
    assert overlay.isHidden()
    overlay.toggle()
    qtbot.mouseClick(overlay, Qt.MouseButton.LeftButton)
    assert overlay.isHidden()


def test_what_has_the_focus_has_a_ring_and_tab_moves_it(window, qtbot):
    show_focus(window)
    first, second = window.findChildren(QPushButton)

    def ringed(button):
        image = button.grab().toImage()
        found = {image.pixelColor(x, image.height() // 2).name().upper() for x in range(image.width())}
        return FOCUS_COLOUR in found

    first.setFocus(Qt.FocusReason.TabFocusReason)
    assert (ringed(first), ringed(second)) == (True, False)
    qtbot.keyClick(first, Qt.Key.Key_Tab)
    assert (ringed(first), ringed(second)) == (False, True)
    assert np.all([first.isEnabled(), second.isEnabled()])


def test_keys_that_prompt_are_left_to_napari_s_own_tools(qtbot):
    window, editing = QWidget(), []
    qtbot.addWidget(window)
    canvas = QWidget(window)
    keys = [Shortcut("B", "box", lambda: None, prompts=True), Shortcut("D", "difference", lambda: None)]
    shortcuts = Shortcuts(window, keys, lambda: bool(editing))
    shortcuts.watch(canvas)

    def is_left(key):
        event = QKeyEvent(QEvent.Type.ShortcutOverride, key, Qt.KeyboardModifier.NoModifier)
        event.ignore()
        QApplication.sendEvent(canvas, event)
        return event.isAccepted()

    assert not is_left(Qt.Key.Key_B)
    editing.append("a brush")
    assert is_left(Qt.Key.Key_B)
    assert not is_left(Qt.Key.Key_D)
    shortcuts.set_open(True)
    assert not is_left(Qt.Key.Key_B), "a comparison has them all"


@pytest.mark.parametrize(("size", "scrolls"), [((1280, 800), False), ((853, 533), True)])  # the second at 150 %
def test_nothing_of_the_list_of_keys_is_cut_and_what_has_no_room_scrolls_by_keyboard(window, qtbot, size, scrolls):
    window.resize(*size)
    long = Shortcut("P", "Set points: inside; with Ctrl or Alt outside; with Shift a new object", lambda: None)
    keys = [long, *[Shortcut("Ctrl+Shift+Z", "The box a voxel to the right", lambda: None)] * 79]
    overlay = HelpOverlay(window, keys, [("Right button", "window: wider to the right, brighter upwards")])
    overlay.toggle()
    QApplication.processEvents()
    assert window.rect().contains(overlay.geometry())
    (area,) = overlay.findChildren(QScrollArea)
    bar = area.verticalScrollBar()
    assert (bar.maximum() > 0) == scrolls
    assert area.horizontalScrollBar().maximum() == 0
    for table in area.findChildren(QLabel):
        assert table.parentWidget().rect().contains(table.geometry())
        document = QTextDocument()
        document.setDefaultFont(table.font())
        document.setDocumentMargin(0)
        document.setHtml(table.text())
        document.setTextWidth(table.width())
        assert document.idealWidth() <= table.width() + 1
        assert document.size().height() <= table.height() + 1
    for _press in range(3):
        qtbot.keyClick(QApplication.focusWidget() or area, Qt.Key.Key_PageDown)
    assert bar.value() == bar.maximum()
    qtbot.keyClick(area, Qt.Key.Key_Escape)
    assert overlay.isHidden()
    overlay.toggle()
    qtbot.mouseClick(area.viewport(), Qt.MouseButton.LeftButton)
    assert overlay.isHidden()
