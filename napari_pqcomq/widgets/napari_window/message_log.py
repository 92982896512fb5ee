"""What napari has said, to be read again and copied: its own notices vanish after some seconds."""

from __future__ import annotations

from napari.utils.notifications import Notification, notification_manager
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QLabel, QPlainTextEdit, QWidget

from napari_pqcomq.translation import tr

_MOST = 50
_LINES = 6


class MessageLog(QPlainTextEdit):
    """The last messages, the newest first; they may come from any thread."""

    _told = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setReadOnly(True)
        self.setToolTip(tr("The last messages, the newest first. Select and press Ctrl+C to copy."))
        self.setAccessibleName(tr("Messages"))
        self.setPlaceholderText(tr("No message yet."))
        self.setFixedHeight(_LINES * self.fontMetrics().lineSpacing() + 8)
        self._messages: list[str] = []
        self._told.connect(self._show)
        notification_manager.notification_ready.connect(self._on_notice)  # type: ignore[arg-type]  # it is what is emitted

    def release(self) -> None:
        """Stop listening."""
        notification_manager.notification_ready.disconnect(self._on_notice)

    def _on_notice(self, notice: Notification) -> None:
        try:
            self._told.emit(notice.message)
        except RuntimeError:  # a window that is closed deletes its docks without closing them
            self.release()

    def _show(self, message: str) -> None:
        self._messages = [message, *self._messages][:_MOST]
        self.setPlainText("\n\n".join(self._messages))


def make_copyable(root: QWidget) -> None:
    """Let the texts of several lines in a widget be selected with the mouse."""
    for label in root.findChildren(QLabel):
        if label.wordWrap():
            label.setTextInteractionFlags(label.textInteractionFlags() | Qt.TextInteractionFlag.TextSelectableByMouse)
