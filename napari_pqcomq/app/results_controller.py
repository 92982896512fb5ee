"""What the panels of the results area ask for: slices, verdicts, blinded readings, sessions, moved boxes."""

from __future__ import annotations

from pathlib import Path

from napari.utils.notifications import show_error, show_info, show_warning

from napari_pqcomq.app.panels.panels import Panels
from napari_pqcomq.app.workflow import Workflow
from napari_pqcomq.jobs.choices import ModelChoice
from napari_pqcomq.jobs.session_jobs import JitterJob, OpenedSession, OpenSessionJob, SaveSessionJob
from napari_pqcomq.layers.volume_layers import slice_millimetres, voxel_at
from napari_pqcomq.prompts.prompted_object import Prompt
from napari_pqcomq.results.reader_study_panel import Pair
from napari_pqcomq.results.slice_rows import slice_rows
from napari_pqcomq.translation import tr, trn
from napari_pqcomq.viewer.modes.mode_registry import SIDE_BY_SIDE
from napari_pqcomq.viewer.result_panes import plate_lines, plate_marks
from napari_pqcomq.viewer.scene import Pane, Scene
from pqcomq.comparison.box_perturbation import BoxJitter, BoxMovement
from pqcomq.comparison.comparison_result import ObjectComparison
from pqcomq.object_colours import object_colour
from pqcomq.session.file_names import PAGE
from pqcomq.session.session import Session

_NEUTRAL = "#E6E9EE"
"""Of both headings while reading blinded."""


