"""What the tools have in common that take the mouse on the picture."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.utils.notifications import show_info

from napari_pqcomq.layers import naparis_tools
from napari_pqcomq.layers.axes_in_sight import is_axial
from napari_pqcomq.layers.volume_layers import transform
from napari_pqcomq.prompts.objects.prompt_list import PromptList
from pqcomq.errors import InputError
from pqcomq.volumes.volume import Volume

OUTSIDE_KEYS = {"Control", "Alt"}
"""Either: window managers on Linux take a click with Alt for themselves."""
NEW_KEY = "Shift"
REACH_PIXELS = 8
"""How far from an edge or a point, in screen pixels, the mouse still takes hold of it."""


class MouseTool:
    """Listens to the viewer's mouse; the left button on axial slices is its own while it is armed, a box's edge always.

    Args:
        viewer: napari's viewer or the proxy that plugins get.
        prompts: what is changed.
        on_armed: called with True when the mouse begins to change prompts, with False when it no longer does.
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
        """Work in another volume."""
        self._volume = volume
        self.arm(False)

    def arm(self, armed: bool) -> None:
        """Take the mouse, or leave it to others."""
        if armed != self.is_armed:
            self.is_armed = armed
            if armed:
                naparis_tools.lay_down(self._viewer)
            self._on_armed(armed)  # which lays down the tool that was armed before, and the mouse is its own till then
            self._viewer.cursor.style = "cross" if armed else "standard"  # type: ignore[assignment]  # names are taken

    def _on_drag(self, viewer: ViewerModel, event: Any) -> Iterator[None]:  # noqa: ANN401 (napari's event)
        volume = self._volume
        if volume is None or event.button != 1 or not is_axial(self._viewer.dims):
            return
        if event.handled or not 0 <= place_at_mouse(event, volume)[0] < volume.grid.shape_zyx[0]:
            return  # taken by another, or beside the volume, on a slice of a larger layer
        if self.is_armed and naparis_tools.is_in_hand(self._viewer):
            self.arm(False)  # one of napari's was taken up since
            return
        work = self._taken(event, volume)
        if work is None:
            return
        camera = self._viewer.scene.camera
        panned, camera.mouse_pan = camera.mouse_pan, False
        try:
            for _step in work:
                yield
                if self._volume is not volume:
                    return  # closed or exchanged while the button was down; the prompts are those of another
        except InputError as problem:
            self._prompts.revert()
            show_info(str(problem))
        finally:
            camera.mouse_pan = panned

    def _taken(self, event: Any, volume: Volume) -> Iterator[None] | None:  # noqa: ANN401
        """What a press of the button begins; None leaves it to napari."""
        return self._follow(event, volume) if self.is_armed else None

    def _follow(self, event: Any, volume: Volume) -> Iterator[None]:  # noqa: ANN401
        """Change the prompts from the press of the button to its release."""
        raise NotImplementedError


def place_at_mouse(event: Any, volume: Volume) -> tuple[int, float, float]:  # noqa: ANN401 (napari's event)
    """Slice number, x and y under the mouse, in voxels."""
    place = transform(volume)
    z, y, x = (np.asarray(event.position[-3:]) - place["translate"]) / place["scale"]
    return round(float(z)), float(x), float(y)
