"""Choices that cannot be taken now: shown in grey, with the reason as their tooltip."""

from __future__ import annotations

from typing import Any

from magicgui.widgets import ComboBox
from qtpy.QtCore import Qt
from qtpy.QtGui import QStandardItem, QStandardItemModel
from qtpy.QtWidgets import QComboBox


class GreyedChoices(ComboBox):
    """A combo box of magicgui whose choices can be greyed out and explained one by one."""

    native: QComboBox

    def explain(self, choice: Any, tooltip: str) -> None:  # noqa: ANN401 (of any type)
        """Set the tooltip of a choice in the open list."""
        self.native.setItemData(self._index(choice), tooltip, Qt.ItemDataRole.ToolTipRole)

    def offer(self, choice: Any, offered: bool) -> None:  # noqa: ANN401
        """Grey a choice out, or let it be chosen again."""
        self._item(choice).setEnabled(offered)

    def is_offered(self, choice: Any) -> bool:  # noqa: ANN401
        """Whether a choice can be taken."""
        return self._item(choice).isEnabled()

    def reason(self, choice: Any) -> str:  # noqa: ANN401
        """The tooltip of a choice."""
        return str(self.native.itemData(self._index(choice), Qt.ItemDataRole.ToolTipRole) or "")

    def _item(self, choice: object) -> QStandardItem:
        model = self.native.model()
        assert isinstance(model, QStandardItemModel)  # noqa: S101 (a combo box's own)
        return model.item(self._index(choice))

    def _index(self, choice: object) -> int:
        return self.choices.index(choice)
