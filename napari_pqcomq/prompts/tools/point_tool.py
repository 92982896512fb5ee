"""Setting points with the mouse, inside an object and outside of it, on any side of a comparison and outside of one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from napari_pqcomq.prompts.tools.mouse_tool import NEW_KEY, OUTSIDE_KEYS, REACH_PIXELS, MouseTool, place_at_mouse
from pqcomq.segmentation.prompt import PromptPoint
from pqcomq.volumes.volume import Volume

_STILL_PIXELS = 3.0
"""A hand that clicks moves the mouse by so much."""


class PointTool(MouseTool):
    """While it is armed a click sets a point, a drag moves it, a click on it removes it."""

    def _follow(self, event: Any, volume: Volume) -> Iterator[None]:  # noqa: ANN401
        prompts, (z, x, y) = self._prompts, place_at_mouse(event, volume)
        if not _is_inside(x, y, volume):
            return
        held, keys = self._held(z, x, y, volume), set(event.modifiers)
        if held is None:
            point = PromptPoint(*_clipped(x, y, volume), z, positive=not keys & OUTSIDE_KEYS)
            index, place = prompts.add_point(point, volume.grid.shape_zyx[0], new=NEW_KEY in keys)
        else:
            index, place = held
            prompts.choose(index)
            point = prompts.objects[index].points[place]
        number = prompts.objects[index].number
        # The first point makes a layer, and with a new layer napari lets the mouse pan again.
        self._viewer.scene.camera.mouse_pan = False
        moves = False
        yield
        while event.type == "mouse_move":
            _z, to_x, to_y = place_at_mouse(event, volume)
            moves = moves or self._pixels_between((x, y), (to_x, to_y), volume) > _STILL_PIXELS
            if moves and _is_inside(to_x, to_y, volume):
                by_x, by_y = (point.x - x, point.y - y) if held else (0.0, 0.0)
                to = PromptPoint(*_clipped(to_x + by_x, to_y + by_y, volume), z, point.positive)
                prompts.move_point(prompts.index_of(number), place, to)
            yield
        if held is not None and not moves:
            prompts.remove_point(prompts.index_of(number), place)
        prompts.settle()

    def _held(self, z: int, x: float, y: float, volume: Volume) -> tuple[int, int] | None:
        """The point under the mouse, by object and place in it; the current object is asked first."""
        indices = sorted(range(len(self._prompts)), key=lambda i: i != self._prompts.current)
        for index in indices:
            for place, each in enumerate(self._prompts.objects[index].points):
                if each.z == z and self._pixels_between((each.x, each.y), (x, y), volume) <= REACH_PIXELS:
                    return index, place
        return None

    def _pixels_between(self, one: tuple[float, float], other: tuple[float, float], volume: Volume) -> float:
        """How far two places (x, y) in voxels are from each other on screen."""
        _dz, dy, dx = volume.grid.spacing_zyx
        away = (one[0] - other[0]) * dx, (one[1] - other[1]) * dy
        return float(np.hypot(*away)) * float(self._viewer.scene.camera.zoom)


def _is_inside(x: float, y: float, volume: Volume) -> bool:
    _depth, height, width = volume.grid.shape_zyx
    return -0.5 <= x <= width - 0.5 and -0.5 <= y <= height - 0.5


def _clipped(x: float, y: float, volume: Volume) -> tuple[float, float]:
    """A place within the voxels' centres."""
    _depth, height, width = volume.grid.shape_zyx
    return float(np.clip(x, 0, width - 1)), float(np.clip(y, 0, height - 1))
