"""Which data set, which of its cases can be scored, and what became of each."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFileDialog, QGroupBox, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_pqcomq.cohort.cohort_jobs import WorstPrompt
from napari_pqcomq.translation import tr, trn
from napari_pqcomq.widgets.controls.sortable_table import Cell, SortableTable
from pqcomq.cohort.cases.case import CaseList

_TITLES = (tr("Case"), tr("Dice lost"), tr("Where"), tr("State"))
_OF_SCORED = (1, 2)
"""Columns that only a scored case has."""
_ROWS_SHOWN = 7
_NAME_WIDTH = 130
_CHOOSE = tr(
    "A folder of case folders with image.* and labels.* in each, or with a DICOM series and its SEG or RTSTRUCT; an "
    "nnU-Net data set; or a table of cases (.csv, .parquet). Nothing is read but headers until Run."
)


class DataSetPanel(QGroupBox):
    """Chooses a data set and lists its cases.

    Attributes:
        chosen: emitted with the folder or table that the user has chosen.
        case_requested: emitted with the name of a case that was double-clicked.
        found: the cases, None before a data set was looked through.
    """

    chosen = Signal(Path)
    case_requested = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(tr("Data set"), parent)
        self.found: CaseList | None = None
        self.folder_button, self.table_button = QPushButton(tr("Folder…")), QPushButton(tr("Table…"))
        for button, ask in ((self.folder_button, self._ask_folder), (self.table_button, self._ask_table)):
            button.setToolTip(_CHOOSE)
            button.clicked.connect(ask)
        self.text = QLabel(_CHOOSE)
        self.text.setWordWrap(True)
        self.cases = SortableTable(_TITLES)
        self.cases.setToolTip(tr("Double-click a scored case to compare the models on its worst slice."))
        self.cases.setAccessibleName(tr("Cases"))
        self.cases.set_width(0, _NAME_WIDTH)
        self.cases.shorten_in_middle(0)
        self.cases.cellDoubleClicked.connect(self._on_double_click)
        self.cases.setFixedHeight((_ROWS_SHOWN + 1) * (self.fontMetrics().height() + 10))
        self.cases.setVisible(False)
        row = QHBoxLayout()
        for button in (self.folder_button, self.table_button):
            row.addWidget(button)
        column = QVBoxLayout(self)
        column.addLayout(row)
        column.addWidget(self.text)
        column.addWidget(self.cases)

    def show_found(self, found: CaseList, name: str) -> None:
        """List the cases of a data set, and beside them what cannot be scored."""
        self.found = found
        told = trn("{count} case can be scored", "{count} cases can be scored", len(found.cases))
        if found.not_scored:
            told += trn(", {count} cannot be scored", ", {count} cannot be scored", len(found.not_scored))
        self.text.setText(f"{name}: {found.layout}. {told}.")
        self.cases.setVisible(True)
        self.show_states({}, {})

    def show_states(self, states: Mapping[str, str], worst: Mapping[str, WorstPrompt]) -> None:
        """Show what became of the cases.

        Args:
            states: case → ``"scored"`` or a reason.
            worst: case → the prompt on which it lost most.
        """
        if self.found is None:
            return
        rows: list[list[Cell]] = []
        tooltips = []
        for case in self.found.cases:
            prompt = worst.get(case.name)
            state = states.get(case.name, tr("waits"))
            rows.append([case.name, *_cells(prompt), state])
            tooltips.append(f"{case.name}: {state if prompt is None else _told(prompt)}")
        for left_out in self.found.not_scored:
            rows.append([left_out.case, "", "", tr("left out: {reason}", reason=left_out.reason)])
            tooltips.append(f"{left_out.case}: {left_out.reason}")
        self.cases.show_rows(rows, tooltips)
        for column in _OF_SCORED:  # empty ones would leave no room for what is wrong with a case
            self.cases.setColumnHidden(column, not worst)

    def offer(self, chooses: bool) -> None:
        """Whether another data set may be chosen now."""
        self.folder_button.setEnabled(chooses)
        self.table_button.setEnabled(chooses)

    def _on_double_click(self, row: int, _column: int) -> None:
        item = self.cases.item(row, 0)
        if item is not None:
            self.case_requested.emit(item.text())

    def _ask_folder(self) -> None:
        path = QFileDialog.getExistingDirectory(self, tr("Folder of the data set"))
        if path:
            self.chosen.emit(Path(path))

    def _ask_table(self) -> None:
        path, _filter = QFileDialog.getOpenFileName(self, tr("Table of cases"), "", tr("Tables (*.csv *.parquet)"))
        if path:
            self.chosen.emit(Path(path))


def _cells(prompt: WorstPrompt | None) -> list[Cell]:
    if prompt is None:
        return ["", ""]
    where = prompt.label if prompt.z < 0 else tr("{label}, slice {z}", label=prompt.label, z=prompt.z)
    return [(f"{prompt.loss:.3f}", prompt.loss), where]


def _told(prompt: WorstPrompt) -> str:
    return tr(
        "{model}: Dice against ground truth {quantized_dice:.3f}, full precision {full_dice:.3f}. Double-click "
        "to compare them there.",
        model=prompt.model,
        quantized_dice=prompt.quantized_dice,
        full_dice=prompt.full_dice,
    )
