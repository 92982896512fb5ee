"""Small helpers for Qt's combo boxes."""

from __future__ import annotations

from qtpy.QtWidgets import QComboBox

_SHORT_ENTRY = 8


def choose_text(box: QComboBox, text: object) -> None:
    """Choose the entry with a text; where there is none, the choice stays as it is."""
    index = box.findText(str(text))
    if index >= 0:
        box.setCurrentIndex(index)


def keep_narrow(box: QComboBox) -> None:
    """Keep long entries from making a combo box, and with it the dock, wide."""
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setMinimumContentsLength(_SHORT_ENTRY)
