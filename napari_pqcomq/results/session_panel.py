"""Saving what was compared as a session, opening one again, and moving the boxes as a yardstick."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qtpy.QtCore import QUrl, Signal
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QLabel, QPushButton, QSpinBox, QVBoxLayout, QWidget

from napari_pqcomq.translation import tr
from pqcomq.comparison.box_perturbation import SHIFT_PIXELS

_MOST_PIXELS = 50
_EXPLANATION = tr(
    "A session is a folder: report.html to read and send, tables, masks and weights. It holds no patient data and not "
    "the volume, which is known by its voxels. “pqcomq replay” runs it again."
)


class SessionPanel(QWidget):
    """Buttons, and a line that says what came of them; the work is done by the listeners of its signals.

    Attributes:
        save_requested: emitted with the folder to be made.
        open_requested: emitted with the folder of a session.
        jitter_requested: emitted with the pixels by which the boxes are to be moved at the most.
    """

    save_requested = Signal(Path)
    open_requested = Signal(Path)
    jitter_requested = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.jitter_button, self.pixels = QPushButton(tr("Move the boxes by ±")), QSpinBox()
        self.pixels.setRange(1, _MOST_PIXELS)
        self.pixels.setValue(SHIFT_PIXELS)
        self.pixels.setSuffix(" px")
        self.pixels.setToolTip(tr("Each edge of a box is moved by up to this many pixels of the volume, either way."))
        self.jitter_button.setToolTip(
            tr(
                "Runs full precision on eight boxes beside each of yours: how much does the prompt change, against "
                "what quantization changes? The answer goes into the plots and the report."
            )
        )
        self.save_button, self.open_button = (
            QPushButton(tr("Save session and report…")),
            QPushButton(tr("Open session…")),
        )
        self.page_button = QPushButton(tr("Show the report"))
        self.message = QLabel(_EXPLANATION)
        self.message.setWordWrap(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 0)
        row = QHBoxLayout()
        row.addWidget(self.jitter_button, 1)
        row.addWidget(self.pixels)
        column.addLayout(row)
        for widget in (self.save_button, self.page_button, self.open_button, self.message):
            column.addWidget(widget)
        self._page: Path | None = None
        self.jitter_button.clicked.connect(lambda: self.jitter_requested.emit(self.pixels.value()))
        self.save_button.clicked.connect(self._ask_save)
        self.open_button.clicked.connect(self._ask_open)
        self.page_button.clicked.connect(self._show_page)
        self.page_button.setVisible(False)
        self.jitter_button.setEnabled(False)
        self.save_button.setEnabled(False)

    def offer(self, *, move: bool, save: bool) -> None:
        """Another comparison, which has not been saved, or none.

        Args:
            move: whether its boxes can be moved.
            save: whether it can be saved.
        """
        self.jitter_button.setEnabled(move)
        self.save_button.setEnabled(save)
        self.page_button.setVisible(False)
        self.message.setText(_EXPLANATION)

    def show_message(self, text: str, page: Path | None = None) -> None:
        """Say what came of a button, and offer a report if one was written."""
        self.message.setText(text)
        self._page = page
        self.page_button.setVisible(page is not None)
        self.updateGeometry()

    def preferences(self) -> dict[str, str]:
        """What is remembered from one session to the next."""
        return {"jitter pixels": str(self.pixels.value())}

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Take over what was remembered."""
        pixels = str(kept.get("jitter pixels", ""))
        if pixels.isdigit():
            self.pixels.setValue(int(pixels))

    def _ask_save(self) -> None:
        path, _filter = QFileDialog.getSaveFileName(self, tr("Folder of the session, to be made"), "session")
        if path:
            self.save_requested.emit(Path(path))

    def _ask_open(self) -> None:
        path = QFileDialog.getExistingDirectory(self, tr("Folder of a session"))
        if path:
            self.open_requested.emit(Path(path))

    def _show_page(self) -> None:
        if self._page is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._page)))
