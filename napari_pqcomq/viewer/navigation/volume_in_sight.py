"""The picture shows the volume that the dock works on: no other one lies over it, and the slider ends where it ends."""

from __future__ import annotations

from napari.components import ViewerModel
from napari.components.dims import RangeTuple
from napari.layers import Image, Layer

from napari_pqcomq.layers.volume_layers import is_inside, may_lie_on, slice_millimetres, volume_of
from pqcomq.volumes.volume import Volume


class VolumeInSight:
    """Hides the layers of other volumes, and shows them again when theirs is the volume in sight.

    napari's slider runs over the layers that are hidden, too: it is set back whenever napari has set it.

    Args:
        viewer: napari's viewer or the proxy that plugins get.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._hidden: list[Layer] = []
        self._volume: Volume | None = None  # in sight
        viewer.dims.events.range.connect(self._limit_slider)

    def release(self) -> None:
        """Stop listening to the viewer, whose slider runs over all layers again."""
        self._viewer.dims.events.range.disconnect(self._limit_slider)
        self._volume = None
        for layer in self._hidden:
            layer.events.visible.disconnect(self._limit_slider)
        self._limit_slider()

    def show(self, volume: Volume | None) -> None:
        """Show a volume; the camera stays where it is on the same grid, and so does the slice where it is inside."""
        before, self._volume = self._volume, volume
        for gone in [layer for layer in self._hidden if layer not in self._viewer.layers]:
            self._forget(gone)
        if volume is None:
            self._limit_slider()
            return
        for layer in self._viewer.layers:
            if volume_of(layer) is None:
                continue
            if _is_of(layer, volume):
                if layer in self._hidden:
                    self._forget(layer)
                    layer.visible = True
            elif layer.visible:
                if layer in self._hidden:  # shown again by its eye
                    self._forget(layer)
                layer.visible = False
                self._hidden.append(layer)
                layer.events.visible.connect(self._limit_slider)
        images = [each for each in self._viewer.layers if isinstance(each, Image) and _is_of(each, volume)]
        if images and not any(each.visible for each in images):
            images[0].visible = True  # hidden by a dock that is closed
        moves = before is not None and before.grid != volume.grid and bool(images)
        stays = moves and is_inside(volume, self._viewer.dims.point)
        self._limit_slider()  # which takes the slice in sight along to its end
        if not moves:
            return
        dims = self._viewer.dims
        if not stays:
            middle = [slice_millimetres(volume, (size - 1) // 2, at) for at, size in enumerate(volume.grid.shape_zyx)]
            dims.set_point(range(dims.ndim - 3, dims.ndim), middle)
        # Where layers of more axes are open, as of a series, napari cannot fit to one of the volume's axes alone.
        fits = images[:1] if dims.ndim == images[0].ndim else None
        self._viewer.reset_view(layers=fits, reset_camera_angle=False)

    def _limit_slider(self, event: object = None) -> None:
        """Let the slider run over what can be seen."""
        layers = [each for each in self._viewer.layers if not self._is_of_another(each)]
        if layers:
            extent = self._viewer.layers.get_extent(layers)
            if len(extent.step) == self._viewer.dims.ndim:  # else the last one in sight is being removed
                self._viewer.dims.range = tuple(map(RangeTuple, *extent.world, extent.step))

    def _forget(self, layer: Layer) -> None:
        self._hidden.remove(layer)
        layer.events.visible.disconnect(self._limit_slider)

    def _is_of_another(self, layer: Layer) -> bool:
        """Whether a layer is hidden since another volume than its own is in sight."""
        volume = self._volume
        return volume is not None and not layer.visible and volume_of(layer) is not None and not _is_of(layer, volume)


def _is_of(layer: Layer, volume: Volume) -> bool:
    """Whether a layer belongs to a volume; boxes and labels of one that looks the same are its own, too."""
    own = volume_of(layer)
    return own is not None and (
        own.voxels is volume.voxels or (not isinstance(layer, Image) and may_lie_on(layer, volume))
    )
