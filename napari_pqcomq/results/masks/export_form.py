"""The form that every export has: names of the objects, kind of file, the patient's identity, the button."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari.utils.notifications import show_error, show_info
from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QCompleter,
    QFormLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPushButton,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_pqcomq.forms.dataclass_form import DataclassForm, Row
from napari_pqcomq.jobs.running.one_off import one_off
from napari_pqcomq.translation import tr
from napari_pqcomq.widgets.dock.save_dialog import ask_for_file
from pqcomq.dicom_masks.referenced_series import dicom_obstacle
from pqcomq.dicom_masks.snomed_anatomy import known_names
from pqcomq.errors import InputError
from pqcomq.masks.file_formats import MaskKind, sidecar
from pqcomq.masks.named_mask import NamedMask
from pqcomq.masks.write_masks import export_masks
from pqcomq.volumes.volume import Volume

_MOST_ROWS_SHOWN = 6

Masks = tuple[dict[int, NamedMask], Volume]


@dataclass(frozen=True)
class ExportChoice:
    """How masks are written.

    Attributes:
        kind: of file.
        with_patient: whether the patient's identity goes into the file and its record.
    """

    kind: MaskKind = MaskKind.nifti
    with_patient: bool = False


_ROWS = {
    "kind": Row(tr("File")),
    "with_patient": Row(
        tr("Keep the patient's identity"),
        tr(
            "Off: the files name no patient; a DICOM object still refers to its images by their UIDs.\n"
            "On: name, ID, dates and accession number go into a DICOM object, as an archive (PACS) asks for,\n"
            "and into the record (.json) beside the mask."
        ),
    ),
}


class ExportForm(QWidget):
    """Names, kind of file, the patient's identity, and the button.

    Args:
        masks: given the names by label, what gives what is to be written. Asked when the user exports, in the window's
            thread; what it returns is called in the worker's, as large masks take a while. Both may raise InputError.
        source: the control that chooses what is exported, and its name in the form.
        parent: Qt parent.
        wide: names stand beside the rest, for a place that is wider than high.
    """

    def __init__(
        self,
        masks: Callable[[dict[int, str]], Callable[[], Masks]],
        source: tuple[str, QWidget],
        parent: QWidget | None = None,
        *,
        wide: bool = False,
    ) -> None:
        super().__init__(parent)
        self._masks = masks
        self.choice = DataclassForm(ExportChoice(), _ROWS, self)
        self.names = NameTable()
        self.button = QPushButton(tr("Export…"))
        row, form = QHBoxLayout(self), QFormLayout()
        row.setContentsMargins(0, 0, 0, 0)
        row.addLayout(form, 1)
        form.addRow(*source)
        self.reason = QLabel()  # in sight, since the keyboard passes greyed choices over, tooltip and all
        self.reason.setWordWrap(True)
        if wide:
            beside = QVBoxLayout()
            row.addLayout(beside, 1)
            beside.addWidget(self.names)
            beside.addWidget(self.reason)
            beside.addStretch(1)
        else:
            form.addRow(tr("Names"), self.names)
        self.choice.add_rows(form)
        if not wide:
            form.addRow(self.reason)
        form.addRow(self.button)
        self._worker: Any = None
        self._has_masks = False
        self.button.clicked.connect(self._ask)
        self.show_source({}, None)

    @property
    def kind(self) -> MaskKind:
        """The kind of file chosen."""
        return self.choice.value.kind

    def choose_kind(self, kind: MaskKind) -> None:
        """Choose a kind of file."""
        self.choice["kind"].value = kind

    def show_source(self, names: dict[int, str], volume: Volume | None) -> None:
        """Show what can be exported now.

        Args:
            names: of the objects, by label.
            volume: that they lie on; None where there is nothing to export.
        """
        self.names.show_names(names)
        self._has_masks = volume is not None
        obstacle = tr("There is no mask to export.") if volume is None else dicom_obstacle(volume)
        self.choice["kind"].offer_dicom(obstacle)
        self.reason.setText(obstacle if volume is None else tr("No DICOM: {reason}", reason=obstacle))
        self.reason.setVisible(bool(obstacle))
        self.button.setEnabled(self._has_masks and self._worker is None)

    def export(self, path: Path, *, overwrite: bool = False) -> None:
        """Write the masks in the background; what became of it is shown as a notification.

        Args:
            path: its ending gives the kind of file.
            overwrite: replace existing files.

        Raises:
            InputError: there is nothing to export.
        """
        masks = self._masks(self.names.by_label())
        self.button.setEnabled(False)
        self.button.setText(tr("Writing…"))
        with_patient = self.choice.value.with_patient
        self._worker = one_off(_written, path, masks, with_patient=with_patient, overwrite=overwrite)
        self._worker.returned.connect(_tell)  # also where the form is gone by then
        self._worker.finished.connect(self._end)
        self._worker.start()

    def _ask(self) -> None:
        kind, proposed = self.kind, f"mask{self.kind.value}"
        others = [] if kind.is_dicom else [each.value for each in MaskKind if not each.is_dicom]
        target = ask_for_file(
            self, tr("Export masks"), proposed, kind.words, others=others, beside=lambda file: [sidecar(file)]
        )
        if target is None:
            return
        try:
            self.export(target, overwrite=True)
        except InputError as error:
            show_error(str(error))

    def _end(self) -> None:
        self._worker = None
        self.button.setText(tr("Export…"))
        self.button.setEnabled(self._has_masks)


def _written(path: Path, masks: Callable[[], Masks], *, with_patient: bool, overwrite: bool) -> list[Path] | str:
    """``export_masks`` in the worker's thread, with bad input handed back as its sentence instead of a traceback."""
    try:
        named, volume = masks()
        return export_masks(path, named, volume, with_patient=with_patient, overwrite=overwrite)
    except InputError as error:
        return str(error)


def _tell(outcome: list[Path] | str) -> None:
    """Say what became of it; called in the window's thread."""
    if isinstance(outcome, str):
        show_error(outcome)
    else:
        show_info(tr("Exported {files}.", files=tr(" and ").join(path.name for path in outcome)))


class NameTable(QTableWidget):
    """Label numbers and their names, which can be typed over; known anatomy is proposed."""

    def __init__(self) -> None:
        super().__init__(0, 2)
        self.setHorizontalHeaderLabels([tr("Label"), tr("Name")])
        self.verticalHeader().setVisible(False)
        self.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        self.horizontalHeader().setStretchLastSection(True)
        self.setItemDelegateForColumn(1, _AnatomyDelegate(self))
        self.setToolTip(
            tr("Names of organs in English get their SNOMED CT code in DICOM files; others are kept as typed.")
        )
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
        cells = [(self.item(row, 0), self.item(row, 1)) for row in range(self.rowCount())]
        return {
            int(number.text()): name.text().strip() or tr("label {number}", number=number.text())
            for number, name in cells
            if number is not None and name is not None
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
