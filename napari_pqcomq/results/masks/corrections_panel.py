"""Correcting masks in place: brush, eraser, undo, and what it took for each model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QAbstractItemView,
    QDoubleSpinBox,
    QFormLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from napari_pqcomq.results.held.corrections import LONGEST_PAUSE_SECONDS
from napari_pqcomq.results.held.result_store import ResultStore
from napari_pqcomq.translation import tr
from napari_pqcomq.widgets.dock.save_dialog import ask_and_save
from pqcomq.comparison.presentation.comparison_text import short_names
from pqcomq.csv_table import write_table

_TOOLS_WIDTH = 250
_COLUMNS = (
    tr("Object"),
    tr("Model"),
    tr("Voxels added"),
    tr("Voxels removed"),
    tr("Voxels changed"),
    tr("Strokes"),
    tr("Time"),
)
_MODEL = 1
"""The column of models, named shortly: the last columns would be out of sight in a small window."""
_EXPLANATION = tr(
    "Paint on any side; the current object's mask of that model is corrected. Keep masks (Ctrl+K) and the tab Export "
    "take the corrected ones, and their records say so."
)


class CorrectionsPanel(QWidget):
    """A panel of the results area: tools, and the voxels and seconds that each model's masks took.

    Args:
        store: with the comparison and its corrections.
        parent: Qt parent.

    Attributes:
        tool_requested: emitted with "brush" or "eraser".
        radius_changed: emitted with the radius in millimetres.
        undo_requested: emitted by the button that takes the last stroke back.
    """

    tool_requested = Signal(str)
    radius_changed = Signal(float)
    undo_requested = Signal()

    def __init__(self, store: ResultStore, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._store = store
        self.tools = {"brush": QPushButton(tr("Brush")), "eraser": QPushButton(tr("Eraser"))}
        self.radius, self.undo_button = QDoubleSpinBox(), QPushButton(tr("Undo"))
        self.export_button = QPushButton(tr("Export table…"))
        self.table = QTableWidget(0, len(_COLUMNS))
        self._lay_out()
        for tool, button in self.tools.items():
            button.setCheckable(True)
            button.clicked.connect(lambda _checked, tool=tool: self.tool_requested.emit(tool))
        self.radius.valueChanged.connect(self.radius_changed)
        self.undo_button.clicked.connect(lambda: self.undo_requested.emit())
        self.export_button.clicked.connect(self._ask)
        store.changed.connect(self.refresh)
        store.corrected.connect(self.refresh)
        self.refresh()

    def show_tool(self, tool: str) -> None:
        """Light up the tool in the hand, "" for none."""
        for name, button in self.tools.items():
            button.setChecked(name == tool)

    def rows(self) -> list[dict[str, Any]]:
        """What was corrected, one row a mask."""
        result, corrections = self._store.result, self._store.corrections
        if result is None:
            return []
        names = {found.number: found.name for found in result.objects}
        millilitres = result.volume.grid.voxel_millilitres
        rows = []
        for side, number in sorted(corrections.worked_on(), key=lambda key: (key[1], key[0])):
            effort = corrections.effort(side, number)
            rows.append(
                {
                    "object": names.get(number, tr("object {number}", number=number)),
                    "model": result.models[side].segmenter.precision,
                    "voxels_added": effort.added,
                    "voxels_removed": effort.removed,
                    "voxels_changed": effort.voxels,
                    "millilitres_changed": round(effort.voxels * millilitres, 3),
                    "strokes": effort.strokes,
                    "seconds": round(effort.seconds, 1),
                }
            )
        return rows

    def export(self, path: Path) -> None:
        """Write the rows as CSV; the dialog has already asked before replacing a file.

        Raises:
            InputError: the file cannot be written.
        """
        write_table(self.rows(), path, overwrite=True)

    def refresh(self) -> None:
        """Show what was corrected until now."""
        rows, result = self.rows(), self._store.result
        names = short_names(each.segmenter.precision for each in result.models) if result else {}
        for widget in (*self.tools.values(), self.radius):
            widget.setEnabled(self._store.result is not None)
        self.undo_button.setEnabled(self._store.corrections.can_undo)
        self.export_button.setEnabled(bool(rows))
        self.table.setRowCount(len(rows))
        for index, row in enumerate(rows):
            changed = f"{row['voxels_changed']} ({row['millilitres_changed']:.2f} mL)"
            texts = (
                row["object"], names[row["model"]], row["voxels_added"], row["voxels_removed"], changed, row["strokes"],
                f"{row['seconds']:.1f} s",
            )  # fmt: skip
            for column, text in enumerate(texts):
                cell = QTableWidgetItem(str(text))
                cell.setToolTip(row["model"] if column == _MODEL else str(text))
                self.table.setItem(index, column, cell)

    def _lay_out(self) -> None:
        self.radius.setRange(0.5, 50.0)
        self.radius.setDecimals(1)
        self.radius.setSuffix(" mm")
        self.radius.setToolTip(tr("Radius of brush and eraser."))
        self.tools["brush"].setToolTip(tr("Add to the current object's mask on the side under the mouse (A)."))
        self.tools["eraser"].setToolTip(tr("Take away from it (R)."))
        self.undo_button.setToolTip(tr("Take the last stroke back (Ctrl+Z while a tool is in the hand)."))
        self.export_button.setToolTip(tr("Write voxels and seconds for each object and model to a CSV file."))
        self.table.setToolTip(
            tr(
                "Voxels are counted between the model's mask and the corrected one; time is from the first stroke to "
                "the last, pauses of more than {pause:.0f} s left out.",
                pause=LONGEST_PAUSE_SECONDS,
            )
        )
        self.table.setHorizontalHeaderLabels(list(_COLUMNS))
        self.table.verticalHeader().setVisible(False)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)  # whole, and scrolled in a narrow window
        header.setStretchLastSection(True)
        self.table.setMinimumHeight(80)
        tools = QWidget()
        tools.setFixedWidth(_TOOLS_WIDTH)
        form = QFormLayout(tools)
        form.setContentsMargins(0, 0, 0, 0)
        for pair in (self.tools.values(), (self.undo_button, self.export_button)):
            row = QHBoxLayout()
            for button in pair:
                row.addWidget(button)
            form.addRow(row)
        form.addRow(tr("Radius"), self.radius)
        explanation = QLabel(_EXPLANATION)
        explanation.setWordWrap(True)
        explanation.setEnabled(False)
        explanation.setAlignment(Qt.AlignmentFlag.AlignTop)
        form.addRow(explanation)
        beside = QHBoxLayout(self)
        beside.setContentsMargins(0, 4, 0, 0)
        beside.addWidget(tools)
        beside.addWidget(self.table, 1)

    def _ask(self) -> None:
        ask_and_save(self, tr("Export corrections"), "corrections.csv", self.export)
