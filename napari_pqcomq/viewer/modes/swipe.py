"""Swipe: one picture under a curtain, full precision's masks left of it, the quantized model's right of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from napari_pqcomq.layers.volume_layers import transform
from napari_pqcomq.viewer.modes.base import Plate, SideLines, Stage, ViewMode, masks_in_sight, side_plate
from napari_pqcomq.viewer.sides.side_layers import CURTAIN, WHITE, mask_lines
from napari_pqcomq.viewer.sides.strokes import Lines, Sight

_REACH_PIXELS = 10
_CURTAIN_PIXELS = 2.0
_STEP = 0.02


class SwipeMode(ViewMode):
    """See :class:`.ViewMode`. The curtain is dragged with the mouse or moved with keys."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self._place = 0.5  # of the picture's width
        stage.viewer.mouse_drag_callbacks.insert(0, self._on_drag)  # before boxes are taken hold of

    def lines(self, sight: Sight) -> list[SideLines]:
        """The masks of both, right of the curtain with rims where full precision has otherwise, and the curtain."""
        full, quantized = (masks_in_sight(side, self._stage, sight) for side in self._stage.pair)
        shown = np.where(np.arange(full.shape[1]) < self._column, full, quantized)
        ends = np.array([[(-0.5, self._column), (full.shape[0] - 0.5, self._column)]])
        return [{**mask_lines(shown, full), CURTAIN: [Lines(ends, WHITE, _CURTAIN_PIXELS)]}]

    def plates(self) -> list[Plate]:
        """Each on its side of the curtain."""
        full, quantized = self._stage.panes[0], self._stage.panes[self._stage.candidate]
        return [side_plate(full), side_plate(quantized)]

    def close(self) -> None:
        """Let go of the viewer."""
        self._stage.viewer.mouse_drag_callbacks.remove(self._on_drag)

    def move(self, steps: int) -> None:
        """Move the curtain by steps to the right."""
        self._set_place(self._place + steps * _STEP)

    @property
    def _width(self) -> int:
        """Voxels along the axis across."""
        return int(self._stage.scene.volume.grid.shape_zyx[self._stage.axis_across])

    @property
    def _column(self) -> float:
        """The curtain's place in voxels along the axis across."""
        return self._place * self._width - 0.5

    def _set_place(self, place: float) -> None:
        self._place = min(max(place, 0.0), 1.0)
        self._stage.show_lines()

    def _on_drag(self, viewer: Any, event: Any) -> Iterator[None]:  # noqa: ANN401 (napari's)
        if not self.is_chosen or event.button != 1 or viewer.dims.ndisplay != 2:
            return
        if str(viewer.cursor.style) != "standard":  # a tool is in the hand
            return
        axis, grid = self._stage.axis_across, self._stage.scene.volume.grid
        place = transform(self._stage.scene.volume)

        def column() -> float:
            return float((event.position[-3:][axis] - place["translate"][axis]) / place["scale"][axis])

        camera = viewer.scene.camera
        if abs(column() - self._column) * grid.spacing_zyx[axis] * camera.zoom > _REACH_PIXELS:
            return
        event.handled = True
        panned, camera.mouse_pan = camera.mouse_pan, False
        try:
            yield
            while event.type == "mouse_move":
                self._set_place((column() + 0.5) / self._width)
                yield
        finally:
            camera.mouse_pan = panned
