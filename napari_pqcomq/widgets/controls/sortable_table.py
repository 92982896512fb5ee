"""A table that is sorted by a click on a column's title, numbers by their value."""

from __future__ import annotations

import math
from collections.abc import Sequence

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem, QWidget

Cell = str | tuple[str, float]
"""A text, or a text with the number that it stands for."""


class SortableTable(QTableWidget):
    """Shows rows of cells; the order of the rows given stays until a title is clicked."""

    def __init__(self, titles: Sequence[str], parent: QWidget | None = None) -> None:
        super().__init__(0, len(titles), parent)
        self.setHorizontalHeaderLabels(list(titles))
        self.verticalHeader().setVisible(False)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setSortingEnabled(True)
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        header.setStretchLastSection(True)

    def show_rows(self, rows: Sequence[Sequence[Cell]], tooltips: Sequence[str] = ()) -> None:
        """Fill the table.

        Args:
            rows: cells of each.
            tooltips: one for each row.
        """
        self.setSortingEnabled(False)  # rows would move while they are filled
        self.setRowCount(len(rows))
        for place, cells in enumerate(rows):
            for column, cell in enumerate(cells):
                item = _Item(cell)
                if tooltips:
                    item.setToolTip(tooltips[place])
                self.setItem(place, column, item)
        self.setSortingEnabled(True)

    def set_width(self, column: int, pixels: int) -> None:
        """Give a column a width of its own, which the user may change."""
        self.horizontalHeader().setSectionResizeMode(column, QHeaderView.ResizeMode.Interactive)
        self.setColumnWidth(column, pixels)

    def texts(self) -> list[list[str]]:
        """The cells' texts as they stand, row by row."""
        cells = [[self.item(row, column) for column in range(self.columnCount())] for row in range(self.rowCount())]
        return [["" if cell is None else cell.text() for cell in row] for row in cells]


class _Item(QTableWidgetItem):
    """A cell that knows its number."""

    def __init__(self, cell: Cell) -> None:
        super().__init__(cell if isinstance(cell, str) else cell[0])
        self.number: float | None = None if isinstance(cell, str) else cell[1]
        if self.number is not None:
            self.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)

    def __lt__(self, other: QTableWidgetItem) -> bool:
        theirs = other.number if isinstance(other, _Item) else None
        if self.number is None or theirs is None:
            return self.text() < other.text()
        if math.isnan(self.number) or math.isnan(theirs):
            return math.isnan(theirs) and not math.isnan(self.number)  # what there is none of comes last
        return self.number < theirs
