"""A combo box of layers that keeps up with the viewer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from napari.components import ViewerModel
from napari.layers import Layer
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QWidget


class LayerComboBox(QComboBox):
    """The viewer's layers that a test admits, by name, in the order of napari's list.

    Args:
        viewer: napari's viewer or the proxy that plugins get.
        admits: whether a layer may be chosen.
        nothing: the text that stands for no layer, the first entry; without it the first layer is chosen.
        parent: Qt parent.

    Attributes:
        changed: emitted when another layer, or none, is chosen.
    """

    changed = Signal()

    def __init__(
        self,
        viewer: ViewerModel,
        admits: Callable[[Layer], bool],
        nothing: str | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._viewer, self._admits, self._nothing = viewer, admits, nothing
        for event in self._heard:
            event.connect(self.refresh)
        self.refresh()
        self.currentIndexChanged.connect(lambda _index: self.changed.emit())

    @property
    def layer(self) -> Any:  # noqa: ANN401 (the layer type that ``admits`` lets through)
        """The chosen layer, or None."""
        return self.currentData()

    def choose(self, layer: Layer) -> None:
        """Choose a layer of the list."""
        for index in range(self.count()):
            if self.itemData(index) == layer:  # the viewer's proxy hands out proxies, which are equal but not the same
                self.setCurrentIndex(index)

    def refresh(self, event: object = None) -> None:
        """Read the viewer's layers again; the chosen layer stays chosen while it exists."""
        before = self.layer
        self.blockSignals(True)
        self.clear()
        if self._nothing is not None:
            self.addItem(self._nothing, None)
        for layer in self._viewer.layers:
            if self._admits(layer):
                self.addItem(layer.name, layer)
        if self.count():
            self.setCurrentIndex(0)  # with words for none Qt chooses nothing by itself
        if before is not None:
            self.choose(before)
        self.blockSignals(False)
        if self.layer is not before:
            self.changed.emit()

    def release(self) -> None:
        """Stop listening to the viewer."""
        for event in self._heard:
            event.disconnect(self.refresh)

    @property
    def _heard(self) -> tuple[Any, ...]:
        """What changes napari's list: a comparison that is closed moves layers, too, as it restores their order."""
        events = self._viewer.layers.events
        return events.inserted, events.removed, events.renamed, events.reordered
