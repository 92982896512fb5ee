"""The objects that the user prompts: names, boxes and colours, with undo and redo."""

from __future__ import annotations

from dataclasses import replace

from qtpy.QtCore import QObject, Signal

from napari_pqcomq.prompts.prompt import MOST_OBJECTS, Prompt
from pqcomq.errors import InputError
from pqcomq.segmentation.box import Box3D

_REMEMBERED = 200
"""Steps that can be undone."""


_State = tuple[tuple[Prompt, ...], int]
"""Objects, and the index of the current one."""


class PromptList(QObject):
    """An ordered set of objects, one of them the current one, which keys and spin boxes change.

    Attributes:
        changed: emitted after every change, also while a box is being dragged.
        settled: emitted when a change is complete: it can be undone from then on.
    """

    changed = Signal()
    settled = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._objects: tuple[Prompt, ...] = ()
        self._current = -1
        self._undo: list[_State] = []
        self._redo: list[_State] = []
        self._settled: _State = ((), -1)

    def __len__(self) -> int:
        return len(self._objects)

    @property
    def objects(self) -> tuple[Prompt, ...]:
        """All of them."""
        return self._objects

    @property
    def compared(self) -> tuple[Prompt, ...]:
        """Those that take part in the next comparison."""
        return tuple(each for each in self._objects if each.compared)

    @property
    def current(self) -> int:
        """Index of the current object, −1 if there is none."""
        return self._current

    @property
    def current_prompt(self) -> Prompt | None:
        """The current object."""
        return self._objects[self._current] if self._objects else None

    @property
    def can_undo(self) -> bool:
        """Whether there is something to take back."""
        return bool(self._undo)

    @property
    def can_redo(self) -> bool:
        """Whether something was taken back."""
        return bool(self._redo)

    def choose(self, index: int) -> None:
        """Make another object the current one."""
        if index != self._current and 0 <= index < len(self._objects):
            self._current = index
            self.changed.emit()

    def add(self, box: Box3D, name: str | None = None) -> int:
        """Add an object and make it the current one; its index. It is not settled yet.

        Raises:
            InputError: there are as many as masks can hold.
        """
        taken = {each.number for each in self._objects}
        number = next((n for n in range(1, MOST_OBJECTS + 1) if n not in taken), None)
        if number is None:
            raise InputError(f"There are {MOST_OBJECTS} objects already; remove one before drawing another.")
        self._current = len(self._objects)
        self._set((*self._objects, Prompt(number, name or f"Object {number}", box)))
        return self._current

    def set_box(self, index: int, box: Box3D) -> None:
        """Move or resize a box; it is not settled yet, since it may be one of many steps of a drag."""
        self._change(index, box=box)

    def rename(self, index: int, name: str) -> None:
        """Give an object another name; a blank one is ignored."""
        if name.strip():
            self._change(index, name=name.strip())
            self.settle()

    def set_compared(self, index: int, compared: bool) -> None:
        """Let an object take part in the next comparison, or not."""
        self._change(index, compared=compared)
        self.settle()

    def remove(self, index: int) -> None:
        """Take an object away."""
        if 0 <= index < len(self._objects):
            self._current = min(self._current, len(self._objects) - 2)
            self._set((*self._objects[:index], *self._objects[index + 1 :]))
            self.settle()

    def load(self, objects: tuple[Prompt, ...], current: int | None = None) -> None:
        """Take over other objects, e.g. those of another volume; there is nothing to undo then."""
        self._current = len(objects) - 1 if current is None else current
        self._undo, self._redo, self._settled = [], [], (objects, self._current)
        self._set(objects)
        self.settled.emit()

    def settle(self) -> None:
        """A change is complete; does nothing if nothing has changed."""
        if self._objects == self._settled[0]:
            return
        self._undo = [*self._undo, self._settled][-_REMEMBERED:]
        self._redo = []
        self._settled = self._objects, self._current
        self.settled.emit()

    def revert(self) -> None:
        """Take back what is not settled."""
        self._restore(self._settled)

    def undo(self) -> None:
        """Take back the last settled change."""
        if self._undo:
            self._redo.append(self._settled)
            self._go_to(self._undo.pop())

    def redo(self) -> None:
        """Make the change again that was taken back last."""
        if self._redo:
            self._undo.append(self._settled)
            self._go_to(self._redo.pop())

    def _go_to(self, state: _State) -> None:
        """The objects of then, and the one that was the current one then."""
        self._settled = state
        self._restore(state)
        self.settled.emit()

    def _restore(self, state: _State) -> None:
        objects, current = state
        self._current = min(max(current, 0), len(objects) - 1)
        self._set(objects)

    def _change(self, index: int, **changes: object) -> None:
        changed = replace(self._objects[index], **changes)  # type: ignore[arg-type]
        if changed != self._objects[index]:
            self._set((*self._objects[:index], changed, *self._objects[index + 1 :]))

    def _set(self, objects: tuple[Prompt, ...]) -> None:
        self._objects = objects
        self.changed.emit()
