"""The mouse's place on one side, marked on the others."""

from __future__ import annotations

import numpy as np

from napari_pqcomq.layers.volume_layers import transform
from napari_pqcomq.viewer.modes.base import Stage


class SharedCursor:
    """Follows the mouse over the cells of the grid.

    Args:
        stage: the open comparison.
    """

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        stage.viewer.cursor.events.position.connect(self._on_position)

    def release(self) -> None:
        """Stop listening to the viewer."""
        self._stage.viewer.cursor.events.position.disconnect(self._on_position)

    def _on_position(self, event: object = None) -> None:
        viewer = self._stage.viewer
        cell = viewer.cursor.viewbox
        if not viewer.canvas.grid.enabled or cell is None or viewer.dims.ndisplay != 2:
            return
        under = cell[0] * viewer.canvas.grid.shape[1] + cell[1]
        place = transform(self._stage.scene.volume)
        voxel = (np.asarray(viewer.cursor.position[-3:]) - place["translate"]) / place["scale"]
        for index, side in enumerate(self._stage.sides):
            side.show_cursor(None if index == under else voxel)
