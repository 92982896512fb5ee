"""The dock *Cohort*: a data set, the models, the run, and what it has shown."""

from __future__ import annotations

from pathlib import Path

import napari
from napari.utils.notifications import show_error
from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from napari_pqcomq.cohort.case_opening import show_case
from napari_pqcomq.cohort.cohort_jobs import (
    CohortJob,
    CohortOutcome,
    FindCasesJob,
    OpenCaseJob,
    OpenedCase,
    ReadOutcomeJob,
)
from napari_pqcomq.cohort.data_set_panel import DataSetPanel
from napari_pqcomq.cohort.models_panel import ModelsPanel
from napari_pqcomq.cohort.results_panel import CohortResultsPanel
from napari_pqcomq.jobs.running.job_runner import JobRunner
from napari_pqcomq.translation import tr
from napari_pqcomq.widgets.controls.focus_ring import show_focus
from napari_pqcomq.widgets.controls.wheel_guard import WheelGuard
from napari_pqcomq.widgets.napari_window.message_log import make_copyable
from pqcomq.cohort.cases.case import CaseList
from pqcomq.cohort.packages import check_installed
from pqcomq.errors import InputError
from pqcomq.research_only import RESEARCH_ONLY

_HINT = tr(
    "Choose a data set and weights, then Run: each slice and each organ is prompted with its label's own box, in this "
    "process, one case after the other. Cancel keeps what is done, and Run goes on from there; so does pqcomq cohort."
)


_WIDTH = 380
"""Pixels that the forms need."""


class CohortWidget(QWidget):
    """Puts the dock together and knows the order of its work.

    Args:
        napari_viewer: given by napari.

    Attributes:
        data_set: which cases.
        models: which weights, and how they are prompted.
        results: what was found.
        jobs: runs the work in the background.
        outcome: of the newest run; None before.
    """

    def __init__(self, napari_viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self._viewer = napari_viewer
        self.outcome: CohortOutcome | None = None
        self._scoring: CohortJob | None = None
        self.data_set, self.models, self.results = DataSetPanel(), ModelsPanel(), CohortResultsPanel()
        self.jobs = JobRunner()
        self.run_button = QPushButton(tr("Run"))
        self.run_button.setToolTip(
            tr("Score full precision and the quantized weights on every case that is not done yet.")
        )
        self._lay_out()
        self.data_set.chosen.connect(self.find_cases)
        self.data_set.case_requested.connect(self.open_case)
        self.models.changed.connect(self._refresh)
        self.run_button.clicked.connect(self.run)
        self.jobs.running.connect(self._on_running)
        self.results.tabs.currentChanged.connect(lambda _place: self._bring(self.results.tabs))
        napari_viewer.events.theme.connect(self._on_theme)
        self._on_theme()
        self._refresh()

    def release(self) -> None:
        """End what runs after its step; cases that are done are kept, and Run goes on from there."""
        self._scoring = None
        self.jobs.cancel()
        self._viewer.events.theme.disconnect(self._on_theme)

    def find_cases(self, dataset: Path) -> None:
        """Look through a data set in the background."""

        def take(found: CaseList) -> None:
            self.outcome = None
            self.results.setVisible(False)
            self.data_set.show_found(found, dataset.name)
            self.models.set_folder(dataset.with_name(f"{dataset.stem}-cohort"))

        self.jobs.start(FindCasesJob(dataset).steps, take, tr("Looking for cases in {dataset}…", dataset=dataset.name))

    def run(self) -> None:
        """Score all cases that are not done yet."""
        found, folder = self.data_set.found, self.models.folder
        if found is None or folder is None:
            return
        choice = self.models.choice.value
        try:
            check_installed()
            job = CohortJob(
                found,
                self.models.weights,
                self.models.protocol,
                choice.runtime,
                folder,
                choice.margin,
                choice.modality.modality,
            )
        except InputError as error:
            show_error(str(error))
            return
        self._scoring = job
        self.jobs.start(job.steps, self._show, tr("Loading the models…"))

    def open_case(self, name: str) -> None:
        """Open a scored case on its worst slice, with the comparison there."""
        outcome = self.outcome
        if outcome is None or name not in outcome.worst or self.jobs.is_running:
            return
        job = OpenCaseJob(outcome.result, name, outcome.worst[name])

        def take(opened: OpenedCase) -> None:
            show_case(self._viewer, opened)

        self.jobs.start(job.steps, take, tr("Opening {name}…", name=name))

    def _lay_out(self) -> None:
        hint, note = QLabel(_HINT), QLabel(RESEARCH_ONLY)
        hint.setWordWrap(True)
        note.setWordWrap(True)
        note.setEnabled(False)
        inner = QWidget()
        column = QVBoxLayout(inner)
        for part in (self.data_set, self.models, hint, self.run_button, self.jobs, self.results, note):
            column.addWidget(part)
        column.addStretch(1)
        self._area = area = QScrollArea()
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        inner.setMinimumWidth(0)
        self.setMinimumWidth(_WIDTH)
        area.setWidget(inner)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(area)
        show_focus(self)
        make_copyable(self)
        WheelGuard(self)

    def _show(self, outcome: CohortOutcome | None) -> None:
        if outcome is None:
            return
        self.outcome = outcome
        self.data_set.show_states(outcome.states, outcome.worst)
        self.results.show_outcome(outcome)
        self._bring(self.results.tabs)

    def _on_theme(self, event: object = None) -> None:
        self.results.set_dark(self._viewer.theme != "light")

    def _bring(self, part: QWidget) -> None:
        """Scroll to a part that appears below what is in sight, once it has its place."""
        QTimer.singleShot(0, part, lambda: self._area.ensureWidgetVisible(part))

    def _on_running(self, running: bool) -> None:
        if not running:
            ended, self._scoring = self._scoring, None  # also one that has failed: the next to be cancelled is no run
            if ended is not None and self.jobs.was_cancelled:
                read = ReadOutcomeJob(ended.folder, ended.margin)
                self.jobs.start(read.steps, self._show, tr("Reading what is done…"))
        self._refresh()
        if running:
            self._bring(self.jobs)

    def _refresh(self) -> None:
        """Bring the buttons in line with what can be done now."""
        is_free = not self.jobs.is_running
        self.data_set.offer(is_free)
        self.models.setEnabled(is_free)
        ready = self.data_set.found is not None and bool(self.models.weights)
        self.run_button.setEnabled(is_free and ready)
