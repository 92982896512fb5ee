"""Writing the masks of a labels layer: which layer, under which names, as what kind of file, with or without patient.

Self-contained: a dock widget of its own (Plugins › napari-pqcomq › Export masks), and ``ExportPanel(viewer)`` goes into
any other layout. Layers that it is to know more about than their labels carry
:func:`napari_pqcomq.mask_layer.mask_metadata`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import napari
import numpy as np
from napari.layers import Labels
from napari.qt.threading import create_worker
from napari.utils.notifications import show_error, show_info
from qtpy.QtCore import QEvent, Qt
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QCompleter,
    QFileDialog,
    QFormLayout,
    QGroupBox,
    QHeaderView,
    QLineEdit,
    QMessageBox,
    QPushButton,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from napari_pqcomq.layer_chooser import LayerChooser
from napari_pqcomq.layers import volume_of
from napari_pqcomq.mask_layer import label_names, layer_masks
from pqcomq.dicom_objects.anatomy import known_names
from pqcomq.errors import InputError
from pqcomq.masks.kinds import MaskKind, mask_kind, sidecar
from pqcomq.masks.writing import export_masks

_MOST_ROWS_SHOWN = 6
_OFFERED = {
    MaskKind.nifti: "NIfTI",
    MaskKind.nrrd: "NRRD",
    MaskKind.metaimage: "MetaImage",
    MaskKind.segmentation: "DICOM SEG",
    MaskKind.structure_set: "DICOM RTSTRUCT",
}


class ExportPanel(QGroupBox):
    """Layer, names, kind of file, the patient's identity, and the button.

    Args:
        napari_viewer: given by napari.
        parent: Qt parent.
    """

    def __init__(self, napari_viewer: napari.viewer.Viewer, parent: QWidget | None = None) -> None:
        super().__init__("Export masks", parent)
        self.layers = LayerChooser(
            napari_viewer, lambda layer: isinstance(layer, Labels) and volume_of(layer) is not None
        )
        self.kinds = QComboBox()
        for kind, title in _OFFERED.items():
            self.kinds.addItem(f"{title} ({kind.value})", kind)
        self.names = _NameTable()
        self.with_patient = QCheckBox("Keep the patient's identity")
        self.with_patient.setToolTip(
            "Off: the files name no patient; a DICOM object still refers to its images by their UIDs.\n"
            "On: name, ID, dates and accession number go into a DICOM object, as an archive (PACS) asks for,\n"
            "and into the record (.json) beside the mask."
        )
        self.button = QPushButton("Export…")
        form = QFormLayout(self)
        form.addRow("Layer", self.layers)
        form.addRow("Names", self.names)
        form.addRow("File", self.kinds)
        form.addRow(self.with_patient)
        form.addRow(self.button)
        self._worker: Any = None
        self.layers.changed.connect(self._on_layer)
        self.button.clicked.connect(self._ask)
        self._on_layer()

    @property
    def kind(self) -> MaskKind:
        """The kind of file chosen."""
        return MaskKind(self.kinds.currentData())

    def choose_kind(self, kind: MaskKind) -> None:
        """Choose a kind of file."""
        self.kinds.setCurrentIndex(list(_OFFERED).index(kind))

    def export(self, path: Path, *, overwrite: bool = False) -> None:
        """Write the chosen layer's masks in the background; what became of it is shown as a notification.

        Args:
            path: its ending tells the kind of file.
            overwrite: replace existing files.

        Raises:
            InputError: no layer is chosen, or it cannot be written.
        """
        layer = self.layers.layer
        if layer is None:
            raise InputError("There is no labels layer on a volume to export.")
        masks, volume = layer_masks(np.asarray(layer.data), layer.metadata, layer.name, self.names.by_label())
        mask_kind(path)
        self.button.setEnabled(False)
        self.button.setText("Writing…")
        self._worker = create_worker(
            _written, path, masks, volume, with_patient=self.with_patient.isChecked(), overwrite=overwrite,
            _start_thread=False, _ignore_errors=True,
        )  # fmt: skip
        self._worker.returned.connect(self._tell)
        self._worker.finished.connect(self._end)
        self._worker.start()

    def event(self, event: QEvent) -> bool:
        """Stop listening to the viewer when the dock is closed: napari then takes the widget out of its window."""
        if event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self.layers.release()
        return bool(super().event(event))

    def _on_layer(self) -> None:
        """Show the names of the layer's labels, and offer the kinds of file that it can go into."""
        layer = self.layers.layer
        names = {} if layer is None else label_names(np.asarray(layer.data), layer.metadata, layer.name)
        self.names.show_names(names)
        volume = None if layer is None else volume_of(layer)
        self._offer_dicom(volume is not None and bool(volume.planes))
        self.button.setEnabled(layer is not None and self._worker is None)

    def _offer_dicom(self, offered: bool) -> None:
        for index, kind in enumerate(_OFFERED):
            entry = self.kinds.model().item(index)
            entry.setEnabled(offered or not kind.is_dicom)
            entry.setToolTip("" if entry.isEnabled() else "The volume is not made of DICOM images to refer to.")
        if self.kind.is_dicom and not offered:
            self.choose_kind(MaskKind.nifti)

    def _ask(self) -> None:
        proposed = f"mask{self.kind.value}"
        path, _filter = QFileDialog.getSaveFileName(
            self, "Export masks", proposed, f"{self.kind.words} (*{self.kind.value})",
            options=QFileDialog.Option.DontConfirmOverwrite,
        )  # fmt: skip
        if not path:
            return
        target = Path(path) if path.endswith(self.kind.value) else Path(path + self.kind.value)
        there = [each.name for each in (target, sidecar(target)) if each.exists()]
        if there and not self._confirmed(there):
            return
        try:
            self.export(target, overwrite=bool(there))
        except InputError as error:
            show_error(str(error))

    def _confirmed(self, names: list[str]) -> bool:
        verb = "exists" if len(names) == 1 else "exist"
        asked = f"{' and '.join(names)} {verb} already. Replace?"
        return bool(QMessageBox.question(self, "Export masks", asked) == QMessageBox.StandardButton.Yes)

    def _tell(self, outcome: list[Path] | str) -> None:
        if isinstance(outcome, str):
            show_error(outcome)
        else:
            show_info(f"Exported {' and '.join(path.name for path in outcome)}.")

    def _end(self) -> None:
        self._worker = None
        self.button.setText("Export…")
        self.button.setEnabled(self.layers.layer is not None)


