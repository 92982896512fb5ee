"""Drawing, moving and resizing boxes with the mouse, on any side of a comparison and outside of one.

napari's own tools work on the active layer alone and report a change when a drag is over. Here a box can be dragged on
any side, with any layer active, and every move is reported at once, so that masks can follow.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from napari_pqcomq.layers import naparis_tools
from napari_pqcomq.layers.axes_in_sight import is_axial
from napari_pqcomq.prompts.objects.drawn_object import DEFAULT_REACH
from napari_pqcomq.prompts.tools.mouse_tool import REACH_PIXELS, MouseTool, place_at_mouse
from pqcomq.segmentation.box import Box3D
from pqcomq.volumes.volume import Volume

_SMALLEST = 2.0
"""Voxels: a click is no box."""

Handle = tuple[bool, bool, bool, bool]
"""Which of x0, y0, x1, y1 follow the mouse."""
_WHOLE: Handle = (True, True, True, True)


class BoxTool(MouseTool):
    """While it is armed a drag draws a box; else it moves the box under the mouse, unless the mouse rests.

    Attributes:
        extends: what is drawn grows the current object's box instead of being an object of its own.
        rests: the mouse is left to others, boxes under it too.
    """

    extends = rests = False

    def arm(self, armed: bool, *, extend: bool = False) -> None:
        """Draw a box with the next drag, or leave that to napari.

        Args:
            armed: whether to draw.
            extend: grow the current object's box to hold the one drawn, on its slice too, instead of adding an object.
        """
        if armed:
            self.extends = extend and self._prompts.current_prompt is not None
        super().arm(armed)

    def nudge(self, dx: int, dy: int) -> None:
        """Move the current object's box by voxels, on axial slices as the mouse does.

        Args:
            dx: to the patient's left, which is the right of the picture.
            dy: to the back, which is down.
        """
        current, volume = self._prompts.current_prompt, self._volume
        if current is None or current.box is None or volume is None or self.rests:
            return
        if is_axial(self._viewer.dims):
            self._prompts.set_box(self._prompts.current, moved(current.box, _WHOLE, dx, dy, volume))
            self._prompts.settle()

    def _taken(self, event: Any, volume: Volume) -> Iterator[None] | None:  # noqa: ANN401 (napari's event)
        if self.rests:
            return None
        z, *start = place_at_mouse(event, volume)
        if self.is_armed:
            return self._draw(event, volume, z, start)
        held = None if naparis_tools.is_in_hand(self._viewer) else self._held(z, start)
        return None if held is None else self._move(event, volume, start, *held)

    def _draw(self, event: Any, volume: Volume, z: int, start: list[float]) -> Iterator[None]:  # noqa: ANN401
        prompts, extended = self._prompts, self._prompts.current_prompt if self.extends else None
        number = extended.number if extended else None
        before = extended.box if extended else None
        box = None
        yield
        while event.type == "mouse_move":
            box = self._rectangle(start, place_at_mouse(event, volume)[1:], z, volume, before)
            if box is not None and number is None:
                index = prompts.add(box)
                number = prompts.objects[index].number
            elif box is not None and number is not None:
                prompts.set_box(prompts.index_of(number), box)
            yield
        if box is not None:
            prompts.settle()
            self.arm(False)
        else:
            prompts.revert()

    def _move(
        self,
        event: Any,  # noqa: ANN401
        volume: Volume,
        start: list[float],
        index: int,
        handle: Handle,
    ) -> Iterator[None]:
        prompts = self._prompts
        prompts.choose(index)
        before, number = prompts.objects[index].box, prompts.objects[index].number
        assert before is not None  # noqa: S101 (it was taken hold of)
        yield
        while event.type == "mouse_move":
            _z, *here = place_at_mouse(event, volume)
            prompts.set_box(
                prompts.index_of(number), moved(before, handle, here[0] - start[0], here[1] - start[1], volume)
            )
            yield
        prompts.settle()

    def _held(self, z: int, at: list[float]) -> tuple[int, Handle] | None:
        """The box under the mouse and what of it is held; the current one is asked first."""
        reach = self._reach()
        indices = sorted(range(len(self._prompts)), key=lambda i: i != self._prompts.current)
        for index in indices:
            box = self._prompts.objects[index].box
            if box is not None and box.z0 <= z <= box.z1:
                handle = held_part(box, at, reach)
                if handle is not None:
                    return index, handle
        return None

    def _reach(self) -> tuple[float, float]:
        """How far an edge can be taken hold of, in voxels across and down."""
        assert self._volume is not None  # noqa: S101 (asked only while there is one)
        screen = REACH_PIXELS / self._viewer.scene.camera.zoom  # mm
        _dz, dy, dx = self._volume.grid.spacing_zyx
        return screen / dx, screen / dy

    def _rectangle(
        self, start: list[float], end: tuple[float, float], z: int, volume: Volume, before: Box3D | None
    ) -> Box3D | None:
        """The box drawn so far, None while it is too small."""
        depth, height, width = volume.grid.shape_zyx
        (x0, x1), (y0, y1) = (sorted(pair) for pair in zip(start, end, strict=True))
        x0, x1 = np.clip([x0, x1], 0, width).tolist()
        y0, y1 = np.clip([y0, y1], 0, height).tolist()
        if x1 - x0 < _SMALLEST or y1 - y0 < _SMALLEST:
            return None
        if before is None:
            first, last = max(0, z - DEFAULT_REACH), min(depth - 1, z + DEFAULT_REACH)
            return Box3D(x0, y0, first, x1, y1, last)
        return Box3D(
            min(x0, before.x0),
            min(y0, before.y0),
            min(z, before.z0),
            max(x1, before.x1),
            max(y1, before.y1),
            max(z, before.z1),
        )


def held_part(box: Box3D, at: list[float], reach: tuple[float, float]) -> Handle | None:
    """What of a box is under the mouse: an edge, a corner (two edges), or its frame as a whole.

    Args:
        box: in voxels.
        at: x and y of the mouse in voxels.
        reach: in voxels across and down.

    Returns:
        Which of x0, y0, x1, y1 would follow the mouse: edges and corners are held from either side, the inside moves
        the whole box; None outside.
    """
    (x, y), (rx, ry) = at, reach
    # A small box must keep an inside to be moved by.
    rx, ry = min(rx, (box.x1 - box.x0) / 4), min(ry, (box.y1 - box.y0) / 4)
    if not (box.x0 - rx <= x <= box.x1 + rx and box.y0 - ry <= y <= box.y1 + ry):
        return None
    edges = abs(x - box.x0) <= rx, abs(y - box.y0) <= ry, abs(x - box.x1) <= rx, abs(y - box.y1) <= ry
    return edges if any(edges) else _WHOLE


def moved(box: Box3D, handle: Handle, dx: float, dy: float, volume: Volume) -> Box3D:
    """A box after a drag by (dx, dy) voxels: it stays in the volume, and no edge passes the one across."""
    _depth, height, width = volume.grid.shape_zyx
    x0, y0, x1, y1 = box.x0, box.y0, box.x1, box.y1
    if handle == _WHOLE:
        dx, dy = float(np.clip(dx, -x0, width - x1)), float(np.clip(dy, -y0, height - y1))
        return Box3D(x0 + dx, y0 + dy, box.z0, x1 + dx, y1 + dy, box.z1)
    left, top, right, bottom = handle
    x0 = float(np.clip(x0 + dx, 0, x1 - _SMALLEST)) if left else x0
    y0 = float(np.clip(y0 + dy, 0, y1 - _SMALLEST)) if top else y0
    x1 = float(np.clip(x1 + dx, x0 + _SMALLEST, width)) if right else x1
    y1 = float(np.clip(y1 + dy, y0 + _SMALLEST, height)) if bottom else y1
    return Box3D(x0, y0, box.z0, x1, y1, box.z1)
