"""Scribbling inside an object with the mouse, on any side of a comparison and outside of one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.utils.notifications import show_info

from napari_pqcomq.layers.discs import disc_along
from napari_pqcomq.prompts.box_tool import voxel_at
from napari_pqcomq.prompts.point_tool import NEW_KEY, OUTSIDE_KEYS
from napari_pqcomq.prompts.prompt_list import PromptList
from pqcomq.errors import InputError
from pqcomq.volumes.volume import Volume

_PEN = 1 / 64
"""Width of the stroke, as a share of the slice's longer side: four of the 256 pixels that the model sees."""


class BrushTool:
    """Listens to the viewer's mouse while it is armed: a drag draws, with a key it erases.

    Args:
        viewer: napari's viewer or the proxy that plugins get.
        prompts: what is changed.
        on_armed: called with True when drags begin to draw, with False when they no longer do.
    """

    def __init__(self, viewer: ViewerModel, prompts: PromptList, on_armed: Callable[[bool], None]) -> None:
        self._viewer, self._prompts, self._on_armed = viewer, prompts, on_armed
        self._volume: Volume | None = None
        self.is_armed = False
        viewer.mouse_drag_callbacks.append(self._on_drag)

    def release(self) -> None:
        """Stop listening to the viewer."""
        self.arm(False)
        if self._on_drag in self._viewer.mouse_drag_callbacks:
            self._viewer.mouse_drag_callbacks.remove(self._on_drag)

    def set_volume(self, volume: Volume | None) -> None:
        """Draw in another volume."""
        self._volume = volume
        self.arm(False)

    def arm(self, armed: bool) -> None:
        """Let drags draw, or leave them to others."""
        if armed != self.is_armed:
            self.is_armed = armed
            self._viewer.cursor.style = "cross" if armed else "standard"  # type: ignore[assignment]  # names are taken
            self._on_armed(armed)

    def _on_drag(self, viewer: ViewerModel, event: Any) -> Iterator[None]:  # noqa: ANN401 (napari's event)
        volume, displayed = self._volume, tuple(self._viewer.dims.displayed)
        if volume is None or not self.is_armed or event.button != 1 or displayed != (1, 2):
            return
        camera = self._viewer.scene.camera
        panned, camera.mouse_pan = camera.mouse_pan, False
        try:
            yield from self._draw(event, volume)
        except InputError as problem:
            self._prompts.revert()
            show_info(str(problem))
        finally:
            camera.mouse_pan = panned

    def _draw(self, event: Any, volume: Volume) -> Iterator[None]:  # noqa: ANN401
        z, x, y = voxel_at(event, volume)
        if not 0 <= z < volume.grid.shape_zyx[0]:
            return
        keys = set(event.modifiers)
        erases, new = bool(keys & OUTSIDE_KEYS), NEW_KEY in keys
        here = np.array([y, x])
        if self._stroke(here, here, z, volume, erases, new):
            new = False
        # The first stroke makes a layer, and with a new layer napari lets the mouse pan again.
        self._viewer.scene.camera.mouse_pan = False
        yield
        while event.type in ("mouse_move", "mouse_release"):
            _z, x, y = voxel_at(event, volume)
            there = np.array([y, x])
            if self._stroke(here, there, z, volume, erases, new):
                new = False
            here = there
            if event.type == "mouse_release":
                break
            yield
        self._prompts.settle()

    def _stroke(self, start: np.ndarray, end: np.ndarray, z: int, volume: Volume, erases: bool, new: bool) -> bool:
        """Draw or erase along a line; whether any of it lies on the slice."""
        depth, *shape = volume.grid.shape_zyx
        radius = max(shape) * _PEN / 2 * min(volume.grid.spacing_zyx[1:])
        found = disc_along(start, end, radius, volume.grid.spacing_zyx[1:], tuple(shape))
        if found is None:
            return False
        drawn = np.zeros(shape, dtype=bool)
        drawn[found[0]] = found[1]
        if not drawn.any():
            return False
        if erases:
            self._prompts.erase(z, drawn)
        else:
            self._prompts.draw(z, drawn, depth, new=new)
        return True
