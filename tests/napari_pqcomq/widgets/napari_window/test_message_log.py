"""Messages are kept to be read again and copied."""

from __future__ import annotations

import threading

from napari.utils.notifications import show_info
from qtpy.QtCore import QEvent, QPoint, Qt
from qtpy.QtWidgets import QApplication, QLabel, QWidget

from napari_pqcomq.widgets.napari_window.message_log import MessageLog, make_copyable


def test_what_was_said_can_be_copied_the_newest_first(qtbot):
    log = MessageLog()
    qtbot.addWidget(log)
    log.show()
    show_info("Saved a.")
    thread = threading.Thread(target=show_info, args=("Saved b.",))
    thread.start()
    qtbot.waitUntil(lambda: "Saved b." in log.toPlainText())
    thread.join()
    assert log.toPlainText().startswith("Saved b.")
    qtbot.keyClick(log, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClick(log, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert "Saved a." in QApplication.clipboard().text()
    log.release()
    show_info("Saved c.")
    assert "Saved c." not in log.toPlainText()


def test_texts_in_the_dock_can_be_selected(qtbot):
    root = QWidget()
    qtbot.addWidget(root)
    text, title = QLabel("a sentence", root), QLabel("Title", root)
    text.setWordWrap(True)
    make_copyable(root)
    assert text.textInteractionFlags() & Qt.TextInteractionFlag.TextSelectableByMouse
    assert not title.textInteractionFlags() & Qt.TextInteractionFlag.TextSelectableByMouse


def test_a_link_in_a_text_that_can_be_selected_is_still_followed(qtbot):
    root = QWidget()
    qtbot.addWidget(root)
    text = QLabel('<a href="https://example.org">what its authors say</a>', root)
    text.setWordWrap(True)
    text.resize(200, 30)
    followed = []
    text.linkActivated.connect(followed.append)
    make_copyable(root)
    root.show()
    qtbot.waitExposed(root)
    qtbot.mouseClick(text, Qt.MouseButton.LeftButton, pos=QPoint(30, 15))
    assert followed == ["https://example.org"]


def test_a_log_whose_window_is_gone_lets_others_be_told(qtbot):
    gone, here = MessageLog(), MessageLog()
    qtbot.addWidget(here)
    gone.deleteLater()
    QApplication.sendPostedEvents(gone, QEvent.Type.DeferredDelete)
    show_info("Still told.")
    qtbot.waitUntil(lambda: "Still told." in here.toPlainText())
    here.release()
