"""The reading desk: plots, gate, blinded reading and sessions, mounted in the dock and joined to its view."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari.components import ViewerModel
from napari.utils.notifications import show_error, show_info, show_warning

from napari_pqcomq.jobs.choices import ModelChoice
from napari_pqcomq.jobs.model_cache import ModelCache
from napari_pqcomq.jobs.session_jobs import JitterJob, OpenedSession, OpenSessionJob, SaveSessionJob
from napari_pqcomq.prompts.prompt import Prompt
from napari_pqcomq.results.gate_panel import GatePanel
from napari_pqcomq.results.plots_panel import PlotsPanel
from napari_pqcomq.results.reader_study_panel import Pair, ReaderStudyPanel
from napari_pqcomq.results.session_panel import SessionPanel
from napari_pqcomq.viewer.modes.registry import SIDE_BY_SIDE
from napari_pqcomq.viewer.scene import Pane, Scene
from pqcomq.comparison.box_perturbation import BoxJitter, BoxMovement
from pqcomq.comparison.comparison_result import ComparisonResult
from pqcomq.segmentation.embedding_cache import EmbeddingCache
from pqcomq.session.file_names import PAGE
from pqcomq.session.session import Session

if TYPE_CHECKING:
    from napari_pqcomq.app.compare_widget import CompareWidget

_NEUTRAL = "#E6E9EE"
"""Of both headings while reading blinded."""


class ResultsController:
    """Panels of the results area, and what they ask of the dock.

    Args:
        dock: whose results area they stand in.
        viewer: the dock's.
        shelf: where the full-precision model stands.
        cache: embeddings of the dock's comparisons.
    """

    def __init__(self, dock: CompareWidget, viewer: ViewerModel, shelf: ModelCache, cache: EmbeddingCache) -> None:
        self._dock, self._viewer, self._shelf, self._cache = dock, viewer, shelf, cache
        self.plots, self.gate, self.reading, self.sessions = (
            PlotsPanel(),
            GatePanel(),
            ReaderStudyPanel(),
            SessionPanel(),
        )
        self._jitters: dict[int, BoxJitter] = {}
        self._read: ComparisonResult | None = None
        dock.results.add_panel("Plots", self.plots, "Dice along the slices, bits against Dice, latencies, layers")
        dock.results.add_panel("Gate", self.gate, "Does the quantized model pass your tolerance?")
        dock.results.add_panel("Blinded", self.reading, "Prefer one of two masks without knowing whose they are")
        self._connect()
        self._on_theme()
        self.plots.set_tolerance(self.gate.tolerance)

    @property
    def is_reading(self) -> bool:
        """Whether a blinded reading is under way: nothing else may run, and no figure may be seen."""
        return self._read is not None

    def set_result(self, result: ComparisonResult) -> None:
        """Called for every result that the dock shows; moved boxes belonged to the one before."""
        self._jitters = {}
        self.sessions.set_result(result)

    def on_view_closed(self) -> None:
        """The user has closed the comparison; a reading in it ends."""
        if self._read is not None:
            self._dock.result, self._read = self._read, None
            self.reading.stop()

    def release(self) -> None:
        """Stop listening to the viewer."""
        self._viewer.dims.events.current_step.disconnect(self._on_slice)
        self._viewer.events.theme.disconnect(self._on_theme)

    def _connect(self) -> None:
        self.plots.slice_chosen.connect(self._dock.view.go_to)
        self.gate.changed.connect(lambda: self.plots.set_tolerance(self.gate.tolerance))
        self.reading.started.connect(self._begin_reading)
        self.reading.shown.connect(self._show_pair)
        self.reading.ended.connect(self._end_reading)
        self.sessions.jitter_requested.connect(self._move_boxes)
        self.sessions.save_requested.connect(self.save)
        self.sessions.open_requested.connect(self.open)
        self._viewer.dims.events.current_step.connect(self._on_slice)
        self._viewer.events.theme.connect(self._on_theme)

    def save(self, folder: Path) -> None:
        """Write what is shown as a session, in the background."""
        result = self._dock.result
        if result is None or self._is_busy():
            return
        kept = result.with_jitters(self._jitters)
        task = SaveSessionJob(kept, self.gate.tolerance, self.reading.finished, folder)

        def tell(paths: list[Path]) -> None:
            self.sessions.tell(f"Saved {len(paths)} files in {folder.name}.", folder / PAGE)
            show_info(f"Saved the session {folder.name}.")

        self._dock.progress.start(task.steps, tell, "Saving the session…")

    def open(self, folder: Path) -> None:
        """Show a saved session on the open volume, in the background."""
        volume = self._dock.volume_panel.volume
        if volume is None:
            show_error(f"Open the volume of the session in {folder.name} first; a session does not hold it.")
            return
        if self._is_busy():
            return
        task = OpenSessionJob(folder, volume, self._dock.model_panel.checkpoint, self._shelf)
        self._dock.progress.start(task.steps, self._take, f"Opening {folder.name}…")

    def _take(self, opened: OpenedSession) -> None:
        """Show a session as if it had just been compared."""
        session = opened.session
        if opened.missing is not None:
            show_warning(
                f"The session's figures stand as recorded; its models run on torch from here: {opened.missing}."
            )
        for model in session.models:
            choice = ModelChoice(model.segmenter.key, self._dock.model_panel.checkpoint, model.settings)
            self._dock.weights_panel.take(model, choice)
        self._dock.model_panel.runtimes.choose(opened.runtime)
        prompts = tuple(Prompt(found.number, found.name, found.box) for found in session.objects)
        self._dock.prompt_panel.prompts.load(prompts)
        self._dock.show_result(session.result, lambda: self._show_session(session))

    def _show_session(self, session: Session) -> None:
        """What a session holds beside its result."""
        self.gate.set_tolerance(session.tolerance)
        self._take_jitters({found.number: found.jitter for found in session.objects if found.jitter is not None})
        if session.reading is not None:
            self.reading.show_finished(session.reading)
        self.sessions.tell(f"Opened the session of {session.made} UTC.")

    def _move_boxes(self, pixels: int) -> None:
        result = self._dock.result
        if result is not None and not self._is_busy():
            task = JitterJob(result, BoxMovement(pixels), self._cache)
            self._dock.progress.start(task.steps, self._take_jitters, "Moving the boxes…")

    def _take_jitters(self, jitters: dict[int, BoxJitter]) -> None:
        result = self._dock.result
        self._jitters = jitters
        if result is None or not jitters:
            return
        moved = [each for each in result.objects if each.number in jitters]
        for each in moved:
            self.plots.set_jitter(each.name, jitters[each.number])
        self.sessions.tell("\n\n".join(jitters[each.number].sentence(each.comparisons) for each in moved))

    def _is_busy(self) -> bool:
        if self._dock.progress.is_running or self.is_reading:
            show_error("Wait for what is running now, or cancel it.")
            return True
        return False

    def _begin_reading(self) -> None:
        """Put away everything that tells the models apart."""
        if self._dock.result is not self.reading.result or self._dock.progress.is_running:
            self.reading.stop()
            show_error("Press Compare first, and wait until it is done: there is nothing on screen to read.")
            return
        self._read, self._dock.result = self._dock.result, None
        self._dock.live.stop()
        self._dock.results.isolate(self.reading)
        self._dock.view_bar.set_candidates([])
        self._dock.view_bar.set_places(None, None)

    def _show_pair(self, pair: Pair) -> None:
        assert self._read is not None  # noqa: S101 (only while reading)
        panes = [Pane("Left", (), pair.left, _NEUTRAL), Pane("Right", (), pair.right, _NEUTRAL)]
        self._dock.view.show(SIDE_BY_SIDE)
        self._dock.view.open(panes, Scene(self._read.volume, self._dock.volume_panel.contrast_limits))
        self._dock.view.go_to(pair.z)
        self._dock.update_controls()

    def _end_reading(self) -> None:
        """Bring back figures and names, unless the user has closed the view."""
        read, self._read = self._read, None
        self._dock.results.isolate(None)
        if read is not None:
            self._dock.show_masks(read)
        self._dock.update_controls()

    def _on_slice(self, event: object = None) -> None:
        self.plots.set_slice(int(self._viewer.dims.current_step[0]))

    def _on_theme(self, event: object = None) -> None:
        self.plots.set_dark(self._viewer.theme != "light")