def _written(*args: Any, **options: Any) -> list[Path] | str:  # noqa: ANN401 (those of export_masks)
    """``export_masks`` in the worker's thread, with bad input handed back as its sentence instead of a traceback."""
    try:
        return export_masks(*args, **options)
    except InputError as error:
        return str(error)


class _NameTable(QTableWidget):
    """Label numbers and their names, which can be typed over; known anatomy is proposed."""

    def __init__(self) -> None:
        super().__init__(0, 2)
        self.setHorizontalHeaderLabels(["Label", "Name"])
        self.verticalHeader().setVisible(False)
        self.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        self.horizontalHeader().setStretchLastSection(True)
        self.setItemDelegateForColumn(1, _AnatomyDelegate(self))
        self.setToolTip("Names of organs in English get their SNOMED CT code in DICOM files; others are kept as typed.")
        self.setVerticalScrollMode(QTableWidget.ScrollMode.ScrollPerPixel)

    def show_names(self, names: dict[int, str]) -> None:
        """Fill the table."""
        self.setRowCount(len(names))
        for row, (number, name) in enumerate(sorted(names.items())):
            label = QTableWidgetItem(str(number))
            label.setFlags(label.flags() & ~Qt.ItemFlag.ItemIsEditable)
            self.setItem(row, 0, label)
            self.setItem(row, 1, QTableWidgetItem(name))
        rows = max(1, min(len(names), _MOST_ROWS_SHOWN)) * self.verticalHeader().defaultSectionSize()
        self.setFixedHeight(self.horizontalHeader().sizeHint().height() + rows + 2 * self.frameWidth())

    def by_label(self) -> dict[int, str]:
        """The names as they stand."""
        return {
            int(self.item(row, 0).text()): self.item(row, 1).text().strip() or f"label {self.item(row, 0).text()}"
            for row in range(self.rowCount())
        }


class _AnatomyDelegate(QStyledItemDelegate):
    """Edits a name with proposals."""

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Any) -> QLineEdit:  # noqa: ANN401, N802 (Qt's)
        """A line with a list of known anatomy below it."""
        editor = QLineEdit(parent)
        completer = QCompleter(known_names(), editor)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        editor.setCompleter(completer)
        return editor
