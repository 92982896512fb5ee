"""How many voxels wide an outline must be to be seen."""

from __future__ import annotations

import math

from napari.components import ViewerModel

from pqcomq.volumes.volume import Volume

_PIXELS = 1.5
"""On screen: narrower lines break up where voxels are smaller than pixels."""


def outline_voxels(viewer: ViewerModel, volume: Volume) -> int:
    """Width of outlines in voxels for the zoom and plane in sight: 1 wherever that can be seen, 0 (filled) in 3-D."""
    if viewer.dims.ndisplay != 2:
        return 0
    finest = min(volume.grid.spacing_zyx[axis] for axis in viewer.dims.order[-2:])  # mm
    return max(1, math.ceil(_PIXELS / (finest * viewer.scene.camera.zoom)))
