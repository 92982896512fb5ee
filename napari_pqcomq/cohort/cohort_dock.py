"""What napari opens as *Cohort*."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from napari_pqcomq.jobs.models.triton_guard import keep_triton_out
from napari_pqcomq.translation import tr
from napari_pqcomq.widgets.dock.late_dock import LateDock

if TYPE_CHECKING:
    from napari_pqcomq.cohort.cohort_widget import CohortWidget


class CohortDock(LateDock):
    """The dock *Cohort*; its parts are imported in a thread."""

    parts: CohortWidget | None
    module = "napari_pqcomq.cohort.cohort_widget"
    waiting_text = tr("Loading the models' code, once in each napari session.")

    def before_import(self) -> None:
        """Scoring brings torchvision along, and that triton."""
        keep_triton_out()

    def make_parts(self) -> tuple[CohortWidget, Iterator[None]]:
        """The dock's parts, complete."""
        from napari_pqcomq.cohort.cohort_widget import CohortWidget

        return CohortWidget(self.viewer), iter(())

    def release_parts(self) -> None:
        """Stop a run: in a dock that is closed nobody could see or cancel it."""
        if self.parts is not None:
            self.parts.jobs.abandon()
            self.leave_window()

    def leave_window(self) -> None:
        """The same where the whole window goes, and with it what could tell."""
        if self.parts is not None:
            self.parts.release()
