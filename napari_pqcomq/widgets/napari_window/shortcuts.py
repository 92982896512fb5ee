"""Keys, in force while the window has the focus: each does what a button does, and all are listed in the dock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtGui import QKeyEvent, QKeySequence, QShortcut
from qtpy.QtWidgets import QFormLayout, QLabel, QWidget


@dataclass(frozen=True)
class Shortcut:
    """A key and what it does.

    Attributes:
        keys: as Qt writes them.
        meaning: a few words.
        action: called.
        always: also while no comparison is open; the others leave their keys to napari then.
        prompts: always too, but where a layer is edited with napari's own tools, which use the same keys.
    """

    keys: str
    meaning: str
    action: Callable[[], None]
    always: bool = False
    prompts: bool = False


class Shortcuts(QObject):
    """Keys of a widget's window.

    Args:
        parent: whose window it is.
        shortcuts: the keys.
        is_editing: asked whether a layer is being edited with napari's own tools.
    """

    def __init__(
        self, parent: QWidget, shortcuts: list[Shortcut], is_editing: Callable[[], bool] = lambda: False
    ) -> None:
        super().__init__(parent)
        self.listed, self._is_editing, self._is_open = shortcuts, is_editing, False
        self._of_prompts = {QKeySequence(each.keys).toString() for each in shortcuts if each.prompts}
        self._bound: list[tuple[QShortcut, Shortcut]] = []
        for shortcut in shortcuts:
            bound = QShortcut(QKeySequence(shortcut.keys), parent)
            bound.setContext(Qt.ShortcutContext.WindowShortcut)
            bound.activated.connect(shortcut.action)
            self._bound.append((bound, shortcut))
        self.set_open(False)

    def set_open(self, is_open: bool) -> None:
        """Whether a comparison is open."""
        self._is_open = is_open
        for bound, shortcut in self._bound:
            bound.setEnabled(is_open or shortcut.always or shortcut.prompts)

    def watch(self, canvas: QWidget | None) -> None:
        """Leave keys to napari there, where it needs them."""
        if canvas is not None:
            canvas.installEventFilter(self)  # once more is as good as once

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 (Qt's name)
        """Let the canvas have a key that prompts while one of napari's tools is in the hand."""
        if event.type() != QEvent.Type.ShortcutOverride or self._is_open or not isinstance(event, QKeyEvent):
            return False
        if QKeySequence(event.keyCombination()).toString() in self._of_prompts and self._is_editing():
            event.accept()
            return True
        return False

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
