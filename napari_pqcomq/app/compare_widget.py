"""The dock widget: compare a full-precision model with its quantized copies on the open volume."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import napari
import numpy as np
from napari.utils.notifications import show_error, show_info
from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QApplication, QWidget

from napari_pqcomq.app.action_bar import ActionBar
from napari_pqcomq.app.hints import next_step
from napari_pqcomq.app.key_bindings import key_bindings
from napari_pqcomq.app.layout import lay_out
from napari_pqcomq.app.preferences import Preferences
from napari_pqcomq.app.results_controller import ResultsController
from napari_pqcomq.jobs.choices import ModelChoice
from napari_pqcomq.jobs.inference_jobs import CompareJob, LiveJob, LoadJob, QuantizeJob
from napari_pqcomq.jobs.job_runner import JobRunner
from napari_pqcomq.jobs.model_cache import ModelCache
from napari_pqcomq.live.live_session import LiveModels, LiveSession
from napari_pqcomq.prompts.prompt import Prompt
from napari_pqcomq.prompts.prompt_panel import PromptPanel
from napari_pqcomq.results.kept_masks import kept_layer
from napari_pqcomq.results.metrics_table import MetricsTable
from napari_pqcomq.results.result_export_panel import ResultExportPanel
from napari_pqcomq.results.result_tabs import ResultTabs
from napari_pqcomq.setup.calibration_panel import CalibrationPanel
from napari_pqcomq.setup.ground_truth_panel import GroundTruthPanel
from napari_pqcomq.setup.model_panel import ModelPanel
from napari_pqcomq.setup.volume_panel import VolumePanel
from napari_pqcomq.setup.weights_panel import WeightsPanel
from napari_pqcomq.viewer.comparison_view import ComparisonView
from napari_pqcomq.viewer.cursor_status import CursorStatus
from napari_pqcomq.viewer.result_panes import panes_of, plate_lines, plate_marks
from napari_pqcomq.viewer.scene import Pane, Scene
from napari_pqcomq.viewer.view_bar import ViewBar
from napari_pqcomq.widgets.gl_context import GLContext
from napari_pqcomq.widgets.napari_docks import NapariDocks
from napari_pqcomq.widgets.shortcuts import Shortcuts
from pqcomq.comparison.compared_model import ComparedModel
from pqcomq.comparison.comparison_result import ComparisonResult, ObjectComparison
from pqcomq.comparison.palette import FULL_COLOUR, QUANTIZED_COLOUR
from pqcomq.comparison.result import Comparison
from pqcomq.comparison.text import heading
from pqcomq.errors import InputError
from pqcomq.quantization.quantized_model import QuantizedModel
from pqcomq.segmentation.box import Box3D
from pqcomq.segmentation.embedding_cache import EmbeddingCache
from pqcomq.segmentation.propagation import PromptMode
from pqcomq.volumes.intensity_window import default_window

_CACHE_BYTES = 2**30
"""Four models on sixty slices."""


class CompareWidget(QWidget):
    """Joins the panels: each knows its own controls, this class alone knows the order of the work.

    Args:
        napari_viewer: given by napari.

    Attributes:
        results: the results area; further panels are mounted there with ``add_panel``.
        result: what was compared last, None before.
    """

    def __init__(self, napari_viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self.volume_panel = VolumePanel(napari_viewer)
        self.calibration_panel = CalibrationPanel()
        self.model_panel = ModelPanel(self.calibration_panel)
        self.weights_panel = WeightsPanel()
        self.prompt_panel = PromptPanel(napari_viewer)
        self.truth_panel = GroundTruthPanel(napari_viewer)
        self.figures = MetricsTable()
        self.results = ResultTabs()
        self.results.add_panel("Figures", self.figures)
        self.results.add_panel("Export", ResultExportPanel(), "Write the masks with a record of how they were made")
        self.progress = JobRunner()
        self.buttons = ActionBar()
        self._canvas_context = GLContext(napari_viewer, self)
        self.view = ComparisonView(napari_viewer, self)
        self.view_bar = ViewBar(napari_viewer, self.view)
        self.live = LiveSession(napari_viewer, self.view, self.prompt_panel.prompts, self)
        self.status = CursorStatus(napari_viewer)
        self.side_docks = NapariDocks(self)
        self.result: ComparisonResult | None = None
        self._viewer = napari_viewer
        self._is_released = False
        self._compared_models: tuple[ComparedModel, ...] = ()  # of the sides, in their order
        self._shelf, self._cache = ModelCache(), EmbeddingCache(_CACHE_BYTES)
        self.desk = ResultsController(self, napari_viewer, self._shelf, self._cache)
        self._remembered = Preferences(self)
        self.shortcuts = Shortcuts(self, key_bindings(self, napari_viewer))
        lay_out(self)
        self._connect()
        self._on_volume()
        self._remembered.restore()
        # A window that is closed does not close its docks one by one.
        self.volume_panel.changed.connect(self._remembered.keep)
        QApplication.instance().aboutToQuit.connect(self._remembered.keep)

    def quantize(self) -> None:
        """Quantize the chosen model in the background, at every chosen bit width."""
        self._quantize_then(self.model_panel.choices, lambda: None)

    def compare(self) -> None:
        """Run the models on the ticked boxes in the background, quantizing first where that is still to be done."""
        missing = self.weights_panel.missing(self.model_panel.choices)
        if missing:
            self._quantize_then(missing, self.compare)
            return
        try:
            task = self._compare_task()
        except InputError as error:
            show_error(str(error))
            return
        self.progress.start(task.steps, self.show_result, "Running the models…")

    def open_live(self, then: Callable[[], None] = lambda: None) -> None:
        """Open the view with masks that follow the boxes, quantizing first where that is still to be done.

        Args:
            then: called when it stands open.
        """
        missing = self.weights_panel.missing(self.model_panel.choices)
        if missing:
            self._quantize_then(missing, lambda: self.open_live(then))
            return
        if self.volume_panel.volume is None:
            show_error(self.buttons.hint.text())
            return
        task = LiveJob(self.model_panel.choice, self._weights(), self.model_panel.runtimes.runtime, self._shelf)

        def take(compared_models: tuple[ComparedModel, ...]) -> None:
            self._show_live(compared_models, then)

        self.progress.start(task.steps, take, "Loading the models…")

    def load_weights(self, path: Path) -> None:
        """Load quantized weights in the background."""
        self.progress.start(LoadJob(path).steps, self._take_loaded, f"Loading {path.name}…")

    def go_to_worst(self) -> None:
        """Show the slice on which the models agree least about the current object."""
        found = self._current_comparison()
        if found is not None:
            self.view.go_to(found.worst_slice)

    def go_to_divergence(self) -> None:
        """Show the slice on which the models first diverge."""
        found = self._current_comparison()
        if found is not None and found.divergence is not None:
            self.view.go_to(found.divergence.z)

    def keep_masks(self) -> None:
        """Keep the masks in sight, live ones included, as labels layers, shown when the comparison is closed."""
        volume = self.volume_panel.volume
        if volume is None or not self.view.is_open or self.desk.is_reading:  # a reader must not learn the names
            return
        window = self.volume_panel.window or default_window(volume.modality, volume.voxels)
        prompts: dict[int, tuple[Prompt, PromptMode]] = {}
        for each in self.prompt_panel.prompts.objects:
            found = None if self.result is None or each.number in self.live.live else self.result.of(each.number)
            prompts[each.number] = (
                (each, "same") if found is None else (Prompt(found.number, found.name, found.box), found.mode)
            )
        kept = [
            kept_layer(labels, volume, drawn_by, prompts, window)
            for labels, drawn_by in zip(self.view.all_masks(), self._compared_models, strict=True)
            if labels.any()
        ]
        for layer in kept:
            self._viewer.add_layer(layer)
        show_info(
            f"Kept as {len(kept)} labels layers, shown when the comparison is closed; Plugins › napari-pqcomq › Export "
            "masks writes them."
            if kept
            else "There are no masks yet."
        )

    def update_controls(self) -> None:
        """Offer what can be done now."""
        self._refresh()

    def event(self, event: QEvent) -> bool:
        """Let go of the viewer when the dock is closed: napari then takes the widget out of its window."""
        if event.type() == QEvent.Type.ParentChange and self.parent() is None and not self._is_released:
            self._is_released = True
            self._release()
        return bool(super().event(event))

    def _release(self) -> None:
        """End the comparison and the job, and stop listening to the viewer."""
        self._remembered.keep()
        QApplication.instance().aboutToQuit.disconnect(self._remembered.keep)
        self.progress.cancel()
        self.live.release()
        self.view.close()
        self._canvas_context.release()
        self.status.release()
        self.desk.release()
        self.view_bar.release()
        self.prompt_panel.release_layer()
        for panel in (self.volume_panel, self.prompt_panel, self.truth_panel):
            panel.layers.release()

    def _connect(self) -> None:
        self.view.closed.connect(self._on_closed)
        self.view.changed.connect(self.view_bar.refresh)
        self.volume_panel.changed.connect(self._on_volume)
        self.volume_panel.windowed.connect(self._on_window)
        self.model_panel.changed.connect(self._refresh)
        self.calibration_panel.changed.connect(self._refresh)
        self.prompt_panel.changed.connect(self._refresh)
        self.prompt_panel.prompts.settled.connect(self._on_box)  # a volume of labels is not counted at every move
        self.prompt_panel.draw_requested.connect(self._draw)
        self.truth_panel.layers.changed.connect(self._on_box)
        self.weights_panel.quantize_button.clicked.connect(self.quantize)
        self.weights_panel.load_requested.connect(self.load_weights)
        self.buttons.compare.clicked.connect(self.compare)
        self.buttons.live.clicked.connect(lambda: self.open_live())
        self.buttons.close.clicked.connect(self.view.close)
        self.view_bar.worst_requested.connect(self.go_to_worst)
        self.view_bar.divergence_requested.connect(self.go_to_divergence)
        self.view_bar.keep_requested.connect(self.keep_masks)
        self.view_bar.candidate_chosen.connect(self._on_result)
        self.desk.gate.changed.connect(self._on_result)
        # After the live session, which listens since it was made: it knows by then which masks have become live.
        self.prompt_panel.prompts.changed.connect(self._on_result)
        self.live.told.connect(self.view.set_lines)
        self.live.failed.connect(show_error)
        self.progress.running.connect(self.live.pause)
        self.progress.running.connect(self._refresh)

    def _quantize_then(self, choices: tuple[ModelChoice, ...], go_on: Callable[[], None]) -> None:
        volume = self.volume_panel.volume
        if volume is None or self.model_panel.lacks_checkpoint:
            show_error(self.buttons.hint.text())
            return
        task = QuantizeJob(choices, self.calibration_panel.choice, volume, self.volume_panel.window, self._shelf)

        def take(made: dict[ModelChoice, QuantizedModel]) -> None:
            for choice, weights in made.items():
                self.weights_panel.take(weights, choice)
            self._refresh()
            go_on()

        self.progress.start(task.steps, take, "Preparing the calibration slices…")

    def _weights(self) -> tuple[QuantizedModel, ...]:
        """Those chosen, all of which must be at hand."""
        at_hand = [self.weights_panel.weights_for(choice) for choice in self.model_panel.choices]
        return tuple(each for each in at_hand if each is not None)

    def _compare_task(self) -> CompareJob:
        volume, prompts = self.volume_panel.volume, self.prompt_panel.prompts
        if volume is None:
            raise InputError(self.buttons.hint.text())
        self.prompt_panel.box()  # says so if there is none
        current = prompts.current_prompt
        chosen = prompts.compared or ((current,) if current else ())
        return CompareJob(
            choice=self.model_panel.choice,
            weights=self._weights(),
            volume=volume,
            window=self.volume_panel.window,
            prompts=chosen,
            mode=self.prompt_panel.mode,
            truths=self._truths([each.number for each in chosen]),
            runtime=self.model_panel.runtimes.runtime,
            shelf=self._shelf,
            cache=self._cache,
        )

    def _truths(self, numbers: list[int]) -> dict[int, np.ndarray]:
        """Ground truth by object number: the chosen label for the current object, the fullest in the box for others."""
        prompts, truths = self.prompt_panel.prompts, {}
        for index, prompt in enumerate(prompts.objects):
            if prompt.number in numbers:
                is_current = index == prompts.current
                truth = self.truth_panel.truth() if is_current else self.truth_panel.truth_in(prompt.box)
                if truth is not None:
                    truths[prompt.number] = truth
        return truths

    def show_result(self, result: ComparisonResult, then: Callable[[], None] = lambda: None) -> None:
        """Put a result on screen: its masks in the view, its figures in every panel.

        Args:
            result: to show.
            then: called when all stands there.
        """

        def opened() -> None:
            self.results.set_result(result)
            self.desk.set_result(result)
            self.buttons.show_licence(result.reference.segmenter.licence)
            then()

        self.show_masks(result, opened)

    def show_masks(self, result: ComparisonResult, then: Callable[[], None] = lambda: None) -> None:
        """Put the masks and plates of a result in the view; ``then`` is called when they stand there."""
        self.result = result
        truths = [found.truth for found in result.objects if found.truth is not None]
        truth = np.logical_or.reduce(truths) if truths else None

        def opened() -> None:
            self._follow(result.models, {each.number: each.box for each in result.objects})
            then()
            self._on_result()

        self._open(panes_of(result, self._current_number(), self.desk.gate.tolerance), truth, opened)

    def _show_live(self, compared_models: tuple[ComparedModel, ...], then: Callable[[], None]) -> None:
        """Open the view without masks; they follow the boxes."""
        volume = self.volume_panel.volume
        if volume is None:
            return
        empty = np.zeros(volume.grid.shape_zyx, dtype=np.uint8)
        segmenters = [each.segmenter for each in compared_models]
        colours = [FULL_COLOUR, *[QUANTIZED_COLOUR] * (len(segmenters) - 1)]
        lines = ("Draw a box: the masks follow.",)
        self.result = None
        panes = [
            Pane(heading(each.title, each.precision), lines, empty, colour)
            for each, colour in zip(segmenters, colours, strict=True)
        ]

        def opened() -> None:
            self._follow(compared_models, {})
            self._on_result()
            then()

        self._open(panes, None, opened)

    def _open(self, panes: list[Pane], truth: np.ndarray | None, then: Callable[[], None]) -> None:
        volume = self.volume_panel.volume
        assert volume is not None  # noqa: S101 (a volume was just worked on)
        objects = self.prompt_panel.prompts.objects
        if not self.view.is_open:
            self.side_docks.make_room()
        self.view_bar.set_candidates([pane.title for pane in panes[1:]])
        self.prompt_panel.tool.edits_existing = True
        self.view.open_in_steps(panes, Scene(volume, self.volume_panel.contrast_limits, objects, truth), then)
        self._refresh()

    def _follow(self, compared_models: tuple[ComparedModel, ...], compared: dict[int, Box3D]) -> None:
        volume = self.volume_panel.volume
        assert volume is not None  # noqa: S101 (a volume was just worked on)
        self._compared_models = compared_models
        segmenters = tuple(each.segmenter for each in compared_models)
        self.live.start(LiveModels(volume, self.volume_panel.window, segmenters, self._cache), compared)

    def _take_loaded(self, weights: QuantizedModel) -> None:
        self.model_panel.show_loaded(weights.segmenter.key, weights.settings)
        self.weights_panel.take(weights, self.model_panel.choice)
        self._refresh()

    def _draw(self, extend: bool) -> None:
        """Draw where masks can follow, if the models are at hand, else on the user's own view."""
        ready = self.volume_panel.volume is not None and not self.weights_panel.missing(self.model_panel.choices)
        if ready and not self.view.is_open and not self.progress.is_running:
            self.open_live(lambda: self.prompt_panel.draw(extend=extend))
        else:
            self.prompt_panel.draw(extend=extend)
        self._refresh()

    def _on_volume(self) -> None:
        self.view.close()  # it shows another volume
        self.result = None
        self.status.set_volume(self.volume_panel.volume)
        self.prompt_panel.set_volume(self.volume_panel.volume)
        self.truth_panel.set_volume(self.volume_panel.volume)
        self._on_box()

    def _on_window(self, limits: tuple[float, float]) -> None:
        """The picture and what live models see; figures stay those of the window that they were made with."""
        self.view.set_contrast_limits(limits)
        self.live.set_window(self.volume_panel.window)

    def _on_box(self) -> None:
        if self.prompt_panel.has_box:
            with suppress(InputError):  # said when the user presses Compare; a box may be half drawn now
                self.truth_panel.suggest(self.prompt_panel.box())
        self._refresh()

    def _on_closed(self) -> None:
        self.desk.on_view_closed()
        self.live.stop()
        self.side_docks.restore()
        self.prompt_panel.tool.edits_existing = False
        self._refresh()

    def _current_number(self) -> int:
        current = self.prompt_panel.prompts.current_prompt
        return current.number if current else 0

    def _current_result(self) -> ObjectComparison | None:
        """The current object's result, unless its box has changed since."""
        number = self._current_number()
        if self.result is None or not self.view.is_open or number in self.live.live:
            return None
        return self.result.of(number)

    def _current_comparison(self) -> Comparison | None:
        """The current object's comparison with the model that views of two are about."""
        found = self._current_result()
        return None if found is None else found.comparisons[self.view.candidate - 1]

    def _on_result(self) -> None:
        """Let plates and buttons speak of the current object."""
        found, comparison = self._current_result(), self._current_comparison()
        self._refresh()
        if found is None or comparison is None or self.result is None:
            self.view_bar.set_places(None, None)
            return
        divergence = comparison.divergence
        self.view_bar.set_places(comparison.worst_slice, str(divergence) if divergence else None)
        number = found.number
        marks = plate_marks(self.result, number, self.desk.gate.tolerance)
        self.view.set_lines(plate_lines(self.result, number), marks)
        self.figures.show_object(found, self.view.candidate - 1)

    def _refresh(self, *events: object) -> None:
        """Bring buttons and the hint line up to date."""
        choices = self.model_panel.choices
        has_volume, lacks_checkpoint = self.volume_panel.volume is not None, self.model_panel.lacks_checkpoint
        has_box, is_open = self.prompt_panel.has_box, self.view.is_open
        ready = not (self.progress.is_running or self.desk.is_reading) and has_volume and not lacks_checkpoint
        self.weights_panel.describe(choices, self.calibration_panel.choice)
        self.weights_panel.quantize_button.setEnabled(ready)
        self.weights_panel.load_button.setEnabled(not self.progress.is_running)
        self.prompt_panel.draw_button.setEnabled(has_volume)
        self.buttons.compare.setEnabled(ready and has_box)
        self.buttons.live.setEnabled(ready)
        self.buttons.live.setVisible(not is_open)
        self.buttons.close.setVisible(is_open)
        self.view_bar.setVisible(is_open)
        self.view_bar.keep.setEnabled(not self.desk.is_reading)
        self.shortcuts.set_open(is_open)
        self.buttons.hint.setText(
            next_step(
                has_volume=has_volume,
                has_box=has_box,
                lacks_checkpoint=lacks_checkpoint,
                has_weights=not self.weights_panel.missing(choices),
                is_shown=is_open,
                is_live=is_open and self._current_number() in self.live.live,
            )
        )
