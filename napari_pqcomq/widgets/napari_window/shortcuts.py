"""Keys, in force while the window has the focus: each does what a button does, and all are listed in the dock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from qtpy.QtCore import QEvent, QKeyCombination, QObject, Qt
from qtpy.QtGui import QKeyEvent, QKeySequence, QShortcut
from qtpy.QtWidgets import QFormLayout, QLabel, QWidget

SEPARATOR = ", "
"""Between keys of the picture that mean the same."""


@dataclass(frozen=True)
class Shortcut:
    """A key and what it does.

    Attributes:
        keys: as Qt writes them; those of the picture may be several.
        meaning: a few words.
        action: called.
        always: also while no comparison is open; the others leave their keys to napari then.
        prompts: always too, but where a layer is edited with napari's own tools, which use the same keys.
        picture: always too, but on the picture alone: lists, tables and numbers have a meaning of their own for them.
            With ``prompts``, in the dock as well: napari has windows of its own that take the key.
    """

    keys: str
    meaning: str
    action: Callable[[], None]
    always: bool = False
    prompts: bool = False
    picture: bool = False


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
        self._of_picture = {
            QKeySequence(key).toString(): each.action
            for each in shortcuts
            if each.picture
            for key in each.keys.split(SEPARATOR)
        }
        self._bound: list[tuple[QShortcut, Shortcut]] = []
        for shortcut in shortcuts:
            if shortcut.picture and not shortcut.prompts:
                continue
            bound = QShortcut(QKeySequence(shortcut.keys), parent)
            contexts = Qt.ShortcutContext
            bound.setContext(contexts.WidgetWithChildrenShortcut if shortcut.picture else contexts.WindowShortcut)
            bound.activated.connect(shortcut.action)
            if shortcut.picture:  # the list of keys takes Esc in the whole window, and Qt tells either of the two
                bound.activatedAmbiguously.connect(shortcut.action)
            self._bound.append((bound, shortcut))
        self.set_open(False)

    def set_open(self, is_open: bool) -> None:
        """Whether a comparison is open."""
        self._is_open = is_open
        for bound, shortcut in self._bound:
            bound.setEnabled(is_open or shortcut.always or shortcut.prompts)

    def watch(self, canvas: QWidget | None) -> None:
        """Leave keys to napari there, where it needs them, and take those of the picture."""
        if canvas is not None:
            canvas.installEventFilter(self)  # once more is as good as once

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 (Qt's name)
        """Do what a key of the picture does; leave one that prompts to napari's own tool where one is in the hand."""
        if not isinstance(event, QKeyEvent):
            return False
        name = _name(event)
        is_napari_s = not self._is_open and name in self._of_prompts and self._is_editing()
        if event.type() == QEvent.Type.ShortcutOverride and is_napari_s:
            event.accept()
            return True
        if event.type() == QEvent.Type.KeyPress and name in self._of_picture and not is_napari_s:
            self._of_picture[name]()
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


def _name(event: QKeyEvent) -> str:
    """A key with its modifiers, as Qt writes them; arrows count as keys of the number pad on macOS."""
    modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
    return QKeySequence(QKeyCombination(modifiers, Qt.Key(event.key()))).toString()
