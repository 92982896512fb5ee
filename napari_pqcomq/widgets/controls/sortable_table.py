"""A table that is sorted by a click on a column's title, numbers by their value."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

Cell = str | tuple[str, float]
"""A text, or a text with the number that it stands for."""

_PLACE = int(Qt.ItemDataRole.UserRole)
"""Under this role a cell knows which of the rows given it belongs to."""


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
                item.setData(_PLACE, place)
                if tooltips:
                    item.setToolTip(tooltips[place])
                self.setItem(place, column, item)
        self.setSortingEnabled(True)

    @property
    def chosen(self) -> int | None:
        """Which of the rows, in the order in which they were given, is chosen."""
        items = self.selectedItems()
        return int(items[0].data(_PLACE)) if items else None

    def choose(self, place: int | None) -> None:
        """Choose a row by its place in the order in which the rows were given, or none."""
        self.clearSelection()
        for row in range(self.rowCount()):
            item = self.item(row, 0)
            if item is not None and item.data(_PLACE) == place:
                self.setCurrentItem(item)

    def set_row_height(self, pixels: int) -> None:
        """Let rows and titles stand closer than in napari's style."""
        self.verticalHeader().setMinimumSectionSize(pixels)
        self.verticalHeader().setDefaultSectionSize(pixels)
        self.horizontalHeader().setFixedHeight(pixels + 2)

    def show_at_most(self, rows: int) -> None:
        """Be as high as the rows that there are, up to some; more of them are scrolled."""
        height = max(1, min(self.rowCount(), rows)) * self.verticalHeader().defaultSectionSize()
        self.setFixedHeight(self.horizontalHeader().height() + height + 2 * self.frameWidth())

    def stretch_column(self, column: int) -> None:
        """Let a column take the room that the others leave; its texts are shortened where that is little."""
        self.horizontalHeader().setStretchLastSection(False)
        self.horizontalHeader().setSectionResizeMode(column, QHeaderView.ResizeMode.Stretch)

    def set_width(self, column: int, pixels: int) -> None:
        """Give a column a width of its own, which the user may change."""
        self.horizontalHeader().setSectionResizeMode(column, QHeaderView.ResizeMode.Interactive)
        self.setColumnWidth(column, pixels)

    def shorten_in_middle(self, column: int) -> None:
        """Keep both ends of a column's texts where there is too little room, since names differ at their ends."""
        self.setItemDelegateForColumn(column, _ShortenedInMiddle(self))

    def texts(self) -> list[list[str]]:
        """The cells' texts as they stand, row by row."""
        cells = [[self.item(row, column) for column in range(self.columnCount())] for row in range(self.rowCount())]
        return [["" if cell is None else cell.text() for cell in row] for row in cells]


class _ShortenedInMiddle(QStyledItemDelegate):
    """Draws texts that are too long with their middle left out."""

    def initStyleOption(self, option: QStyleOptionViewItem, index: Any) -> None:  # noqa: N802, ANN401 (Qt's)
        """As Qt would, but for where the dots stand."""
        super().initStyleOption(option, index)
        option.textElideMode = Qt.TextElideMode.ElideMiddle


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
