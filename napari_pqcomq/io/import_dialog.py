"""Opening DICOM: the list of what a folder holds, found in the background, and the volumes the user picks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from napari.utils.notifications import show_error
from qtpy.QtWidgets import QDialog, QDialogButtonBox, QLabel, QVBoxLayout, QWidget

from napari_pqcomq.io.import_jobs import Found, NothingFound, Order, Outcome, orders_of, read_steps, scan_steps
from napari_pqcomq.io.series_tree import SeriesTree, Wanted
from napari_pqcomq.jobs.running.job_runner import JobRunner
from napari_pqcomq.jobs.running.waiting import wait_out
from napari_pqcomq.translation import tr, trn
from napari_pqcomq.widgets.dock.import_questions import ask_remedy
from pqcomq.errors import InputError
from pqcomq.volumes.import_issues import RemedyNeeded


class ImportDialog(QDialog):
    """Scans, asks, reads; the window stays responsive, and Cancel stops the step under way.

    Args:
        path: a folder, DICOMDIR, zip archive or DICOM file.
        parent: Qt parent.

    Attributes:
        outcomes: what was read, once the dialog is accepted.
        failure: why there was nothing to choose from.
    """

    def __init__(self, path: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Open DICOM"))
        self.resize(1080, 480)
        self._path = path
        self._found: Found | None = None
        self._closed = False
        self.outcomes: list[Outcome] = []
        self.failure: InputError | None = None
        self.title = QLabel(tr("Looking into {path}…", path=path.name))
        self.title.setWordWrap(True)
        self.tree, self.progress = SeriesTree(), JobRunner(with_cancel=False)  # the dialog's own Cancel does it
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Open | QDialogButtonBox.StandardButton.Cancel)
        self.opener = self.buttons.button(QDialogButtonBox.StandardButton.Open)
        self.opener.setEnabled(False)
        layout = QVBoxLayout(self)
        for widget in (self.title, self.tree, self.progress, self.buttons):
            layout.addWidget(widget)
        self.tree.chosen_changed.connect(self._refresh)
        self.tree.itemDoubleClicked.connect(lambda _item, _column: self._open_chosen())
        self.buttons.accepted.connect(self._open_chosen)
        self.buttons.rejected.connect(self.reject)
        self.finished.connect(self._close)
        self.progress.running.connect(lambda _running: self._refresh())

    def run(self) -> bool:
        """Scan and, where there is a question or it takes long, show the dialog; whether volumes were opened."""
        self.progress.start(
            lambda: scan_steps(self._path), self._take_scan, tr("Looking into {path}…", path=self._path.name)
        )
        wait_out(self, lambda: self._closed)
        return bool(self.outcomes)

    def reject(self) -> None:
        """Stop what is under way and close."""
        self.progress.cancel()
        super().reject()

    def _take_scan(self, result: Found | NothingFound) -> None:
        if isinstance(result, NothingFound):
            self.failure = result.reason
            self.reject()
            return
        self._found = result
        self.tree.show_series(result.infos)
        damaged = len(result.scan.damaged)
        count = len(result.infos)
        told = trn(
            "{name} holds {count} series. Choose one or more to open.",
            "{name} holds {count} series. Choose one or more to open.",
            count,
            name=self._path.name,
        )
        if damaged:
            told += " " + trn("{count} damaged file is left out.", "{count} damaged files are left out.", damaged)
        self.title.setText(told)
        if count == 1 and len(result.infos[0].parts) == 1 and not result.infos[0].annotations:
            self._read([Order(Wanted(result.infos[0].uid))])

    def _open_chosen(self) -> None:
        if self.opener.isEnabled():
            self._read(orders_of(self.tree.chosen))

    def _read(self, orders: list[Order]) -> None:
        if self._found is not None and not self._closed:
            scan = self._found.scan
            self.progress.start(lambda: read_steps(scan, orders), self._take_volumes, tr("Reading…"))

    def _take_volumes(self, outcomes: list[Outcome]) -> None:
        again: list[Order] = []
        for outcome in outcomes:
            if isinstance(outcome.problem, RemedyNeeded):
                name = self._name(outcome.order)
                remedy = ask_remedy(outcome.problem, name, self if self.isVisible() else None)
                if remedy is not None:
                    again.append(replace(outcome.order, remedies=(*outcome.order.remedies, remedy)))
                continue
            if outcome.problem is not None:
                show_error(str(outcome.problem))
            if outcome.volume is not None:
                self.outcomes.append(outcome)
        if again:
            self._read(again)
        elif self.outcomes:
            self.accept()
        elif self._found is not None and len(self._found.infos) == 1:
            self.reject()  # there is nothing else to choose

    def _close(self) -> None:
        self._closed = True

    def _name(self, order: Order) -> str:
        infos = self._found.infos if self._found is not None else []
        return next((info.name for info in infos if info.uid == order.wanted.series), tr("The series"))

    def _refresh(self) -> None:
        self.opener.setEnabled(bool(self.tree.chosen) and not self.progress.is_running)
