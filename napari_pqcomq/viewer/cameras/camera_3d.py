"""The camera in 3-D: objects from the front, head up, filling the cell."""

from __future__ import annotations

import numpy as np
from napari.components import ViewerModel

from napari_pqcomq.layers.volume_layers import transform
from napari_pqcomq.viewer.cameras.framing import Cells
from napari_pqcomq.viewer.scene import Scene

_VIEW_DIRECTION = (-0.35, 1.0, 0.45)
"""z y x: to the back, a little downwards and from the patient's right, so that depth is seen."""
_UP = (1.0, 0.0, 0.0)
_SHARE = 0.85
"""Of the cell's shorter side that the objects take."""


def look_at(viewer: ViewerModel, scene: Scene) -> None:
    """Turn and zoom the camera so that the boxes of a scene fill the view; without boxes only turn it."""
    camera = viewer.scene.camera
    camera.set_view_direction(_VIEW_DIRECTION, _UP)
    if not scene.objects:
        return
    place = transform(scene.volume)
    ranges = np.array([each.extent.ranges_zyx for each in scene.objects])  # (objects, 3, 2) voxels
    ends = np.stack([ranges[..., 0].min(axis=0), ranges[..., 1].max(axis=0)])  # (2, 3)
    low, high = ends * place["scale"] + place["translate"]  # mm
    camera.center = tuple((low + high) / 2)
    cells = Cells.of(viewer)
    camera.zoom = _SHARE * min(cells.height, cells.width) / float(np.linalg.norm(high - low))
