"""Keys, in force while the window has the focus: each does what a button does, and all are listed in the dock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from qtpy.QtCore import Qt
from qtpy.QtGui import QKeySequence, QShortcut
from qtpy.QtWidgets import QFormLayout, QLabel, QWidget


@dataclass(frozen=True)
class Shortcut:
    """A key and what it does.

    Attributes:
        keys: as Qt writes them.
        meaning: a few words.
        action: called.
        always: also while no comparison is open; the others leave their keys to napari then.
    """

    keys: str
    meaning: str
    action: Callable[[], None]
    always: bool = False


class Shortcuts:
    """Keys of a widget's window."""

    def __init__(self, parent: QWidget, shortcuts: list[Shortcut]) -> None:
        self.listed = shortcuts
        self._bound: list[tuple[QShortcut, Shortcut]] = []
        for shortcut in shortcuts:
            bound = QShortcut(QKeySequence(shortcut.keys), parent)
            bound.setContext(Qt.ShortcutContext.WindowShortcut)
            bound.activated.connect(shortcut.action)
            self._bound.append((bound, shortcut))
        self.set_open(False)

    def set_open(self, is_open: bool) -> None:
        """Whether a comparison is open."""
        for bound, shortcut in self._bound:
            bound.setEnabled(is_open or shortcut.always)

    def table(self) -> QWidget:
        """A list of them."""
        widget = QWidget()
        form = QFormLayout(widget)
        form.setContentsMargins(0, 0, 0, 0)
        form.setVerticalSpacing(1)
        for shortcut in self.listed:
            meaning = QLabel(shortcut.meaning)
            meaning.setWordWrap(True)
            form.addRow(f"<b>{shortcut.keys}</b>", meaning)
        return widget
