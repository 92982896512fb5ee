"""The figures of a comparison in groups: agreement, accuracy, size, time; a column for each model."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from qtpy.QtCore import QSize, Qt
from qtpy.QtGui import QFont, QResizeEvent
from qtpy.QtWidgets import QAbstractItemView, QBoxLayout, QHeaderView, QTableWidget, QTableWidgetItem, QWidget

from napari_pqcomq.translation import tr
from pqcomq.comparison.comparison_result import ObjectComparison
from pqcomq.comparison.presentation.comparison_text import figure_rows, short_names
from pqcomq.segmentation.doubt import DOUBTFUL

_AGREEMENT, _ACCURACY = tr("Agreement of the models"), tr("Accuracy against ground truth")
_SIZE, _TIME = tr("Volume and size"), tr("Time and memory")
_DOUBT = tr("Doubt, told without full precision")
_SIZES = ("Volume", "File", "Effective bits")
_DOUBTS = ("Slices in doubt", "Least stability")
"""How the measures begin that are no times."""
_ROW_PIXELS, _FONT_PIXELS, _VALUE_WIDTH, _PADDING = 14, 11, 68, 8
_NAME_WIDTH = 140
"""Pixels in which most names of measures are read whole."""
_TOOLTIP = tr("Full precision and every quantized model, on the current object.")


class MetricsTable(QWidget):
    """Two tables side by side, so that all figures are seen at once: what was found, and how long it took.

    Where names of measures would have no room they stand one below the other, at their full height, and are scrolled.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.tables = _Table(), _Table()
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._row.setContentsMargins(0, 2, 0, 0)
        for table in self.tables:
            table.setToolTip(_TOOLTIP)
            self._row.addWidget(table, 1)

    def show_object(self, found: ObjectComparison, doubt_below: float = DOUBTFUL) -> None:
        """Show the figures of an object.

        Args:
            found: on it.
            doubt_below: stability score below which a slice is in doubt.
        """
        rows = figure_rows(found.comparisons, doubt_below)
        names = short_names(each.precision for each in found.results)
        titles = [names[each.precision] for each in found.results]
        for table, groups in zip(self.tables, ((_AGREEMENT, _ACCURACY, _SIZE), (_DOUBT, _TIME)), strict=True):
            table.show_groups(titles, {each: [row for row in rows if _group(row[0]) == each] for each in groups})
        self._arrange()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 (Qt's name)
        """There may be room for both side by side now, or no longer."""
        super().resizeEvent(event)
        self._arrange()

    def texts(self) -> list[list[str]]:
        """The tables' texts, row by row; empty cells are left out."""
        return [row for table in self.tables for row in table.texts()]

    def _arrange(self) -> None:
        is_wide = self.width() >= sum(table.readable_width for table in self.tables)
        direction = QBoxLayout.Direction
        self._row.setDirection(direction.LeftToRight if is_wide else direction.TopToBottom)
        for table in self.tables:
            table.setMinimumHeight(0 if is_wide else table.whole_height)


class _Table(QTableWidget):
    """Measures in the first column, one column for each side."""

    def __init__(self) -> None:
        super().__init__(0, 0)
        font = self.font()
        font.setPixelSize(_FONT_PIXELS)
        self.setFont(font)
        self.verticalHeader().setVisible(False)
        self.verticalHeader().setMinimumSectionSize(_ROW_PIXELS)
        self.verticalHeader().setDefaultSectionSize(_ROW_PIXELS)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ContiguousSelection)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.setWordWrap(False)

    @property
    def readable_width(self) -> int:
        """Pixels that names and values need."""
        return _NAME_WIDTH + (self.columnCount() - 1) * _VALUE_WIDTH + 2 * self.frameWidth()

    @property
    def whole_height(self) -> int:
        """Pixels that all rows and the titles take."""
        return self.horizontalHeader().height() + self.verticalHeader().length() + 2 * self.frameWidth()

    def minimumSizeHint(self) -> QSize:  # noqa: N802 (Qt's name)
        """Small: it scrolls where the window is smaller than it is made for."""
        return QSize(200, 80)

    def sizeHint(self) -> QSize:  # noqa: N802 (Qt's name)
        """See :meth:`minimumSizeHint`."""
        return self.minimumSizeHint()

    def show_groups(self, titles: Sequence[str], groups: dict[str, list[tuple[str, ...]]]) -> None:
        """Fill the table.

        Args:
            titles: of the sides.
            groups: rows by the title of their group; groups without rows are left out.
        """
        self.clearSpans()
        self.setRowCount(0)
        self.setColumnCount(1 + len(titles))
        filled = {title: rows for title, rows in groups.items() if rows}
        first = next(iter(filled), "")
        self.setHorizontalHeaderLabels([first, *titles])
        item = self.horizontalHeaderItem(0)
        if item is not None:
            item.setTextAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
            item.setFont(_bold(self.font()))
            item.setToolTip(first)
        header = self.horizontalHeader()
        header.setTextElideMode(Qt.TextElideMode.ElideRight)
        header.setFixedHeight(_ROW_PIXELS + 3)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column in range(1, 1 + len(titles)):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Fixed)
            header.resizeSection(column, _VALUE_WIDTH)
        for title, rows in filled.items():
            if title != first:  # which stands in the head, beside the names of the sides
                self._add_row(title, bold=True)
                self.setSpan(self.rowCount() - 1, 0, 1, 1 + len(titles))
            for row in rows:
                self._add_row(*row)
                self._join_alike(row)

    def _join_alike(self, texts: Sequence[str]) -> None:
        """Give neighbours of one long text one cell in the last row: alone each would be cut off."""
        column = 1
        for text, alike in groupby(texts[1:]):
            count = len(list(alike))
            if count > 1 and self.fontMetrics().horizontalAdvance(text) > _VALUE_WIDTH - _PADDING:
                self.setSpan(self.rowCount() - 1, column, 1, count)
            column += count

    def texts(self) -> list[list[str]]:
        """The table's texts, row by row, the first group's title in its head first; empty cells are left out."""
        rows, columns = range(self.rowCount()), range(self.columnCount())
        cells = [[self.horizontalHeaderItem(0)], *([self.item(row, column) for column in columns] for row in rows)]
        texts = [[cell.text() for cell in row if cell is not None and cell.text()] for row in cells]
        return [row for row in texts if row]

    def _add_row(self, *texts: str, bold: bool = False) -> None:
        row = self.rowCount()
        self.insertRow(row)
        for column, text in enumerate(texts):
            cell = QTableWidgetItem(text)
            cell.setToolTip(f"{texts[0]}: {text}" if column else text)  # a long one is cut off
            if column:
                cell.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            if bold:
                cell.setFont(_bold(self.font()))
            self.setItem(row, column, cell)


def _bold(font: QFont) -> QFont:
    bold = QFont(font)
    bold.setBold(True)
    return bold


def _group(measure: str) -> str:
    """The group that a measure belongs to, by what it is measured against."""
    if measure.endswith("vs full precision"):
        return _AGREEMENT
    if measure.endswith("vs ground truth"):
        return _ACCURACY
    if measure.startswith(_DOUBTS):
        return _DOUBT
    return _SIZE if measure.startswith(_SIZES) else _TIME
