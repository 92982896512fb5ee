"""What a comparison changes in the viewer, remembered and put back."""

from __future__ import annotations

from napari.components import ViewerModel

_GRID_FIELDS = ("stride", "shape", "spacing", "enabled")
_SCALE_BAR_FIELDS = ("gridded", "visible")


class SavedView:
    """The grid, the scale bar, the camera, the selection and which layers were visible, at the time of construction."""

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._grid = {field: getattr(viewer.canvas.grid, field) for field in _GRID_FIELDS}
        self._scale_bar = {field: getattr(viewer.canvas.overlays.scale_bar, field) for field in _SCALE_BAR_FIELDS}
        self._camera = (viewer.scene.camera.center, viewer.scene.camera.zoom)
        self._visible = [(layer, layer.visible) for layer in viewer.layers]
        self._selected = [layer for layer in viewer.layers if layer in viewer.layers.selection]

    def hide_layers(self) -> None:
        """Hide the user's layers: the grid leaves cells of hidden layers out."""
        for layer, _visible in self._visible:
            layer.visible = False

    def restore(self) -> None:
        """Put everything back; layers that the user has removed meanwhile are passed over."""
        for field, value in self._scale_bar.items():
            setattr(self._viewer.canvas.overlays.scale_bar, field, value)
        for field, value in self._grid.items():
            setattr(self._viewer.canvas.grid, field, value)
        present = list(self._viewer.layers)
        for layer, visible in self._visible:
            if layer in present:
                layer.visible = visible
        self._viewer.layers.selection.clear()
        for layer in self._selected:
            if layer in present:
                self._viewer.layers.selection.add(layer)
        self._viewer.scene.camera.center, self._viewer.scene.camera.zoom = self._camera
