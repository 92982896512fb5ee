"""The figures of a comparison in three groups: agreement, accuracy, cost."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtGui import QResizeEvent
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem, QWidget

from pqcomq.comparison.result import Comparison
from pqcomq.comparison.text import comparison_rows, short_precision

_AGREEMENT, _ACCURACY, _COST = "Agreement of the two models", "Accuracy against ground truth", "Volume, time and size"
_VALUE_WIDTH = 84


class MetricsTable(QTableWidget):
    """Measures in the first column, one column for each side; agreement belongs to both and spans them."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(0, 3, parent)
        self.verticalHeader().setVisible(False)
        self.setWordWrap(True)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ContiguousSelection)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        header = self.horizontalHeader()
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column in (1, 2):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Fixed)
            header.resizeSection(column, _VALUE_WIDTH)

    def show_comparison(self, comparison: Comparison) -> None:
        """Fill the table and make it as high as its rows."""
        self.clearSpans()
        self.setRowCount(0)
        precisions = (comparison.reference.precision, comparison.candidate.precision)
        self.setHorizontalHeaderLabels(["", *(short_precision(precision) for precision in precisions)])
        rows = comparison_rows(comparison)
        for title in (_AGREEMENT, _ACCURACY, _COST):
            self._add_group(title, [row for row in rows if _group(row[0]) == title])
        self._fit_height()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 (Qt's name)
        """Measures wrap at another place in another width."""
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._fit_height()

    def texts(self) -> list[list[str]]:
        """The table's texts, row by row; empty cells are left out."""
        cells = [[self.item(row, column) for column in range(3)] for row in range(self.rowCount())]
        return [[cell.text() for cell in row if cell is not None and cell.text()] for row in cells]

    def _fit_height(self) -> None:
        """As high as the rows: the dock scrolls, not the table in it."""
        self.resizeRowsToContents()
        self.setFixedHeight(self.horizontalHeader().height() + self.verticalHeader().length() + 4)

    def _add_group(self, title: str, rows: list[tuple[str, ...]]) -> None:
        if not rows:
            return
        font = self.font()
        font.setBold(True)
        self._add_row(title)[0].setFont(font)
        self.setSpan(self.rowCount() - 1, 0, 1, 3)
        for row in rows:
            self._add_row(*row)

    def _add_row(self, *texts: str) -> list[QTableWidgetItem]:
        """Its cells."""
        row = self.rowCount()
        self.insertRow(row)
        cells = [QTableWidgetItem(text) for text in texts]
        for column, cell in enumerate(cells):
            if column:
                cell.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self.setItem(row, column, cell)
        return cells


def _group(measure: str) -> str:
    """The group that a measure belongs to, by what it is measured against."""
    if measure.endswith("vs full precision"):
        return _AGREEMENT
    return _ACCURACY if measure.endswith("vs ground truth") else _COST
