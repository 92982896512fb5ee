"""Scribbling inside an object with the mouse, on any side of a comparison and outside of one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from napari_pqcomq.layers.discs import disc_along
from napari_pqcomq.prompts.tools.mouse_tool import NEW_KEY, OUTSIDE_KEYS, MouseTool, place_at_mouse
from pqcomq.volumes.volume import Volume

_PEN = 1 / 64
"""Width of the stroke, as a share of the slice's longer side: four of the 256 pixels that the model sees."""


class BrushTool(MouseTool):
    """While it is armed a drag draws, with a key it erases."""

    def _follow(self, event: Any, volume: Volume) -> Iterator[None]:  # noqa: ANN401
        z, x, y = place_at_mouse(event, volume)
        keys = set(event.modifiers)
        erases, new = bool(keys & OUTSIDE_KEYS), NEW_KEY in keys
        here = np.array([y, x])
        if self._stroke(here, here, z, volume, erases, new):
            new = False
        # The first stroke makes a layer, and with a new layer napari lets the mouse pan again.
        self._viewer.scene.camera.mouse_pan = False
        yield
        while event.type in ("mouse_move", "mouse_release"):
            _z, x, y = place_at_mouse(event, volume)
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
