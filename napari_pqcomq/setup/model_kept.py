"""A model whose weights are kept on this machine: checked against what they were when they came, and removed."""

from __future__ import annotations

from typing import Any

from napari.utils.notifications import show_error
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QLabel, QMessageBox, QPushButton, QVBoxLayout, QWidget

from napari_pqcomq.jobs.models.model_fetch_jobs import check
from napari_pqcomq.jobs.running.one_off import one_off
from napari_pqcomq.setup.model_facts import size_title
from napari_pqcomq.translation import tr
from napari_pqcomq.widgets.controls.rows import row
from pqcomq.errors import InputError
from pqcomq.models.catalogue.entries import entry_of
from pqcomq.models.catalogue.model_store import forget, stored_checkpoint


class ModelKept(QWidget):
    """Size of the file and two buttons; below them what a check found.

    Args:
        parent: Qt parent.

    Attributes:
        removed: emitted with the model's key when its weights are gone.
    """

    removed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._key, self._checked = "", ""
        self._worker: Any = None
        self.kept, self.told = QLabel(), QLabel()
        self.told.setWordWrap(True)
        self.check_button, self.remove_button = QPushButton(tr("Verify")), QPushButton(tr("Remove…"))
        self.check_button.setToolTip(
            tr("Read the file again and compare its checksum with that of when it came, and with the published one.")
        )
        self.remove_button.setToolTip(tr("Delete the model's weights from this machine."))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(row(self.kept, self.check_button, self.remove_button))
        column.addWidget(self.told)
        self.check_button.clicked.connect(self._check)
        self.remove_button.clicked.connect(self._remove)

    def show_model(self, key: str, *, kept: bool) -> None:
        """Show a model, if the weights that it would run with are kept on this machine.

        Args:
            key: of the model.
            kept: neither shipped, nor named by a file of the user's own.
        """
        path = stored_checkpoint(key) if kept else None
        self.setVisible(path is not None)
        if path is not None and key != self._key:
            self.kept.setText(tr("{size} here", size=size_title(path.stat().st_size)))
            self.kept.setToolTip(str(path))
            self._say("")
        self._key = key if path is not None else ""

    def _check(self) -> None:
        self._checked = self._key
        self._allow(False)
        self._say(tr("Reading the file…"))
        self._worker = one_off(check, self._key)
        self._worker.returned.connect(self._tell)
        self._worker.errored.connect(lambda _error: self._tell(("", False)))  # napari's worker has already shown it
        self._worker.start()

    def _tell(self, found: tuple[str, bool]) -> None:
        sentence, is_well = found
        self._worker = None
        self._allow(True)
        if not is_well and sentence:
            show_error(sentence)
        if self._checked == self._key:
            self._say(sentence)

    def _remove(self) -> None:
        key = self._key  # while it is asked, a job may end that shows another model
        answer = QMessageBox.question(
            self,
            tr("Remove weights"),
            tr("Delete {title}'s weights from this machine?", title=entry_of(key).title),
        )
        if answer != QMessageBox.StandardButton.Yes:
            return
        try:
            forget(key)
        except InputError as problem:
            show_error(str(problem))
            return
        self.removed.emit(key)

    def _say(self, sentence: str) -> None:
        self.told.setText(sentence)
        self.told.setVisible(bool(sentence))

    def _allow(self, allowed: bool) -> None:
        for button in (self.check_button, self.remove_button):
            button.setEnabled(allowed)
