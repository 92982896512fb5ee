"""Layers of another volume that are opened while a comparison is on screen: laid aside until the user decides."""

from __future__ import annotations

from collections.abc import Callable

from napari.components import ViewerModel
from napari.layers import Layer
from qtpy.QtCore import QTimer

from napari_pqcomq.widgets.napari_window.batched_redraw import one_redraw
from pqcomq.volumes.volume import Volume


class SetAside:
    """Takes them out of the viewer, whose slider would run over both volumes otherwise.

    Args:
        viewer: napari's viewer or the proxy that plugins get.
        told: called with each volume when it is out of the viewer.
    """

    def __init__(self, viewer: ViewerModel, told: Callable[[Volume], None]) -> None:
        self._viewer, self._told = viewer, told
        self._waiting: list[Layer] = []
        self._visible: list[bool] = []

    def take(self, layer: Layer, volume: Volume) -> None:
        """Take a layer out, as soon as napari has told everybody that it is there.

        Args:
            layer: that was just added.
            volume: that it shows or lies on.
        """
        self._visible.append(layer.visible)
        layer.visible = False  # until then it would be drawn over the comparison
        self._waiting.append(layer)

        def remove() -> None:
            if layer in self._waiting and layer in self._viewer.layers:
                place = self._viewer.dims.point
                with one_redraw(self._viewer, removes_layers=True):
                    self._viewer.layers.remove(layer)
                self._viewer.dims.point = place  # napari's slider, which was longer meanwhile, goes to its end
                self._told(volume)

        QTimer.singleShot(0, remove)

    def put_back(self) -> None:
        """Give them back to the viewer, above what is there."""
        waiting, self._waiting = self._waiting, []
        visible, self._visible = self._visible, []
        for layer, seen in zip(waiting, visible, strict=True):
            layer.visible = seen
            if layer not in self._viewer.layers:
                self._viewer.layers.append(layer)
