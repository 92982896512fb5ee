"""A model whose weights are not on this machine: what is to be known of it, and both ways to get it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from napari.utils.notifications import show_error, show_info
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFileDialog, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_pqcomq.jobs.models.model_fetch_jobs import Transfer, fetch, take_over
from napari_pqcomq.jobs.running.one_off import one_off
from napari_pqcomq.setup.model_facts import size_title
from napari_pqcomq.setup.told_bytes import telling_transfer
from napari_pqcomq.translation import tr
from napari_pqcomq.widgets.controls.calm_bar import CalmBar
from napari_pqcomq.widgets.controls.rows import row
from pqcomq.models.catalogue.entries import entry_of
from pqcomq.models.catalogue.model_store import bytes_so_far, stored_checkpoint

_MEGABYTE = 1e6
_LINK = "#7CC4F0"
"""Qt's own blue is not legible on napari's dark ground."""
_TAKE_OVER = tr("Take over a file…")
CHECKPOINT_FILES = tr("Checkpoints (*.pth *.pt *.safetensors);;All files (*)")


class ModelFetch(QWidget):
    """Licence, size and the buttons; while a download runs, how far it is.

    A download goes on while another model is looked at. Pressing the button that names the licence accepts it; what was
    fetched in part is continued without asking again.

    Args:
        parent: Qt parent.

    Attributes:
        arrived: emitted with the model's key when its weights are there.
    """

    arrived = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._key, self._fetching = "", ""
        self._worker: Any = None
        self._transfer: Transfer | None = None
        self._problems: dict[str, str] = {}
        self.facts, self.problem, self.bar = QLabel(), QLabel(), CalmBar()
        for label in (self.facts, self.problem):
            label.setWordWrap(True)
        self.facts.setOpenExternalLinks(True)
        self.fetch_button, self.import_button = QPushButton(), QPushButton(_TAKE_OVER)
        self.cancel_button = QPushButton(tr("Cancel"))
        self.fetch_button.setToolTip(tr("Accept the licence of the model's weights and fetch them in the background."))
        self.import_button.setToolTip(tr("Choose the checkpoint file that you have; it is checked, then copied."))
        self.cancel_button.setToolTip(tr("Stop; what has come is kept, and the download can go on from there."))
        self.bar.setAccessibleName(tr("Download"))
        self.bar.setToolTip(tr("How much of the checkpoint has come."))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.facts)
        column.addLayout(row(self.fetch_button, self.import_button))
        column.addLayout(row(self.bar, self.cancel_button))
        column.addWidget(self.problem)
        self.fetch_button.clicked.connect(self._fetch)
        self.import_button.clicked.connect(self._import)
        self.cancel_button.clicked.connect(self.cancel)

    @property
    def is_running(self) -> bool:
        """Whether weights are on their way."""
        return self._worker is not None

    def show_model(self, key: str, *, missing: bool) -> None:
        """Show a model, if its weights are missing.

        Args:
            key: of the model.
            missing: neither shipped nor chosen, nor kept on this machine.
        """
        self._key = key
        self.setVisible(missing)
        if missing:
            self._refresh()

    def cancel(self) -> None:
        """Stop the download at its next piece; what has come stays for the next time."""
        if self._transfer is not None:
            self._transfer.cancelled.set()
            self.cancel_button.setEnabled(False)

    def _refresh(self) -> None:
        entry, here = entry_of(self._key), self._fetching == self._key and self.is_running
        so_far, size = bytes_so_far(entry), f" ({size_title(entry.size)})" if entry.size else ""
        self.facts.setText(
            tr(
                '{title}{size} is not on this machine. Licence of its weights: {licence}; <a style="color: {link}" '
                'href="{page}">what its authors say</a>. Trained on {trained_on}.',
                title=entry.title,
                size=size,
                licence=entry.licence,
                link=_LINK,
                page=entry.page,
                trained_on=entry.trained_on,
            )
        )
        self.fetch_button.setText(
            tr(
                "Go on fetching ({so_far:.0f} of {size} are here)",
                so_far=so_far / _MEGABYTE,
                size=size_title(entry.size),
            )
            if so_far
            else tr("Accept licence, fetch {size}", size=size_title(entry.size))
        )
        self.fetch_button.setToolTip(
            tr("Accept {licence} and fetch {file} in the background.", licence=entry.licence, file=entry.file)
        )
        for button in (self.fetch_button, self.import_button):
            button.setVisible(not here and (button is self.import_button or bool(entry.urls)))
            button.setEnabled(not self.is_running)
        self.bar.setVisible(here)
        self.cancel_button.setVisible(here and self._transfer is not None)
        self.problem.setText(self._why_not_now() if self.is_running and not here else self._problems.get(self._key, ""))
        self.problem.setVisible(bool(self.problem.text()))

    def _why_not_now(self) -> str:
        return tr(
            "{title} is on its way; another model can be had once that has ended.", title=entry_of(self._fetching).title
        )

    def _fetch(self) -> None:
        self._transfer = telling_transfer(self._show_bytes)
        self.bar.setRange(0, 0)
        self.cancel_button.setEnabled(True)
        self._start(fetch, self._key, self._transfer)

    def _import(self) -> None:
        entry = entry_of(self._key)  # while it is asked, a job may end that shows another model
        chosen, _filter = QFileDialog.getOpenFileName(self, f"{entry.title}: {entry.file}", "", CHECKPOINT_FILES)
        if chosen:
            self._transfer = None
            self.bar.setRange(0, 0)
            self._start(take_over, entry.key, Path(chosen))

    def _start(self, work: Callable[..., str], key: str, *more: object) -> None:
        self._fetching = key
        self._problems.pop(key, None)
        self._worker = worker = one_off(work, key, *more)
        if self._transfer is not None:
            self._transfer.is_abandoned = lambda: worker.abort_requested  # napari asks it as it quits, and waits
        self._worker.returned.connect(partial(_tell, key))  # also where the dock is closed by then
        self._worker.returned.connect(self._take)
        self._worker.errored.connect(lambda _error: self._take(""))  # napari's worker has already shown it
        self._worker.start()
        self._refresh()

    def _take(self, problem: str) -> None:
        key, self._worker, self._transfer = self._fetching, None, None
        if problem:
            self._problems[key] = _with_way(problem)
        if stored_checkpoint(key) is not None:
            self.arrived.emit(key)
        if stored_checkpoint(self._key) is None:
            self._refresh()

    def _show_bytes(self, done: float, total: float) -> None:
        self.bar.setRange(0, 1000)
        self.bar.setValue(int(1000 * done / total) if total else 0)
        self.bar.setFormat(
            tr("{done:.0f} of {total:.0f} MB", done=done / _MEGABYTE, total=total / _MEGABYTE) if total else ""
        )


def _with_way(problem: str) -> str:
    """What went wrong, and what can be done about it here."""
    return tr("{problem} Here: “{button}”.", problem=problem, button=_TAKE_OVER)


def _tell(key: str, problem: str) -> None:
    """Say what has become of a model's weights; neither, where the download was cancelled."""
    if problem:
        show_error(_with_way(problem))
    elif stored_checkpoint(key) is not None:
        show_info(tr("The weights of {title} are on this machine now.", title=entry_of(key).title))
