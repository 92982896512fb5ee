"""What a comparison changes in the viewer: saved before, restored after."""

from __future__ import annotations

from napari.components import ViewerModel
from napari.layers import Layer

_GRID_FIELDS = ("stride", "shape", "spacing", "enabled")


class ViewerState:
    """The grid, scale bar, background, camera, axes, selection, layers' order and visibility, when it was made."""

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        canvas, camera = viewer.canvas, viewer.scene.camera
        self._grid = {field: getattr(canvas.grid, field) for field in _GRID_FIELDS}
        self._scale_bar_visible = canvas.overlays.scale_bar.visible
        self._background = canvas.background_color_override
        self._camera = (camera.center, camera.zoom, camera.angles)
        self._orientation = camera.orientation
        self._dims = (viewer.dims.ndisplay, viewer.dims.order)
        self._visible = [(layer, layer.visible) for layer in viewer.layers]
        self._order = list(viewer.layers)
        self._selected = [layer for layer in viewer.layers if layer in viewer.layers.selection]

    def hide_layers(self) -> None:
        """Hide the user's layers: the grid leaves cells of hidden layers out."""
        for layer, _visible in self._visible:
            layer.visible = False

    @property
    def hidden(self) -> list[Layer]:
        """The user's layers that wait for the end."""
        return [layer for layer, _visible in self._visible]

    def adopt(self, layer: Layer) -> None:
        """Hide a layer that the user has added meanwhile; it is shown at the end."""
        self._visible.append((layer, layer.visible))
        layer.visible = False

    def restore(self) -> None:
        """Put everything back; layers that the user has removed meanwhile are passed over."""
        self._viewer.canvas.overlays.scale_bar.visible = self._scale_bar_visible
        for field, value in self._grid.items():
            setattr(self._viewer.canvas.grid, field, value)
        self._viewer.canvas.background_color_override = self._background
        self._viewer.dims.ndisplay, self._viewer.dims.order = self._dims
        present = list(self._viewer.layers)
        for index, layer in enumerate(layer for layer in self._order if layer in present):
            position = list(self._viewer.layers).index(layer)
            if position != index:
                self._viewer.layers.move(position, index)
        for layer, visible in self._visible:
            if layer in present:
                layer.visible = visible
        self._viewer.layers.selection.clear()
        for layer in self._selected:
            if layer in present:
                self._viewer.layers.selection.add(layer)
        camera = self._viewer.scene.camera
        camera.orientation = self._orientation
        camera.center, camera.zoom, camera.angles = self._camera
