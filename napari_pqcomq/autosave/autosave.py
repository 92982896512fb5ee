"""Puts recording, offering and the switch together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from napari.components import ViewerModel
from napari.utils.notifications import show_info, show_warning
from qtpy.QtCore import QObject, Signal

from napari_pqcomq.autosave.autosave_panel import AutosavePanel
from napari_pqcomq.autosave.desk import Desk
from napari_pqcomq.autosave.offer import Offer
from napari_pqcomq.autosave.recorder import Recorder
from napari_pqcomq.jobs.comparing.kept_work import KeptWork, volume_key
from napari_pqcomq.jobs.running.job_runner import JobRunner
from napari_pqcomq.prompts.objects.drawn_object import DrawnObject
from napari_pqcomq.prompts.objects.prompt_list import PromptList
from napari_pqcomq.results.held.result_store import ResultStore
from napari_pqcomq.setup.volume_panel import VolumePanel
from napari_pqcomq.translation import tr
from napari_pqcomq.widgets.dock.question_bar import QuestionBar
from pqcomq.autosave.kept_weights import KeptWeights
from pqcomq.autosave.shelf import Shelf


class Autosave(QObject):
    """Unfinished work on disk, for one dock.

    Args:
        viewer: napari's viewer or the proxy that plugins get.
        volume: the panel that knows the open one.
        objects: the boxes.
        store: the comparison, and what was corrected on it.
        question: asks whether to go on.
        jobs: reads masks.
        panel: the switch.
        folder: of all that is kept; None for nowhere.
        settings: gives the controls' choices.
        kept: what outlives the dock; quantized weights go to the disk where the switch is on, and what the last
            comparison of the open volume brings back is not offered twice.
        parent: Qt parent.

    Attributes:
        recorder: writes.
        offer: asks.
    """

    _deleted = Signal(float)

    def __init__(
        self,
        viewer: ViewerModel,
        volume: VolumePanel,
        objects: PromptList,
        store: ResultStore,
        question: QuestionBar,
        jobs: JobRunner,
        panel: AutosavePanel,
        folder: Path | None,
        settings: Callable[[], Mapping[str, str]],
        kept: KeptWork,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._is_released = False
        self._panel, self._folder, self._kept = panel, folder, kept
        self.recorder = Recorder(viewer, volume, objects, store, settings, self)
        self.offer = Offer(
            viewer, self.recorder, objects, question, jobs, volume.open, self._objects_of_last_comparison, self
        )
        self.recorder.failed.connect(show_warning)
        self._deleted.connect(self._tell_deleted)
        panel.delete_requested.connect(self._delete_all)

    def start(self) -> None:
        """Begin: the switch is what the user left it at."""
        self._panel.changed.connect(self._on_switch)
        self._on_switch()
        if self.recorder.desk is not None:
            self.recorder.desk.tidy()
        self.recorder.begin()

    def release(self) -> None:
        """Write what there is, and stop listening; once."""
        if not self._is_released:
            self._is_released = True
            self.recorder.release()

    def _objects_of_last_comparison(self) -> tuple[DrawnObject, ...]:
        volume = self.recorder.volume
        found = None if volume is None else self._kept.result(volume_key(volume))
        return () if found is None else found.prompts

    def _on_switch(self) -> None:
        folder = self._folder if self._panel.is_on else None
        self._kept.on_disk = None if folder is None else KeptWeights(folder)
        self.recorder.set_desk(None if folder is None else Desk(Shelf(folder), self.recorder.refuse))

    def _delete_all(self) -> None:
        desk = self.recorder.desk
        if desk is not None:
            desk.delete_all(lambda count: self._deleted.emit(float(count)))
        elif self._folder is not None:  # switched off: what was kept before
            shelf = Shelf(self._folder)
            before = shelf.bytes()
            shelf.delete_all()
            self._tell_deleted(float(before - shelf.bytes()))

    def _tell_deleted(self, count: float) -> None:
        show_info(tr("Deleted {megabytes:.1f} MB of unfinished work and quantized weights.", megabytes=count / 1e6))
