"""Strokes that were painted on labels with napari's own brush, for the keys of undo once the brush is laid down."""

from __future__ import annotations

from typing import Any

from napari.components import ViewerModel
from napari.layers import Labels


class LabelStrokes:
    """Knows which layer was painted on last; napari keeps what the strokes have changed.

    Args:
        viewer: napari's viewer or the proxy that plugins get.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._heard: list[Labels] = []
        self._painted: Any = None
        self._emitters = (viewer.layers.events.inserted, viewer.layers.events.removed)
        for emitter in self._emitters:
            emitter.connect(self._on_layers)
        self._on_layers()

    def forget(self) -> None:
        """Something else was done since."""
        self._painted = None

    def undo(self) -> bool:
        """Take the last stroke back; False where there is none, or something else was done since."""
        return self._go("_undo_history", "undo")

    def redo(self) -> bool:
        """Make the stroke again that was taken back last; False where there is none."""
        return self._go("_redo_history", "redo")

    def release(self) -> None:
        """Stop listening to the viewer."""
        for emitter in self._emitters:
            emitter.disconnect(self._on_layers)
        self._hear([])

    def _go(self, history: str, way: str) -> bool:
        layer = self._painted
        if layer is None or not getattr(layer, history, ()):  # napari does not tell whether there is any
            return False
        getattr(layer, way)()
        return True

    def _on_layers(self, event: object = None) -> None:
        self._hear([layer for layer in self._viewer.layers if isinstance(layer, Labels)])

    def _hear(self, layers: list[Labels]) -> None:
        for layer in self._heard:
            layer.events.paint.disconnect(self._on_paint)
        for layer in layers:
            layer.events.paint.connect(self._on_paint)
        self._heard = layers
        if self._painted not in layers:
            self._painted = None

    def _on_paint(self, event: Any) -> None:  # noqa: ANN401 (napari's event)
        self._painted = event.source
