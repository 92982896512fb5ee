"""Small helpers for Qt's combo boxes."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtWidgets import QComboBox

_SHORT_ENTRY = 8


def choose_kept(box: QComboBox, names: Sequence[str], kept: object) -> None:
    """Choose the entry that was remembered; where there is none, the choice stays as it is.

    Args:
        box: with entries in the user's language.
        names: of the entries, in their order, the same in every language; these are remembered.
        kept: a name, or, as version 0.1.0 remembered it, an entry's text.
    """
    index = names.index(str(kept)) if kept in names else box.findText(str(kept))
    if index >= 0:
        box.setCurrentIndex(index)


def keep_narrow(box: QComboBox) -> None:
    """Keep long entries from making a combo box, and with it the dock, wide."""
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setMinimumContentsLength(_SHORT_ENTRY)
