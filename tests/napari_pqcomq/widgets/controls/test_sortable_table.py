from __future__ import annotations

import math

from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from napari_pqcomq.widgets.controls.sortable_table import SortableTable


def click(table, column):
    header = table.horizontalHeader()
    place = header.sectionViewportPosition(column) + header.sectionSize(column) // 2
    pos = header.viewport().rect().center()
    pos.setX(place)
    QTest.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=pos)


def test_a_click_on_a_title_sorts_numbers_by_value_and_texts_by_letters(qtbot):
    table = SortableTable(["Name", "Loss"])
    qtbot.addWidget(table)
    table.show()
    table.show_rows([["b", ("10.0", 10.0)], ["a", ("–", math.nan)], ["c", ("9.5", 9.5)]], ["x", "y", "z"])
    assert [row[0] for row in table.texts()] == ["b", "a", "c"]
    click(table, 1)
    assert [row[1] for row in table.texts()] == ["9.5", "10.0", "–"]
    click(table, 0)
    assert [row[0] for row in table.texts()] == ["a", "b", "c"]
    assert [table.item(row, 0).toolTip() for row in range(3)] == ["y", "x", "z"]
    table.show_rows([["z", ("1", 1.0)]])
    assert table.texts() == [["z", "1"]]
