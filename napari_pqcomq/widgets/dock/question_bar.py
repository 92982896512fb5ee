"""A question in the dock, answered by a button; nothing waits for the answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

Answer = tuple[str, str, Callable[[], None]]
"""The button's text, its tooltip, and what it does."""


class QuestionBar(QFrame):
    """One question at a time; out of sight while there is none.

    Attributes:
        text: the question.
        buttons: one an answer.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.text.setTextFormat(Qt.TextFormat.PlainText)
        self.buttons: list[QPushButton] = []
        self._row = QHBoxLayout()
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 6, 6, 6)
        column.addWidget(self.text)
        column.addLayout(self._row)
        self.setVisible(False)

    def ask(self, question: str, answers: Sequence[Answer]) -> None:
        """Ask, in place of an earlier question."""
        self.withdraw()
        self.text.setText(question)
        for title, tooltip, action in answers:
            button = QPushButton(title)
            button.setToolTip(tooltip)
            button.clicked.connect(lambda _checked=False, action=action: self._answer(action))
            self._row.addWidget(button)
            self.buttons.append(button)
        self.setVisible(True)

    def withdraw(self) -> None:
        """Ask nothing."""
        self.setVisible(False)
        for button in self.buttons:
            self._row.removeWidget(button)
            button.deleteLater()
        self.buttons = []

    def _answer(self, action: Callable[[], None]) -> None:
        self.withdraw()
        action()
