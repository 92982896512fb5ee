"""The box that prompts both models: drawn on a Shapes layer, with a slice range."""

from __future__ import annotations

from typing import Any

from napari.components import ViewerModel
from napari.layers import Shapes
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QFormLayout, QGroupBox, QHBoxLayout, QLabel, QPushButton, QSpinBox, QWidget

from napari_pqcomq.layer_chooser import LayerChooser
from napari_pqcomq.prompt_layer import box_from, chosen_shape, empty_box_layer, slice_range
from napari_pqcomq.side_layers import is_of_comparison
from pqcomq.errors import InputError
from pqcomq.segmentation.box import Box3D
from pqcomq.segmentation.propagation import PromptMode
from pqcomq.volumes.volume import Volume

MODES: dict[PromptMode, str] = {
    "propagate": "Each model follows its own mask",
    "same": "Same box on every slice",
}

_NARROW = "QSpinBox { min-width: 36px; }"
"""napari's style makes two spin boxes side by side wider than the dock."""


class PromptPanel(QGroupBox):
    """Box layer, slice range and propagation mode.

    Attributes:
        changed: emitted when another box is drawn or chosen.
        draw_requested: emitted by the button "Draw a box"; whoever listens calls :meth:`draw`.
    """

    changed = Signal()
    draw_requested = Signal()

    def __init__(self, viewer: ViewerModel, parent: QWidget | None = None) -> None:
        super().__init__("Box", parent)
        self._viewer = viewer
        self._volume: Volume | None = None
        self._listened: Any = None
        self._suggested: tuple[int, int] | None = None
        self.layers = LayerChooser(viewer, lambda layer: isinstance(layer, Shapes) and not is_of_comparison(layer))
        self.draw_button = QPushButton("Draw a box")
        self.first, self.last, self.modes = QSpinBox(), QSpinBox(), QComboBox()
        for mode, title in MODES.items():
            self.modes.addItem(title, mode)
        form = QFormLayout(self)
        form.addRow(self.draw_button)
        form.addRow("Layer", self.layers)
        form.addRow("Slices", self._range_row())
        form.addRow("Prompts", self.modes)
        self.draw_button.clicked.connect(lambda: self.draw_requested.emit())
        self.layers.changed.connect(self._listen)

    @property
    def mode(self) -> PromptMode:
        """Where the prompts of the slices come from."""
        mode: PromptMode = self.modes.currentData()
        return mode

    def box(self) -> Box3D:
        """The box to prompt with.

        Raises:
            InputError: there is none, or it lies outside the volume.
        """
        if self._volume is None or self.layers.layer is None:
            raise InputError("There is no box yet: press “Draw a box” and drag a rectangle round the organ.")
        return box_from(self.layers.layer, self.first.value(), self.last.value(), self._volume)

    @property
    def has_box(self) -> bool:
        """Whether a shape is drawn."""
        return self.layers.layer is not None and len(self.layers.layer.data) > 0

    def set_volume(self, volume: Volume | None) -> None:
        """Prompt in another volume."""
        self._volume = volume
        highest = volume.grid.shape_zyx[0] - 1 if volume is not None else 0
        self.first.setRange(0, highest)
        self.last.setRange(0, highest)
        self._suggested = None
        self._listen()

    def draw(self) -> None:
        """Select the box layer, made if there is none, ready to drag a rectangle."""
        if self._volume is None:
            return
        if self.layers.layer is None:
            self._viewer.add_layer(empty_box_layer(self._volume))
        layer = self.layers.layer
        layer.visible = True
        self._viewer.layers.selection = {layer}
        layer.mode = "add_rectangle"

    def _range_row(self) -> QHBoxLayout:
        for spin in (self.first, self.last):
            spin.setStyleSheet(_NARROW)
        row = QHBoxLayout()
        row.addWidget(self.first, 1)
        row.addWidget(QLabel("to"))
        row.addWidget(self.last, 1)
        return row

    def _listen(self) -> None:
        """Follow the shapes of the chosen layer instead of the earlier one's."""
        self.release_layer()
        layer = self.layers.layer
        if layer is not None:
            layer.events.data.connect(self._on_shapes)
            layer.selected_data.events.items_changed.connect(self._on_shapes)
            self._listened = layer
        self._on_shapes()

    def release_layer(self) -> None:
        """Stop listening to the box layer."""
        if self._listened is not None:
            self._listened.events.data.disconnect(self._on_shapes)
            self._listened.selected_data.events.items_changed.disconnect(self._on_shapes)
            self._listened = None

    def _on_shapes(self, *events: object) -> None:
        layer = self.layers.layer
        index = chosen_shape(layer) if layer is not None else None
        if index is not None and self._volume is not None:
            self._suggest(slice_range(layer, index, self._volume))
        self.changed.emit()

    def _suggest(self, slices: tuple[int, int]) -> None:
        """Show a shape's own slice range, without undoing the user's each time that the shape is dragged."""
        if slices != self._suggested:
            self._suggested = slices
            self.first.setValue(slices[0])
            self.last.setValue(slices[1])
