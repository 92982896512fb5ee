"""The comparison's layers in the viewer's list, kept in the order that the grid needs."""

from __future__ import annotations

from collections.abc import Iterator

from napari.components import ViewerModel
from napari.experimental import unlink_layers
from napari.layers import Layer
from qtpy.QtCore import QTimer

from napari_pqcomq.layers.comparison_tag import is_of_comparison
from napari_pqcomq.widgets.napari_window.batched_redraw import one_redraw
from napari_pqcomq.widgets.napari_window.kept_programs import keep_program


class LayerStack:
    """The first layers of the viewer's list: grid cells go by layer index.

    Args:
        viewer: napari's viewer or the proxy that plugins get.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._layers: list[Layer] = []
        self._batches = 0  # that are open: somebody goes through a list of layers, and each must still be there
        viewer.layers.events.begin_batch.connect(self._on_batch_begins)
        viewer.layers.events.end_batch.connect(self._on_batch_ends)

    def __iter__(self) -> Iterator[Layer]:
        return iter(self._layers)

    def __contains__(self, layer: Layer) -> bool:
        return layer in self._layers

    def insert(self, layers: list[Layer]) -> None:
        """Add layers behind those that are there, before the user's; they stay hidden until they are arranged."""
        with one_redraw(self._viewer):
            for layer in layers:
                self._add(len(self._layers), layer)
                self._layers.append(layer)

    def set_layers(self, layers: list[Layer]) -> None:
        """Hold other layers, in this order.

        Of the comparison's own, new ones are added, hidden, and those left out are removed; the user's are in the
        viewer, or about to leave it. Which layers are selected stays as it is.
        """
        viewer = self._viewer
        own = [layer for layer in layers if is_of_comparison(layer)]
        added = [layer for layer in own if layer not in viewer.layers]
        removed = [layer for layer in self._layers if is_of_comparison(layer) and layer not in own]
        self._layers = layers
        if added or removed:
            selected, active = set(viewer.layers.selection), viewer.layers.selection.active
            if removed:
                unlink_layers(removed)
            removed_now = [] if self._batches else removed
            if len(removed_now) < len(removed):
                self._take_out_soon(removed)
            with one_redraw(viewer, removes_layers=bool(removed_now)):
                for layer in removed_now:
                    viewer.layers.remove(layer)
                for layer in added:
                    self._add(layers.index(layer), layer)
            viewer.layers.selection = {layer for layer in selected if layer in viewer.layers}
            viewer.layers.selection.active = active if active in viewer.layers else None
        self.restore_order()

    def _add(self, index: int, layer: Layer) -> None:
        layer.visible = False
        self._viewer.layers.insert(index, layer)
        keep_program(layer)

    def watch(self) -> None:
        """Put the layers back whenever the user moves one."""
        self._viewer.layers.events.reordered.connect(self.restore_order)

    def unwatch(self) -> None:
        """Let the user move them."""
        self._viewer.layers.events.reordered.disconnect(self.restore_order)

    def restore_order(self, event: object = None) -> None:
        """Put the layers back in the order that the cells need."""
        with self._viewer.layers.events.reordered.blocker(self.restore_order):
            for index, layer in enumerate(each for each in self._layers if each in self._viewer.layers):
                position = list(self._viewer.layers).index(layer)
                if position != index:
                    self._viewer.layers.move(position, index)

    def remove_all(self) -> None:
        """Take the comparison's own layers out of the viewer; the user's stay."""
        own = [layer for layer in self._layers if is_of_comparison(layer)]
        if own:
            unlink_layers(own)
        self._layers = []
        if self._batches:
            self._viewer.canvas.grid.enabled = False
            self._take_out_soon(own)
            return
        with one_redraw(self._viewer, removes_layers=True):
            self._viewer.canvas.grid.enabled = False
            self._take_out(own)

    def _take_out(self, layers: list[Layer]) -> None:
        for layer in layers:
            if layer in self._viewer.layers:
                self._viewer.layers.remove(layer)

    def _take_out_soon(self, layers: list[Layer]) -> None:
        """Take layers out when who deletes several has come to the end: napari looks for the next in vain otherwise."""

        def take_out() -> None:
            with one_redraw(self._viewer, removes_layers=True):
                self._take_out(layers)

        for layer in layers:
            layer.visible = False
        QTimer.singleShot(0, take_out)

    def _on_batch_begins(self, event: object = None) -> None:
        self._batches += 1

    def _on_batch_ends(self, event: object = None) -> None:
        self._batches = max(self._batches - 1, 0)
