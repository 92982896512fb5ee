"""The picture shows the volume that the dock works on, and no other one lies over it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image, Layer

from napari_pqcomq.layers.volume_layers import may_lie_on, slice_millimetres, volume_of, voxel_at
from pqcomq.volumes.grid import Grid
from pqcomq.volumes.volume import Volume


class VolumeInSight:
    """Hides the layers of other volumes, and shows them again when theirs is the volume in sight.

    Args:
        viewer: napari's viewer or the proxy that plugins get.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._hidden: list[Layer] = []
        self._grid: Grid | None = None  # of the volume in sight

    def show(self, volume: Volume | None) -> None:
        """Show a volume; the camera stays where it is on the same grid, and so does the slice where it is inside."""
        before, self._grid = self._grid, None if volume is None else volume.grid
        self._hidden = [layer for layer in self._hidden if layer in self._viewer.layers]
        if volume is None:
            return
        for layer in self._viewer.layers:
            if volume_of(layer) is None:
                continue
            if _is_of(layer, volume):
                if layer in self._hidden:
                    self._hidden.remove(layer)
                    layer.visible = True
            elif layer.visible:
                self._hidden.append(layer)
                layer.visible = False
        images = [each for each in self._viewer.layers if isinstance(each, Image) and _is_of(each, volume)]
        if images and not any(each.visible for each in images):
            images[0].visible = True  # hidden by a dock that is closed
        if before is None or before == volume.grid or not images:
            return
        dims = self._viewer.dims
        if not _is_inside(volume, dims.point[-3:]):
            middle = [slice_millimetres(volume, (size - 1) // 2, at) for at, size in enumerate(volume.grid.shape_zyx)]
            dims.set_point(range(dims.ndim - 3, dims.ndim), middle)
        self._viewer.reset_view(layers=images[:1], reset_camera_angle=False)


def _is_of(layer: Layer, volume: Volume) -> bool:
    """Whether a layer belongs to a volume; boxes and labels of one that looks the same are its own, too."""
    own = volume_of(layer)
    return own is not None and (
        own.voxels is volume.voxels or (not isinstance(layer, Image) and may_lie_on(layer, volume))
    )


def _is_inside(volume: Volume, point: Sequence[float]) -> bool:
    """Whether a point z y x of napari's world lies in the volume."""
    near = [slice_millimetres(volume, at, axis) for axis, at in enumerate(voxel_at(volume, point))]
    return bool(np.all(np.abs(np.subtract(point, near)) <= volume.grid.spacing_zyx))
