"""The mouse's place on one side, marked on the others."""

from __future__ import annotations

import numpy as np

from napari_pqcomq.layers.volume_layers import transform
from napari_pqcomq.viewer.modes.base import Stage
from napari_pqcomq.viewer.sides.strokes import sight_of
from napari_pqcomq.widgets.napari_window.listeners import Listeners


class SharedCursor:
    """Follows the mouse over the cells of the grid.

    Args:
        stage: the open comparison.
    """

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        viewer = stage.viewer
        self._listeners = Listeners()
        self._listeners.connect([(viewer.cursor.events.position, self._on_position)])
        elsewhere = viewer.dims.events.ndisplay, viewer.dims.events.order, viewer.canvas.grid.events.enabled
        self._listeners.connect((event, self._clear) for event in elsewhere)

    def release(self) -> None:
        """Stop listening to the viewer."""
        self._listeners.disconnect()

    def _on_position(self, event: object = None) -> None:
        viewer = self._stage.viewer
        cell = viewer.cursor.viewbox
        if not viewer.canvas.grid.enabled or cell is None or viewer.dims.ndisplay != 2:
            return
        under = cell[0] * viewer.canvas.grid.shape[1] + cell[1]
        place = transform(self._stage.scene.volume)
        voxel = (np.asarray(viewer.cursor.position[-3:]) - place["translate"]) / place["scale"]
        sight = sight_of(viewer, self._stage.scene.volume)
        for index, side in enumerate(self._stage.sides):
            side.show_cursor(None if index == under or sight is None else voxel, sight, self._stage.scene.volume)

    def _clear(self, event: object = None) -> None:
        """In another plane, in 3-D and in a single picture the place of before means nothing."""
        for side in self._stage.sides:
            side.show_cursor(None, None, self._stage.scene.volume)
