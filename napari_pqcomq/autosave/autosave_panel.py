"""The switch that keeps unfinished work on disk, and the button that deletes all of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox, QLabel, QMessageBox, QPushButton, QVBoxLayout, QWidget

from napari_pqcomq.translation import tr
from pqcomq.autosave.places import FOLDER_VARIABLE, MOST_BYTES, MOST_SESSIONS


class AutosavePanel(QWidget):
    """One switch, on by default, and one button.

    Args:
        folder: of all that is kept; None where the environment switches it off.
        parent: Qt parent.

    Attributes:
        changed: emitted with the switch's new state.
        delete_requested: emitted when all is to be deleted; the user was asked.
    """

    changed = Signal(bool)
    delete_requested = Signal()

    def __init__(self, folder: Path | None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.switch = QCheckBox(tr("Keep unfinished work on this computer"))
        self.switch.setChecked(folder is not None)
        self.switch.setEnabled(folder is not None)
        self.switch.setToolTip(
            tr(
                "Boxes, kept and corrected masks and quantized weights are written as they come, and offered again "
                "after the window was closed or killed."
            )
        )
        self.delete_button = QPushButton(tr("Delete all that is kept…"))
        self.delete_button.setToolTip(
            tr("Delete unfinished sessions and quantized weights; files that you saved stay.")
        )
        self.told = QLabel(_told(folder))
        self.told.setWordWrap(True)
        self.told.setEnabled(False)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for widget in (self.switch, self.delete_button, self.told):
            column.addWidget(widget)
        self.delete_button.setEnabled(folder is not None)
        self.switch.toggled.connect(self.changed)
        self.delete_button.clicked.connect(self._ask)

    @property
    def is_on(self) -> bool:
        """Whether work is to be kept."""
        return self.switch.isEnabled() and self.switch.isChecked()

    def preferences(self) -> dict[str, str]:
        """What is remembered from one session to the next."""
        return {"autosave": "on" if self.switch.isChecked() else "off"} if self.switch.isEnabled() else {}

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Take over what was remembered."""
        if self.switch.isEnabled():
            self.switch.setChecked(kept.get("autosave", "on") != "off")

    def _ask(self) -> None:
        answer = QMessageBox.question(
            self,
            tr("Delete all that is kept"),
            tr("Delete all unfinished sessions and quantized weights kept on this computer?"),
        )
        if answer == QMessageBox.StandardButton.Yes:
            self.delete_requested.emit()


def _told(folder: Path | None) -> str:
    if folder is None:
        return tr("Switched off by {variable}.", variable=FOLDER_VARIABLE)
    return tr(
        "The newest {sessions} sessions and {gigabytes:g} GB, in {folder}. Names of files and objects "
        "are kept with them, nothing else that tells a patient.",
        sessions=MOST_SESSIONS,
        gigabytes=MOST_BYTES / 1e9,
        folder=folder,
    )
