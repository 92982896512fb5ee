"""The list of prompted objects: colour, name, and whether each takes part in the next comparison."""

from __future__ import annotations

from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtGui import QColor, QIcon, QKeyEvent, QPixmap, QResizeEvent
from qtpy.QtWidgets import QAbstractItemView, QListWidget, QListWidgetItem, QWidget

from napari_pqcomq.prompts.objects.drawn_object import DrawnObject
from napari_pqcomq.prompts.objects.prompt_list import PromptList
from napari_pqcomq.translation import tr

_ROWS_SHOWN = 4
_ICON_PIXELS = 12


class ObjectList(QListWidget):
    """Ticked objects are compared; a double click or F2 renames, Delete removes.

    Attributes:
        chosen: emitted after the user has chosen an object here, by mouse or keys.
    """

    chosen = Signal()

    def __init__(self, prompts: PromptList, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._prompts = prompts
        self.setEditTriggers(QAbstractItemView.EditTrigger.DoubleClicked | QAbstractItemView.EditTrigger.EditKeyPressed)
        self.setToolTip(tr("Ticked objects are compared. Double-click or F2 to rename, Delete to remove."))
        self.setAccessibleName(tr("Objects"))
        self.itemChanged.connect(self._on_item)
        self.currentRowChanged.connect(prompts.choose)
        self.currentRowChanged.connect(lambda _row: self.chosen.emit())
        self.itemClicked.connect(lambda _item: self.chosen.emit())
        prompts.changed.connect(self._refresh)
        self._refresh()

    def sizeHint(self) -> QSize:  # noqa: N802 (Qt's name)
        """As high as its rows, up to some."""
        rows = min(max(self.count(), 1), _ROWS_SHOWN)
        height = self.sizeHintForRow(0) if self.count() else self.fontMetrics().height() + 4
        return QSize(super().sizeHint().width(), rows * height + 2 * self.frameWidth() + 2)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 (Qt's name)
        """See :meth:`sizeHint`."""
        return QSize(0, self.sizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 (Qt's name)
        """The current object stays in sight, as when its step is opened and there is less room than before."""
        super().resizeEvent(event)
        self.scrollToItem(self.currentItem())

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 (Qt's name)
        """Delete removes the current object; undo brings it back."""
        if event.key() == Qt.Key.Key_Delete:
            self._prompts.remove(self.currentRow())
        else:
            super().keyPressEvent(event)

    def _refresh(self) -> None:
        """Show the objects; rows stay where they can, so that a name being edited is not lost."""
        self.blockSignals(True)
        while self.count() > len(self._prompts):
            self.takeItem(self.count() - 1)
        for row, prompt in enumerate(self._prompts.objects):
            if row == self.count():
                self.addItem(_item())
            _show(self.item(row), prompt)
        self.setCurrentRow(self._prompts.current)
        self.scrollToItem(self.currentItem())  # Qt does it by a signal, and they are blocked
        self.blockSignals(False)
        self.setVisible(self.count() > 0)
        self.updateGeometry()

    def _on_item(self, item: QListWidgetItem) -> None:
        row = self.row(item)
        self._prompts.set_compared(row, item.checkState() == Qt.CheckState.Checked)
        self._prompts.rename(row, item.text())
        self._refresh()


def _item() -> QListWidgetItem:
    item = QListWidgetItem()
    item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable | Qt.ItemFlag.ItemIsEditable)
    return item


def _show(item: QListWidgetItem, prompt: DrawnObject) -> None:
    swatch = QPixmap(_ICON_PIXELS, _ICON_PIXELS)
    swatch.fill(QColor(prompt.colour))
    item.setIcon(QIcon(swatch))
    item.setText(prompt.name)
    item.setCheckState(Qt.CheckState.Checked if prompt.compared else Qt.CheckState.Unchecked)
