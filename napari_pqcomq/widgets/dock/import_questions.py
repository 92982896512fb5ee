"""What only the user can decide while a volume is opened: a remedy, a part."""

from __future__ import annotations

from qtpy.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QLabel,
    QListWidget,
    QMessageBox,
    QVBoxLayout,
    QWidget,
)

from napari_pqcomq.translation import tr
from pqcomq.volumes.import_issues import REMEDIES, Remedy, RemedyNeeded
from pqcomq.volumes.volume_choice import PartChoiceNeeded


def ask_remedy(question: RemedyNeeded, name: str, parent: QWidget | None = None) -> Remedy | None:
    """Ask how to open a volume whose geometry is not regular; None if it is rather not to be opened."""
    box = QMessageBox(parent)
    box.setIcon(QMessageBox.Icon.Warning)
    box.setWindowTitle(tr("Geometry"))
    box.setText(f"{name}: {question.finding.sentence}")
    box.setInformativeText(tr("As it is, places and volumes would be wrong. What is done is noted in every export."))
    buttons = {
        box.addButton(_capital(REMEDIES[remedy]), QMessageBox.ButtonRole.AcceptRole): remedy
        for remedy in question.finding.remedies
    }
    cancel = box.addButton(QMessageBox.StandardButton.Cancel)
    box.setDefaultButton(cancel)
    box.exec()
    chosen = next((remedy for button, remedy in buttons.items() if button == box.clickedButton()), None)
    box.deleteLater()
    return chosen


class PartsDialog(QDialog):
    """Which volumes of one file to open; several at once become several layers.

    Args:
        name: of the file.
        parts: what it holds, in words.
        parent: Qt parent.
        only_one: a single one can be chosen.
    """

    def __init__(self, name: str, parts: list[str], parent: QWidget | None = None, *, only_one: bool = False) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Which volume?"))
        self.setMinimumWidth(360)
        self.list = QListWidget()
        mode = QAbstractItemView.SelectionMode
        self.list.setSelectionMode(mode.SingleSelection if only_one else mode.ExtendedSelection)
        self.list.addItems([_capital(part) for part in parts])
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Open | QDialogButtonBox.StandardButton.Cancel)
        opener = self.buttons.button(QDialogButtonBox.StandardButton.Open)
        opener.setEnabled(False)
        layout = QVBoxLayout(self)
        layout.addWidget(QLabel(tr("{name} holds {parts} volumes. Open which?", name=name, parts=len(parts))))
        layout.addWidget(self.list)
        layout.addWidget(self.buttons)
        # The selection, not the current row: Qt makes the first row current as soon as the list has the focus.
        self.list.itemSelectionChanged.connect(lambda: opener.setEnabled(bool(self.chosen)))
        self.list.itemDoubleClicked.connect(lambda _item: self.accept())
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)

    @property
    def chosen(self) -> list[int]:
        """Parts, counted from 1."""
        return sorted(index.row() + 1 for index in self.list.selectedIndexes())


def ask_parts(question: PartChoiceNeeded, name: str, *, only_one: bool = False) -> list[int]:
    """Ask for volumes of one file; empty when the dialog is cancelled."""
    dialog = PartsDialog(name, question.parts, only_one=only_one)
    chosen = dialog.chosen if dialog.exec() else []
    dialog.deleteLater()
    return chosen


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
