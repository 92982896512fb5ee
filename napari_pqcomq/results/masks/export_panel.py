"""Exporting the masks of a labels layer.

Self-contained: a dock widget of its own (Plugins › napari-pqcomq › Export masks), and ``ExportPanel(viewer)`` goes into
any other layout. Layers that it is to know more about than their labels carry
:func:`napari_pqcomq.layers.mask_layers.mask_metadata`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import napari
import numpy as np
from napari.layers import Labels, Layer
from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QGroupBox, QVBoxLayout, QWidget

from napari_pqcomq.layers.comparison_tag import is_of_comparison
from napari_pqcomq.layers.mask_layers import label_names, layer_masks
from napari_pqcomq.layers.volume_layers import volume_of
from napari_pqcomq.results.masks.export_form import ExportForm, Masks
from napari_pqcomq.translation import tr
from napari_pqcomq.widgets.controls.layer_combo_box import LayerComboBox
from pqcomq.errors import InputError


class ExportPanel(QGroupBox):
    """A labels layer and how it is written.

    Args:
        napari_viewer: given by napari.
        parent: Qt parent.
    """

    def __init__(self, napari_viewer: napari.viewer.Viewer, parent: QWidget | None = None) -> None:
        super().__init__(tr("Export masks"), parent)
        self.layers = LayerComboBox(napari_viewer, _is_mask)
        self.form = ExportForm(self._masks, (tr("Layer"), self.layers))
        column = QVBoxLayout(self)
        column.addWidget(self.form)
        column.addStretch(1)
        self.layers.changed.connect(self._on_layer)
        self._on_layer()

    def event(self, event: QEvent) -> bool:
        """Stop listening to the viewer when the dock is closed: napari then takes the widget out of its window."""
        if event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self.layers.release()
        return bool(super().event(event))

    def _on_layer(self) -> None:
        """Show the names of the layer's labels, and offer the kinds of file that it can go into."""
        layer = self.layers.layer
        names = {} if layer is None else label_names(np.asarray(layer.data), layer.metadata, layer.name)
        self.form.show_source(names, None if layer is None else volume_of(layer))

    def _masks(self, names: dict[int, str]) -> Callable[[], Masks]:
        layer = self.layers.layer
        if layer is None:
            raise InputError(tr("There is no labels layer on a volume to export."))
        # A copy: the user may go on painting while it is written.
        return partial(_named, np.array(layer.data), dict(layer.metadata), layer.name, names)


def _named(labels: np.ndarray, metadata: Mapping[str, Any], layer_name: str, names: Mapping[int, str]) -> Masks:
    """A layer's masks; may run in any thread. Labels may have been painted since their names were shown."""
    now = label_names(labels, metadata, layer_name)
    return layer_masks(labels, metadata, layer_name, {number: names.get(number, now[number]) for number in now})


def _is_mask(layer: Layer) -> bool:
    """Masks of a comparison are exported where its figures stand: their models and prompts are known there."""
    return isinstance(layer, Labels) and volume_of(layer) is not None and not is_of_comparison(layer)
