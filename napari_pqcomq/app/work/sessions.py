"""Sessions: saved, opened again on their volume, and boxes moved to see how much depends on them."""

from __future__ import annotations

from pathlib import Path

from napari.utils.notifications import show_error, show_info, show_warning

from napari_pqcomq.app.panels.panels import Panels
from napari_pqcomq.app.work.workflow import Workflow
from napari_pqcomq.jobs.comparing.kept_work import volume_key
from napari_pqcomq.jobs.comparing.session_jobs import JitterJob, OpenedSession, OpenSessionJob, SaveSessionJob
from napari_pqcomq.jobs.models.choices import ModelChoice
from napari_pqcomq.layers.volume_layers import shown_name
from napari_pqcomq.prompts.objects.drawn_object import DrawnObject
from napari_pqcomq.prompts.objects.merging import merged
from napari_pqcomq.translation import tr, trn
from pqcomq.comparison.box_perturbation import BoxJitter, BoxMovement
from pqcomq.session.file_names import PAGE
from pqcomq.session.session import Session


class Sessions:
    """Joins the session's panel to the work flow.

    Args:
        panels: of the dock.
        workflow: of the dock.
    """

    def __init__(self, panels: Panels, workflow: Workflow) -> None:
        self._panels, self._workflow = panels, workflow
        panels.store.changed.connect(self._on_result)
        panels.session.jitter_requested.connect(self.move_boxes)
        panels.session.save_requested.connect(self.save)
        panels.session.open_requested.connect(self.open)

    def save(self, folder: Path) -> None:
        """Write the comparison that the tabs show as a session, in the background."""
        panels, store = self._panels, self._panels.store
        result = store.result
        if result is None or self._has_to_wait():
            return
        kept, is_corrected = result.with_jitters(store.jitters), bool(store.corrections)
        job = SaveSessionJob(kept, panels.gate.tolerance, store.finished_reading, folder)

        def saved(paths: list[Path]) -> None:
            told = trn(
                "Saved {count} file in {folder}.", "Saved {count} files in {folder}.", len(paths), folder=folder.name
            )
            if is_corrected:
                told += " " + tr("It holds the models' own masks; Export writes those corrected by hand.")
            panels.session.show_message(told, folder / PAGE)
            show_info(tr("Saved the session {folder}.", folder=folder.name))

        panels.jobs.start(job.steps, saved, tr("Saving the session…"))

    def open(self, folder: Path) -> None:
        """Show a saved session on the open volume, in the background."""
        panels, volume = self._panels, self._panels.volume.volume
        if volume is None:
            show_error(
                tr("Open the volume of the session in {folder} first; a session does not hold it.", folder=folder.name)
            )
            return
        if self._has_to_wait():
            return
        job = OpenSessionJob(folder, volume, panels.model.checkpoints, self._workflow.models)
        panels.jobs.start(job.steps, self._take, tr("Opening {folder}…", folder=folder.name))

    def move_boxes(self, pixels: int) -> None:
        """Run the models again on boxes moved by so many pixels, in the background."""
        result = self._panels.store.result
        if result is None or self._has_to_wait():
            return
        job = JitterJob(result, BoxMovement(pixels), self._workflow.on_screen.embeddings)

        def take(jitters: dict[int, BoxJitter]) -> None:
            if self._panels.store.result is result:
                self._take_jitters(jitters)
                return
            self._workflow.kept.complete(volume_key(result.volume), result, jitters=jitters)
            show_info(
                tr(
                    "The boxes on {name} were moved; “Show the last comparison” brings what came of it when that "
                    "volume is chosen again.",
                    name=shown_name(self._panels.viewer.layers, result.volume),
                )
            )

        self._panels.jobs.start(job.steps, take, tr("Moving the boxes…"))

    def _on_result(self) -> None:
        result = self._panels.store.result
        is_whole = result is not None and all(each.weights is not None for each in result.candidates)
        self._panels.session.offer(move=result is not None, save=is_whole)

    def _take(self, opened: OpenedSession) -> None:
        """Show a session as if it had just been compared."""
        session, panels = opened.session, self._panels
        if session.result.volume is not panels.volume.volume:
            show_warning(tr("The session was not opened: another volume was chosen meanwhile. Open it again."))
            return
        if opened.missing is not None:
            show_warning(
                tr(
                    "The session's figures are shown as recorded; its models run on torch from here: {missing}.",
                    missing=opened.missing,
                )
            )
        key = session.result.reference.segmenter.key
        panels.model.choose_runtime(opened.runtime)
        panels.model.show_loaded(key, *(model.settings for model in session.models))
        panels.model.set_checkpoint(opened.checkpoint)
        self._workflow.weights.take(
            {ModelChoice(key, opened.checkpoint, model.settings): model for model in session.models}
        )
        boxes = tuple(DrawnObject.of(found.number, found.name, found.prompt) for found in session.objects)
        panels.objects.load(merged(boxes, panels.objects.objects), len(boxes) - 1)  # boxes drawn before are not lost
        self._workflow.show_result(session.result, lambda: self._show(session))

    def _show(self, session: Session) -> None:
        """What a session holds beside its result."""
        panels = self._panels
        panels.gate.set_tolerance(session.tolerance)
        self._take_jitters({found.number: found.jitter for found in session.objects if found.jitter is not None})
        if session.reading is not None:
            panels.reader_study.show_finished(session.reading)
        panels.session.show_message(tr("Opened the session of {made} UTC.", made=session.made))

    def _take_jitters(self, jitters: dict[int, BoxJitter]) -> None:
        result = self._panels.store.result
        self._panels.store.set_jitters(jitters)
        if result is not None and jitters:
            found = [each for each in result.objects if each.number in jitters]
            sentences = [jitters[each.number].sentence(each.comparisons) for each in found]
            self._panels.session.show_message("\n\n".join(sentences))

    def _has_to_wait(self) -> bool:
        """Whether something is at work, which is told."""
        if self._workflow.is_busy:
            show_error(tr("Wait for what is running now, or cancel it."))
        return self._workflow.is_busy
