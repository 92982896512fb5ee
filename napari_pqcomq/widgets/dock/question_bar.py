"""A question in the dock, answered by a button; nothing waits for the answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

Answer = tuple[str, str, Callable[[], None]]
"""The button's text, its tooltip, and what it does."""


class QuestionBar(QFrame):
    """One question at a time, the newest first; out of sight while there is none.

    Each asker has one question at the most. One that another asker's takes the place of is seen again after that.

    Attributes:
        text: the question.
        buttons: one an answer.
        asked: emitted with True when there is something to answer, with False when there is nothing any more.
    """

    asked = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.text.setTextFormat(Qt.TextFormat.PlainText)
        self.buttons: list[QPushButton] = []
        self._asked: dict[object, tuple[str, Sequence[Answer]]] = {}  # by who asked, the newest last
        self._row = QHBoxLayout()
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 6, 6, 6)
        column.addWidget(self.text)
        column.addLayout(self._row)
        self.setVisible(False)

    def ask(self, asker: object, question: str, answers: Sequence[Answer]) -> None:
        """Ask, in place of the same asker's earlier question."""
        self._asked.pop(asker, None)
        self._asked[asker] = question, answers
        self._show()

    def withdraw(self, asker: object) -> None:
        """Ask no longer what somebody has asked."""
        if self._asked.pop(asker, None) is not None:
            self._show()

    def _show(self) -> None:
        """Show the newest question."""
        for button in self.buttons:
            self._row.removeWidget(button)
            button.setVisible(False)  # it is deleted by the event loop, which may take a while
            button.deleteLater()
        self.buttons = []
        if not self._asked:
            self.setVisible(False)
            self.asked.emit(False)
            return
        asker, (question, answers) = next(reversed(self._asked.items()))
        self.text.setText(question)
        for title, tooltip, action in answers:
            button = QPushButton(title)
            button.setToolTip(tooltip)
            button.clicked.connect(lambda _checked=False, action=action: self._answer(asker, action))
            self._row.addWidget(button)
            self.buttons.append(button)
        self.setVisible(True)
        self.asked.emit(True)

    def _answer(self, asker: object, action: Callable[[], None]) -> None:
        self.withdraw(asker)
        action()
