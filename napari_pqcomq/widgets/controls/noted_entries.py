"""Notes beside the entries of a list that is folded out, in smaller print; the entries' own texts stay as they are."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QSize, Qt
from qtpy.QtGui import QPainter
from qtpy.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem

_GAP = 24
_MARGIN = 8


class NotedEntries(QStyledItemDelegate):
    """Draws what an entry has under a role at its right end.

    Args:
        role: of the notes.
        parent: Qt parent.
    """

    def __init__(self, role: int, parent: Any = None) -> None:  # noqa: ANN401 (Qt's object)
        super().__init__(parent)
        self._role = role

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Any) -> None:  # noqa: ANN401 (Qt's index)
        """Draw the entry, then its note in a fainter ink."""
        super().paint(painter, option, index)
        painter.save()
        painter.setOpacity(0.65)
        painter.setPen(option.palette.text().color())
        place = option.rect.adjusted(0, 0, -_MARGIN, 0)
        painter.drawText(place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, self._note(index))
        painter.restore()

    def sizeHint(self, option: QStyleOptionViewItem, index: Any) -> QSize:  # noqa: N802, ANN401 (Qt's name)
        """As wide as both."""
        size = super().sizeHint(option, index)
        return QSize(size.width() + _GAP + option.fontMetrics.horizontalAdvance(self._note(index)), size.height())

    def _note(self, index: Any) -> str:  # noqa: ANN401
        return str(index.data(self._role) or "")
