"""Ground truth, if there is one: a labels layer and the label that stands for the organ in the box."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Labels, Layer
from napari.utils.notifications import show_error
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFileDialog, QFormLayout, QGroupBox, QPushButton, QSpinBox, QWidget

from napari_pqcomq.layers.comparison_tag import is_of_comparison
from napari_pqcomq.layers.mask_layers import TRUTH_KEY
from napari_pqcomq.layers.volume_layers import volume_of
from napari_pqcomq.prompts.objects.drawn_object import DrawnObject
from napari_pqcomq.setup.labels_reading import labels_as_chosen
from napari_pqcomq.translation import tr
from napari_pqcomq.widgets.controls.layer_combo_box import LayerComboBox
from pqcomq.errors import InputError
from pqcomq.segmentation.box import Box3D
from pqcomq.volumes.volume import Volume

_FILTER = tr("Labels (*.nii *.nii.gz *.nrrd *.mha *.mhd *.dcm);;All files (*)")


class GroundTruthPanel(QGroupBox):
    """Chooses labels and a label value for each object; it follows the object's box until the user sets another.

    Attributes:
        changed: emitted when another layer, or none, is chosen.
        label: of the current object; 0 where its box holds none, or the user wants none.
        number: of the object that the label is about, 0 for none.
    """

    changed = Signal()

    def __init__(self, viewer: ViewerModel, parent: QWidget | None = None) -> None:
        super().__init__(tr("Ground truth (optional)"), parent)
        self._viewer = viewer
        self._volume: Volume | None = None
        self.number = 0
        self._by_user: dict[int, int] = {}  # labels that the user has set, by number of the object
        self._objects: tuple[DrawnObject, ...] = ()
        self._removed: list[tuple[DrawnObject, int]] = []  # objects that are no more, and the labels set for them
        self._is_suggesting = False
        self.layers = LayerComboBox(
            viewer, lambda layer: isinstance(layer, Labels) and not is_of_comparison(layer), nothing=tr("None")
        )
        self.label = QSpinBox()
        self.label.setRange(0, 65535)
        self.label.setSpecialValueText(tr("none"))
        self.open_button = QPushButton(tr("Open labels…"))
        form = QFormLayout(self)
        form.addRow(tr("Layer"), self.layers)
        form.addRow(tr("Label"), self.label)
        form.addRow(self.open_button)
        viewer.layers.events.inserted.connect(self._on_inserted)
        self.open_button.clicked.connect(self._ask)
        self.label.valueChanged.connect(self._on_label)
        self.layers.changed.connect(self._on_layer)

    @property
    def layer(self) -> Layer | None:
        """The chosen labels layer."""
        chosen: Layer | None = self.layers.layer
        return chosen

    def choose_layer(self, layer: Layer) -> None:
        """Choose one of the viewer's labels layers."""
        self.layers.choose(layer)

    def choose_named(self, name: str) -> bool:
        """Choose the labels layer of a name, if there is one that fits the volume.

        Returns:
            Whether it was chosen.
        """
        before = self.layers.layer
        if name not in [self.layers.itemText(index) for index in range(1, self.layers.count())]:
            return False
        self.layers.setCurrentText(name)
        if not self._labels_fit():
            self.layers.choose(before) if before is not None else self.layers.setCurrentIndex(0)
            return False
        return True

    def release(self) -> None:
        """Stop listening to the viewer."""
        self._viewer.layers.events.inserted.disconnect(self._on_inserted)
        self.layers.release()

    @property
    def volume(self) -> Volume | None:
        """The one that labels must fit."""
        return self._volume

    def set_volume(self, volume: Volume | None) -> None:
        """The volume that labels must fit; those chosen for another one, of the same shape even, are laid aside."""
        before, self._volume = self._volume, volume
        self._forget_labels()
        self.number = 0
        is_other = before is not None and (volume is None or volume.voxels is not before.voxels)
        if is_other and not self._are_its_own():
            self.layers.setCurrentIndex(0)
        if before is None or is_other:  # of the same voxels the user may have chosen none
            self._take_known()

    def _on_inserted(self, event: Any) -> None:  # noqa: ANN401 (napari's event)
        if event.value.metadata.get(TRUTH_KEY):  # and not at any layer: the user may have chosen none
            self.layers.refresh()  # napari may tell the list later than this
            self._take_known()

    def _take_known(self) -> None:
        """Choose labels that are known to be the truth about the volume, unless others are chosen."""
        if self._volume is None or (self.layers.layer is not None and self._labels_fit()):
            return
        for index in range(self.layers.count()):
            layer = self.layers.itemData(index)
            if layer is not None and layer.metadata.get(TRUTH_KEY) and volume_of(layer) is self._volume:
                self.layers.setCurrentIndex(index)

    def suggest(self, box: Box3D, number: int) -> None:
        """Set the label to the one that the user has set for an object, else to the most frequent one in its box."""
        self.number = number
        self._show_label(self._label_of(box, number) or 0)

    @property
    def labels_set(self) -> dict[int, int]:
        """The labels that the user has set, by number of the object."""
        return dict(self._by_user)

    def set_labels(self, labels: Mapping[int, int]) -> None:
        """Take labels as the user's own, by number of the object, in place of those set before."""
        self._by_user = dict(labels)
        if self.number in labels:
            self._show_label(labels[self.number])

    def keep_to(self, objects: Sequence[DrawnObject]) -> None:
        """Let a label go with its object, whose number is given to others, and come back when that is undone."""
        numbers = {each.number for each in objects}
        gone = [each for each in self._objects if each.number not in numbers and each.number in self._by_user]
        removed = [*self._removed, *((each, self._by_user[each.number]) for each in gone)]
        self._by_user = {number: label for number, label in self._by_user.items() if number in numbers}
        self._objects, self._removed = tuple(objects), []
        for each, label in removed:
            if any(each is present for present in objects):  # the very one: only undo and redo bring it
                self._by_user[each.number] = label
            else:
                self._removed.append((each, label))

    def _show_label(self, value: int) -> None:
        self._is_suggesting = True
        self.label.setValue(value)
        self._is_suggesting = False

    def _on_layer(self) -> None:
        self._forget_labels()  # they were of the labels before
        self.changed.emit()

    def _forget_labels(self) -> None:
        self._by_user.clear()
        self._removed.clear()

    def _on_label(self, value: int) -> None:
        if not self._is_suggesting:
            self._by_user[self.number] = value

    def _label_of(self, box: Box3D, number: int) -> int | None:
        return self._by_user[number] if number in self._by_user else self._most_frequent(box)

    def _most_frequent(self, box: Box3D) -> int | None:
        if not self._labels_fit():
            return None
        inside = self._data()[box.z0 : box.z1 + 1, int(box.y0) : int(box.y1) + 1, int(box.x0) : int(box.x1) + 1]
        values, counts = np.unique(inside[inside > 0], return_counts=True)
        return int(values[counts.argmax()]) if values.size else None

    def truth_in(self, box: Box3D, number: int) -> np.ndarray | None:
        """An object as (z, y, x) bool: of the label set for it, else of the one that fills most of its box; or None.

        Raises:
            InputError: the labels hold no voxel of the one that was set.
        """
        value = self._label_of(box, number) if self._labels_fit() else None
        return self._of_label(value) if value else None

    def truth(self) -> np.ndarray | None:
        """The current object as (z, y, x) bool, or None where no layer or no label is chosen.

        Raises:
            InputError: the labels do not fit the volume, or hold no voxel of the label.
        """
        layer: Layer | None = self.layers.layer
        if layer is None or self._volume is None:
            return None
        if not self._labels_fit():
            shapes = tr(
                "{shape}, the volume {shape_zyx}", shape=layer.data.shape, shape_zyx=self._volume.grid.shape_zyx
            )
            if layer.data.shape == self._volume.grid.shape_zyx:
                raise InputError(tr("The labels layer {layer!r} lies on another volume's grid.", layer=layer.name))
            raise InputError(tr("The labels layer {layer!r} has shape {shapes}.", layer=layer.name, shapes=shapes))
        return self._of_label(self.label.value()) if self.label.value() else None

    def _of_label(self, value: int) -> np.ndarray:
        mask: np.ndarray = self._data() == value
        if not mask.any():
            name = self.layers.layer.name
            raise InputError(tr("The labels layer {layer!r} holds no voxel of label {label}.", layer=name, label=value))
        return mask

    def fitting_truth(self) -> np.ndarray | None:
        """As :meth:`truth`, and None too where the labels do not fit: that is told when the user presses Compare."""
        try:
            return self.truth()
        except InputError:
            return None

    def open_labels(self, path: Path) -> None:
        """Read a labels file on the volume's grid into a new layer and choose it.

        Where the file holds several volumes or lies a little elsewhere, the user is asked. Objects that overlap become
        several layers, of which the first is chosen.

        Raises:
            InputError: it is no labels file or lies on another grid.
        """
        volume = self._volume
        if volume is None:
            raise InputError(tr("Open the volume before its labels."))
        made = [Labels(data, **keywords) for data, keywords, _kind in labels_as_chosen(path, volume)]
        is_chosen = self._volume is volume  # a job that ended meanwhile may have opened another
        for layer in made:
            layer.visible = is_chosen
            self._viewer.add_layer(layer)
        if made and is_chosen:
            self.layers.choose(made[0])

    def _labels_fit(self) -> bool:
        """Whether the chosen labels lie on the volume's grid; of labels that others read only the shape is known."""
        layer, volume = self.layers.layer, self._volume
        if layer is None or volume is None or layer.data.shape != volume.grid.shape_zyx:
            return False
        lies_on = volume_of(layer)
        return lies_on is None or lies_on.grid == volume.grid

    def _are_its_own(self) -> bool:
        """Whether the chosen labels were read or made for the very volume."""
        lies_on = None if self.layers.layer is None else volume_of(self.layers.layer)
        return lies_on is not None and self._volume is not None and lies_on.voxels is self._volume.voxels

    def _data(self) -> np.ndarray:
        return np.asarray(self.layers.layer.data)

    def _ask(self) -> None:
        path, _filter = QFileDialog.getOpenFileName(self, tr("Labels of the volume"), "", _FILTER)
        if path:
            try:
                self.open_labels(Path(path))
            except InputError as error:
                show_error(str(error))
