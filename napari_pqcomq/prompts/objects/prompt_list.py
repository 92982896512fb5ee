"""The objects that the user prompts: names, boxes, points, scribbles and colours, with undo and redo."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from qtpy.QtCore import QObject, Signal

from napari_pqcomq.prompts.objects.drawn_object import DEFAULT_REACH, MOST_OBJECTS, DrawnObject
from napari_pqcomq.translation import tr
from pqcomq.errors import InputError
from pqcomq.segmentation.box import Box3D
from pqcomq.segmentation.prompt import PromptPoint
from pqcomq.segmentation.scribble import Scribble

_REMEMBERED = 200
"""Steps that can be undone."""


_State = tuple[tuple[DrawnObject, ...], int]
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
        self._objects: tuple[DrawnObject, ...] = ()
        self._current = -1
        self._undo: list[_State] = []
        self._redo: list[_State] = []
        self._settled: _State = ((), -1)

    def __len__(self) -> int:
        return len(self._objects)

    @property
    def objects(self) -> tuple[DrawnObject, ...]:
        """All of them."""
        return self._objects

    @property
    def compared(self) -> tuple[DrawnObject, ...]:
        """Those that take part in the next comparison."""
        return tuple(each for each in self._objects if each.compared)

    @property
    def current(self) -> int:
        """Index of the current object, −1 if there is none."""
        return self._current

    @property
    def current_prompt(self) -> DrawnObject | None:
        """The current object."""
        return self._objects[self._current] if self._objects else None

    def index_of(self, number: int) -> int:
        """Index of an object by its number, −1 where it is no more: in a long drag others may go or come back."""
        return next((index for index, each in enumerate(self._objects) if each.number == number), -1)

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
            if self._objects == self._settled[0]:
                self._settled = self._objects, index  # undo brings back what was chosen before the change
            self.changed.emit()

    def add(self, box: Box3D, name: str | None = None) -> int:
        """Add an object and make it the current one; its index. It is not settled yet.

        Raises:
            InputError: there are as many as masks can hold.
        """
        return self._add(box=box, name=name)

    def add_point(self, point: PromptPoint, depth: int, *, new: bool = False) -> tuple[int, int]:
        """Give the current object a point, or make an object of it; not settled yet.

        Args:
            point: an object on whose slices it does not lie grows by them.
            depth: slices of the volume.
            new: make an object of it though there is a current one.

        Returns:
            Index of the object, and of the point in it.

        Raises:
            InputError: an object is to begin with a point outside of it, or there are as many as masks can hold.
        """
        current = None if new else self.current_prompt
        if current is None or current.scribble is not None:  # a scribble stands alone
            if not point.positive:
                raise InputError(tr("The first point of an object lies inside it; points outside follow."))
            return self._add(points=(point,), span=_reach(point.z, depth)), 0
        self._put(self._current, replace(_grown(current, point.z), points=(*current.points, point)))
        return self._current, len(current.points)

    def draw(self, z: int, drawn: np.ndarray, depth: int, *, new: bool = False) -> int:
        """Add to the current object's scribble, or make an object of it; not settled yet.

        Args:
            z: slice; an object on whose slices it does not lie grows by it.
            drawn: (H, W) bool, not empty.
            depth: slices of the volume.
            new: make an object of it though there is a current one.

        Returns:
            Index of the object.

        Raises:
            InputError: there are as many objects as masks can hold.
        """
        current = None if new else self.current_prompt
        if current is None or current.scribble is None:  # a scribble stands alone
            return self._add(scribble=Scribble.of(drawn[None]).moved_to(z), span=_reach(z, depth))
        own = current.scribble.on_slice(z, drawn.shape)
        self._put(self._current, replace(_grown(current, z), scribble=current.scribble.redrawn(z, own | drawn)))
        return self._current

    def erase(self, z: int, drawn: np.ndarray) -> None:
        """Take voxels from the current object's scribble, and with the last the object; not settled yet.

        Args:
            z: slice.
            drawn: (H, W) bool.
        """
        current = self.current_prompt
        if current is None or current.scribble is None:
            return
        left = current.scribble.redrawn(z, current.scribble.on_slice(z, drawn.shape) & ~drawn)
        if left is None:
            self._take_away(self._current)
        else:
            self._change(self._current, scribble=left)

    def move_point(self, index: int, place: int, point: PromptPoint) -> None:
        """Put a point elsewhere; not settled yet. Nothing is done to one that was taken back during the drag."""
        if self._has_point(index, place):
            points = self._objects[index].points
            self._change(index, points=(*points[:place], point, *points[place + 1 :]))

    def remove_point(self, index: int, place: int) -> None:
        """Take a point away, and with the last that lies inside an object without a box the object; not settled yet.

        Nothing is done to one that was taken back while the button was down.
        """
        if not self._has_point(index, place):
            return
        each = self._objects[index]
        points = (*each.points[:place], *each.points[place + 1 :])
        if each.box is None and not any(point.positive for point in points):
            self._take_away(index)
        else:
            self._change(index, points=points)

    def set_span(self, index: int, first: int, last: int) -> None:
        """Let an object reach from one slice to another, and as far as points or scribble lie; not settled yet."""
        each = self._objects[index]
        places = each.asked.asked_slices
        self._put(index, each.with_span(min(first, *places, first), max(last, *places, last)))

    def _add(self, name: str | None = None, box: Box3D | None = None, **more: Any) -> int:  # noqa: ANN401
        taken = {each.number for each in self._objects}
        number = next((n for n in range(1, MOST_OBJECTS + 1) if n not in taken), None)
        if number is None:
            raise InputError(
                tr(
                    "There are {most} objects already; remove one before drawing another.",
                    most=MOST_OBJECTS,
                )
            )
        self._current = len(self._objects)
        self._set((*self._objects, DrawnObject(number, name or tr("Object {number}", number=number), box, **more)))
        return self._current

    def set_box(self, index: int, box: Box3D) -> None:
        """Move or resize a box; it is not settled yet, since it may be one of many steps of a drag.

        Nothing is done to an object that was taken back during the drag.
        """
        if 0 <= index < len(self._objects):
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
            self._take_away(index)
            self.settle()

    def _take_away(self, index: int) -> None:
        self._current = min(self._current - (index < self._current), len(self._objects) - 2)
        self._set((*self._objects[:index], *self._objects[index + 1 :]))

    def load(self, objects: tuple[DrawnObject, ...], current: int | None = None) -> None:
        """Take over other objects, e.g. those of another volume; there is nothing to undo then."""
        self._current = len(objects) - 1 if current is None else current
        self._undo, self._redo, self._settled = [], [], (objects, self._current)
        self._set(objects)
        self.settled.emit()

    def take_edited(self, objects: tuple[DrawnObject, ...]) -> None:
        """Take over objects that were changed elsewhere, as one change that can be undone; a further one is current."""
        own, last = self.current_prompt, len(objects) - 1
        if len(objects) > len(self._objects) or own is None:
            self._current = last
        else:
            numbers = [each.number for each in objects]
            self._current = numbers.index(own.number) if own.number in numbers else min(self._current, last)
        self._set(objects)
        self.settle()

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
        """Take back what is not settled, as while a box is being dragged, else the last settled change."""
        if self._objects != self._settled[0]:
            self.revert()
        elif self._undo:
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

    def _has_point(self, index: int, place: int) -> bool:
        return 0 <= index < len(self._objects) and place < len(self._objects[index].points)

    def _change(self, index: int, **changes: object) -> None:
        self._put(index, replace(self._objects[index], **changes))  # type: ignore[arg-type]

    def _put(self, index: int, changed: DrawnObject) -> None:
        if changed != self._objects[index]:
            self._set((*self._objects[:index], changed, *self._objects[index + 1 :]))

    def _set(self, objects: tuple[DrawnObject, ...]) -> None:
        self._objects = objects
        self.changed.emit()


def _reach(z: int, depth: int) -> tuple[int, int]:
    """The slices of a new object."""
    return max(0, z - DEFAULT_REACH), min(depth - 1, z + DEFAULT_REACH)


def _grown(prompt: DrawnObject, z: int) -> DrawnObject:
    """The same on a further slice, too."""
    slices = prompt.asked.slices
    return prompt.with_span(min(z, slices[0]), max(z, slices[-1]))