class ResultsController:
    """Joins the panels of the results area to the view and to the work flow.

    Args:
        panels: of the dock.
        workflow: of the dock.
    """

    def __init__(self, panels: Panels, workflow: Workflow) -> None:
        self._panels, self._workflow, self._on_screen = panels, workflow, workflow.on_screen
        self._tabulated: tuple[ObjectComparison, float] | None = None  # what the table of figures is about
        self._connect()
        self._on_theme()
        self._on_tolerance()

    def release(self) -> None:
        """Stop listening to the viewer."""
        viewer = self._panels.viewer
        viewer.dims.events.current_step.disconnect(self._on_slice)
        viewer.events.theme.disconnect(self._on_theme)

    def show_current(self) -> None:
        """Show the current object in the table, on the plates and on the buttons."""
        panels, on_screen = self._panels, self._on_screen
        found, comparison, result = on_screen.current_result(), on_screen.current_comparison(), on_screen.result
        if found is None or comparison is None or result is None:
            panels.view_bar.set_places(None, None)
            is_live = result is not None and panels.view.is_open and not on_screen.is_reading
            panels.slice_strip.blank() if is_live else panels.slice_strip.clear()
            self._tell_subject()
            return
        divergence = comparison.divergence
        panels.view_bar.set_places(comparison.worst_slice, str(divergence) if divergence else None)
        number = found.number
        tolerance = panels.gate.tolerance
        panels.view.set_lines(plate_lines(result, number, tolerance), plate_marks(result, number, tolerance))
        rows = slice_rows(found, tolerance.stability)
        panels.slice_strip.show_rows(rows, result.volume, comparison.worst_slice, object_colour(number))
        self._tabulate(found)
        self._tell_subject()

    def save_session(self, folder: Path) -> None:
        """Write the comparison that the tabs show as a session, in the background."""
        panels, store = self._panels, self._panels.store
        result = store.result
        if result is None or self._is_busy():
            return
        kept = result.with_jitters(store.jitters)
        job = SaveSessionJob(kept, panels.gate.tolerance, store.finished_reading, folder)

        def saved(paths: list[Path]) -> None:
            told = trn(
                "Saved {count} file in {folder}.", "Saved {count} files in {folder}.", len(paths), folder=folder.name
            )
            panels.session.show_message(told, folder / PAGE)
            show_info(tr("Saved the session {folder}.", folder=folder.name))

        panels.jobs.start(job.steps, saved, tr("Saving the session…"))

    def open_session(self, folder: Path) -> None:
        """Show a saved session on the open volume, in the background."""
        panels, volume = self._panels, self._panels.volume.volume
        if volume is None:
            show_error(
                tr("Open the volume of the session in {folder} first; a session does not hold it.", folder=folder.name)
            )
            return
        if self._is_busy():
            return
        job = OpenSessionJob(folder, volume, panels.model.checkpoints, self._workflow.models)
        panels.jobs.start(job.steps, self._take_session, tr("Opening {folder}…", folder=folder.name))

    def _connect(self) -> None:
        panels = self._panels
        panels.store.changed.connect(self._on_result)
        panels.plots.slice_chosen.connect(self._go_to)
        panels.slice_strip.slice_chosen.connect(panels.view.go_to)
        panels.gate.changed.connect(self._on_tolerance)
        panels.reader_study.started.connect(self._begin_reading)
        panels.reader_study.shown.connect(self._show_pair)
        panels.reader_study.ended.connect(self._end_reading)
        panels.session.jitter_requested.connect(self._move_boxes)
        panels.session.save_requested.connect(self.save_session)
        panels.session.open_requested.connect(self.open_session)
        panels.view.closed.connect(panels.reader_study.stop)
        panels.view.closed.connect(panels.slice_strip.clear)
        panels.view.closed.connect(self._tell_subject)
        panels.live.lines_changed.connect(panels.view.set_lines)
        panels.view_bar.candidate_chosen.connect(self.show_current)
        panels.gate.changed.connect(self.show_current)
        self._on_screen.shown.connect(self.show_current)
        # After the live session, which listens since it was made: it knows by then which masks have become live.
        panels.objects.changed.connect(self.show_current)
        panels.viewer.dims.events.current_step.connect(self._on_slice)
        panels.viewer.events.theme.connect(self._on_theme)

    def _on_result(self) -> None:
        """Another comparison is finished."""
        panels, result = self._panels, self._panels.store.result
        if result is None:
            self._tabulated = None
            panels.results.conceal()
            panels.session.offer(move=False, save=False)
            return
        self._tabulate(result.objects[0])
        self._tell_subject()
        panels.results.reveal()
        panels.session.offer(move=True, save=all(each.weights is not None for each in result.candidates))

    def _tabulate(self, found: ObjectComparison) -> None:
        below = self._panels.gate.tolerance.stability
        if (found, below) != self._tabulated:
            self._tabulated = (found, below)
            self._panels.metrics.show_object(found, below)
            self._panels.plots.show_object(found.number)

    def _tell_subject(self) -> None:
        """Say whose figures are in sight, and grey them where the prompt has been changed since."""
        panels, found = self._panels, None if self._tabulated is None else self._tabulated[0]
        is_of_before = found is not None and panels.view.is_open and panels.live.is_live(found.number)
        panels.results_dock.tell("" if found is None else found.name, is_of_before=is_of_before)
        panels.metrics.setEnabled(not is_of_before)

    def _take_session(self, opened: OpenedSession) -> None:
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
        panels.objects.load(tuple(Prompt.of(found.number, found.name, found.prompt) for found in session.objects))
        self._workflow.show_result(session.result, lambda: self._show_session(session))

    def _show_session(self, session: Session) -> None:
        """What a session holds beside its result."""
        panels = self._panels
        panels.gate.set_tolerance(session.tolerance)
        self._take_jitters({found.number: found.jitter for found in session.objects if found.jitter is not None})
        if session.reading is not None:
            panels.reader_study.show_finished(session.reading)
        panels.session.show_message(tr("Opened the session of {made} UTC.", made=session.made))

    def _move_boxes(self, pixels: int) -> None:
        result = self._panels.store.result
        if result is not None and not self._is_busy():
            job = JitterJob(result, BoxMovement(pixels), self._on_screen.embeddings)

            def take(jitters: dict[int, BoxJitter]) -> None:
                if self._panels.store.result is result:  # not of another volume, chosen meanwhile
                    self._take_jitters(jitters)

            self._panels.jobs.start(job.steps, take, tr("Moving the boxes…"))

    def _take_jitters(self, jitters: dict[int, BoxJitter]) -> None:
        result = self._panels.store.result
        self._panels.store.set_jitters(jitters)
        if result is not None and jitters:
            found = [each for each in result.objects if each.number in jitters]
            sentences = [jitters[each.number].sentence(each.comparisons) for each in found]
            self._panels.session.show_message("\n\n".join(sentences))

    def _is_busy(self) -> bool:
        if self._workflow.is_busy:
            show_error(tr("Wait for what is running now, or cancel it."))
            return True
        return False

    def _begin_reading(self) -> None:
        """Put away everything that names the models."""
        panels, on_screen = self._panels, self._on_screen
        if on_screen.result is None or on_screen.result is not panels.store.result or panels.jobs.is_running:
            panels.reader_study.stop()
            show_error(tr("Press Compare first, and wait until it is done: there is nothing on screen to read."))
            return
        panels.results.isolate(panels.reader_study)
        on_screen.begin_reading()

    def _show_pair(self, pair: Pair) -> None:
        panels, result = self._panels, self._on_screen.result
        if result is None:
            return
        panes = [Pane(tr("Left"), (), pair.left, _NEUTRAL), Pane(tr("Right"), (), pair.right, _NEUTRAL)]
        panels.view.show(SIDE_BY_SIDE)
        panels.view.open(panes, Scene(result.volume, panels.volume.contrast_limits, blinded=True))
        panels.view.go_to(pair.z)
        panels.view.look_at(pair.box)  # all of it before the window draws again: nothing of another place is seen

    def _end_reading(self) -> None:
        """Bring back figures and names."""
        self._panels.results.isolate(None)
        if self._on_screen.is_reading:  # not where it was refused at once
            self._on_screen.end_reading()

    def _on_tolerance(self) -> None:
        self._panels.plots.set_tolerance(self._panels.gate.tolerance)

    def _go_to(self, z: int) -> None:
        """Show a slice of what the plots are about, whose comparison may be closed and other volumes open by now."""
        result = self._panels.store.result
        if result is not None:
            self._panels.viewer.dims.set_point(0, slice_millimetres(result.volume, z))

    def _on_slice(self, event: object = None) -> None:
        panels, result = self._panels, self._panels.store.result
        volume = panels.volume.volume if result is None else result.volume
        if volume is not None:
            panels.plots.set_slice(voxel_at(volume, panels.viewer.dims.point)[0])

    def _on_theme(self, event: object = None) -> None:
        self._panels.plots.set_dark(self._panels.viewer.theme != "light")
