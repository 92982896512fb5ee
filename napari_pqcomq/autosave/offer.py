"""Work that was interrupted: the user is asked whether to go on with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from napari.components import ViewerModel
from napari.layers import Layer
from napari.utils.notifications import show_info, show_warning
from qtpy.QtCore import QObject, Signal

from napari_pqcomq.autosave.recorded_layers import lies_on, restored_layer
from napari_pqcomq.autosave.recorder import Recorder
from napari_pqcomq.jobs.comparing.kept_work import voxels_key
from napari_pqcomq.jobs.progress.times import moment
from napari_pqcomq.jobs.running.job_runner import JobRunner
from napari_pqcomq.layers.volume_layers import volume_of
from napari_pqcomq.prompts.objects.drawn_object import DrawnObject
from napari_pqcomq.prompts.objects.merging import asks_alike, merged
from napari_pqcomq.prompts.objects.prompt_list import PromptList
from napari_pqcomq.translation import tr, trn
from napari_pqcomq.widgets.dock.question_bar import QuestionBar
from pqcomq.autosave.shelf import FoundWork
from pqcomq.autosave.work import KeptLabels, UnfinishedWork
from pqcomq.errors import InputError
from pqcomq.progress import Progress, Steps
from pqcomq.volumes.path_checks import is_there
from pqcomq.volumes.volume import Volume


@dataclass(frozen=True, eq=False)
class ReadMasksJob:
    """Read the masks of unfinished work.

    Attributes:
        work: that was found.
        shape: (z, y, x) of its volume.
    """

    work: UnfinishedWork
    shape: tuple[int, int, int]

    def steps(self) -> Steps[list[tuple[KeptLabels, np.ndarray]]]:
        """The work.

        Raises:
            InputError: masks are missing, damaged, or of another shape.
        """
        read = []
        for index, each in enumerate(self.work.layers):
            yield Progress(index, len(self.work.layers), tr("Reading “{name}”", name=each.name))
            labels = each.voxels()
            if labels.shape != self.shape:
                raise InputError(tr("The masks of the unfinished session do not fit its volume."))
            read.append((each, labels))
        return read


class Offer(QObject):
    """Asks, and brings back what the user wants to go on with.

    Args:
        viewer: napari's viewer or the proxy that plugins get.
        recorder: knows the open volume, and goes on writing.
        objects: take the boxes.
        question: asks.
        jobs: reads masks.
        open_path: opens a volume.
        with_comparison: gives the objects that come back with the open volume's last comparison, where there is one.
        parent: Qt parent.

    Attributes:
        resumed: emitted with the work after its boxes and masks are back.
        asked: emitted after the user was asked or told.
    """

    resumed = Signal(object)
    asked = Signal()
    _found = Signal(list, list)

    def __init__(
        self,
        viewer: ViewerModel,
        recorder: Recorder,
        objects: PromptList,
        question: QuestionBar,
        jobs: JobRunner,
        open_path: Callable[[Path], None],
        with_comparison: Callable[[], tuple[DrawnObject, ...]],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._viewer, self._recorder, self._objects = viewer, recorder, objects
        self._question, self._jobs, self._open_path = question, jobs, open_path
        self._with_comparison = with_comparison
        self._accepted: FoundWork | None = None  # its volume is being opened
        self._is_start = True
        self._asked_about = ""  # key of the volume that the question is about
        self._unanswered: tuple[FoundWork, Callable[[], None]] | None = None  # in sight, or put off
        recorder.arrived.connect(self.look)
        self._found.connect(self._on_found)

    def look(self) -> None:
        """Look for work in the background, on the open volume or, at the start, on any."""
        if self._asked_about:
            self._asked_about, self._unanswered = "", None
            self._question.withdraw(self)
        if self._recorder.desk is not None:
            self._recorder.desk.look(lambda found, notes: self._found.emit(found, notes))

    def put_off(self) -> None:
        """A comparison is on screen: the user is at work, and is not asked meanwhile."""
        self._question.withdraw(self)

    def take_up(self) -> None:
        """The comparison is closed: ask again what was not answered, unless all of it is here by now."""
        if self._unanswered is None:
            return
        found, go_on = self._unanswered
        if found.work.key == self._recorder.key:
            self._on_work_here([found])
        else:
            self._ask(found, go_on)

    def _on_found(self, found: list[FoundWork], notes: list[str]) -> None:
        for sentence in notes:
            show_warning(sentence)
        is_start, self._is_start = self._is_start, False
        if self._recorder.volume is not None:
            here = [each for each in found if each.work.key == self._recorder.key and each.work]
            if here:
                self._on_work_here(here)
        elif is_start:
            killed = [each for each in found if each.work and not each.work.is_closed]
            if killed:
                self._ask_at_start(killed[0])

    def _on_work_here(self, here: list[FoundWork]) -> None:
        """Go on with what the user has said yes to, else with the newest, which is asked about."""
        accepted, self._accepted = self._accepted, None
        chosen = [each for each in here if accepted is not None and each.folder == accepted.folder]
        found = here[0]
        if chosen:
            self._resume(chosen[0])
        elif self._is_all_here(found.work):
            self._unanswered = None
            self._recorder.go_on(found)  # the dock was closed and opened again
        else:
            self._asked_about = self._recorder.key
            self._unanswered = found, lambda: self._resume(found)
            if not self._is_all_here(found.work, self._with_comparison()):  # else that is offered, which brings more
                self._ask(*self._unanswered)

    def _ask_at_start(self, found: FoundWork) -> None:
        path = found.work.path
        if path is not None and is_there(path):
            self._ask(found, lambda: self._reopen(found, path))
        else:
            place = tr("It was made in memory") if path is None else tr("It is no longer at {path}", path=path)
            show_info(
                tr(
                    "{told} waits for its volume. {place}; open it, and the session is offered.",
                    told=_told(found.work),
                    place=place,
                )
            )
            self.asked.emit()

    def _ask(self, found: FoundWork, go_on: Callable[[], None]) -> None:
        def answered(action: Callable[[], None]) -> None:
            self._unanswered = None
            action()

        self._unanswered = found, go_on
        self._question.ask(
            self,
            f"{_told(found.work)}.",
            (
                (
                    tr("Go on"),
                    tr("Bring its boxes, masks and settings back, and go on where it was interrupted."),
                    lambda: answered(go_on),
                ),
                (
                    tr("Discard"),
                    tr("Delete what was kept of it; nothing that you saved yourself is touched."),
                    lambda: answered(lambda: self._discard(found)),
                ),
            ),
        )
        self.asked.emit()

    def _discard(self, found: FoundWork) -> None:
        if self._recorder.desk is not None:
            self._recorder.desk.discard(found)
            if self._recorder.volume is not None:
                self.look()  # of the same volume there may be an earlier one

    def _reopen(self, found: FoundWork, path: Path) -> None:
        self._accepted = found
        self._open_path(path)
        opened = [volume for layer in self._viewer.layers if (volume := volume_of(layer)) is not None]
        if found.work.key not in map(voxels_key, opened):  # else it is the chosen one soon, or the user is asked
            self._accepted = None
            show_warning(
                tr(
                    "{path} is not the volume of the unfinished session any more, or was not opened; the session is "
                    "kept and offered when its volume is open.",
                    path=path.name,
                )
            )

    def _resume(self, found: FoundWork) -> None:
        volume = self._recorder.volume
        if volume is None or self._recorder.key != found.work.key:
            return
        if self._jobs.is_running:
            show_info(tr("Wait for what is running now, or cancel it."))
            self._on_work_here([found])  # a question that was answered is gone
            return

        def take(read: list[tuple[KeptLabels, np.ndarray]]) -> None:
            if self._recorder.volume is not volume:
                return
            for kept, labels in read:
                present = [layer for layer in self._layers_on(volume) if layer.name == kept.name]
                if not any(np.array_equal(layer.data, labels) for layer in present):  # newer ones may be called so
                    self._viewer.add_layer(restored_layer(kept, labels, volume))
            self._objects.load(merged(prompts_of(found.work), self._objects.objects), _current(found.work))
            self._recorder.go_on(found)
            self.resumed.emit(found.work)

        self._jobs.start(
            ReadMasksJob(found.work, volume.grid.shape_zyx).steps, take, tr("Reading the unfinished session…")
        )

    def _is_all_here(self, work: UnfinishedWork, besides: tuple[DrawnObject, ...] = ()) -> bool:
        """Whether everything of some work is in the window already, or among further objects."""
        here = {(each.number, each.name): each for each in (*besides, *self._objects.objects)}
        volume = self._recorder.volume
        names = set() if volume is None else {layer.name for layer in self._layers_on(volume)}
        asked = [(here.get((each.number, each.name)), each) for each in prompts_of(work)]
        are_here = all(present is not None and asks_alike(present, each) for present, each in asked)
        return are_here and {each.name for each in work.layers} <= names

    def _layers_on(self, volume: Volume) -> list[Layer]:
        """Those of the volume: another one's may have the same names."""
        return [layer for layer in self._viewer.layers if lies_on(layer, volume)]


def prompts_of(work: UnfinishedWork) -> tuple[DrawnObject, ...]:
    """The boxes as the dock has them."""
    return tuple(
        replace(DrawnObject.of(each.number, each.name, each.prompt), compared=each.compared) for each in work.objects
    )


def _current(work: UnfinishedWork) -> int | None:
    return work.current if 0 <= work.current < len(work.objects) else None


def _told(work: UnfinishedWork) -> str:
    """Whose, from when, and how much, e.g. ``"An unfinished session on CT (ct.nii.gz) from 14:02, 2 objects"``."""
    name = "" if work.path is None else f" ({work.path.name})"
    parts = [
        trn("{count} object", "{count} objects", len(work.objects)) if work.objects else "",
        trn("{count} layer of masks", "{count} layers of masks", len(work.layers)) if work.layers else "",
    ]
    held = tr(" and ").join(part for part in parts if part)
    of = {"CT": "CT", "MR": "MR"}.get(work.modality, tr("a volume"))
    return tr(
        "An unfinished session on {of}{name} from {time}, with {held}",
        of=of,
        name=name,
        time=moment(work.saved),
        held=held,
    )
