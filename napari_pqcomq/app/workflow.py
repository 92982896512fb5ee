"""The order of the work: quantize, compare, show, follow the boxes, keep what was found."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from napari.utils.notifications import show_error, show_info
from qtpy.QtCore import QObject, Signal

from napari_pqcomq.app.hints import QUANTIZED_FOR_ANOTHER, compared_elsewhere, opening
from napari_pqcomq.app.job_requests import compare_job, live_job, quantize_job
from napari_pqcomq.app.mask_keeping import MaskKeeping
from napari_pqcomq.app.panels.panels import Panels
from napari_pqcomq.app.weights_desk import WeightsDesk
from napari_pqcomq.jobs.choices import ModelChoice
from napari_pqcomq.jobs.inference_jobs import RecallWeightsJob
from napari_pqcomq.jobs.kept_work import KeptWork, volume_key
from napari_pqcomq.jobs.parts import AFTER, BEFORE, WHOLE
from napari_pqcomq.layers.volume_layers import shown_name
from napari_pqcomq.live.live_session import LiveModels
from napari_pqcomq.live.live_truth import LiveTruth
from napari_pqcomq.translation import tr
from napari_pqcomq.viewer.result_panes import live_panes, lowest_failing, panes_of
from napari_pqcomq.viewer.scene import Pane, Scene
from pqcomq.comparison.compared_model import ComparedModel
from pqcomq.comparison.comparison_result import ComparisonResult, ObjectComparison
from pqcomq.comparison.model_result import Comparison
from pqcomq.errors import InputError
from pqcomq.quantization.quantized_model import QuantizedModel
from pqcomq.segmentation.embedding_cache import EmbeddingCache
from pqcomq.segmentation.prompt import Prompt

_CACHE_BYTES = 2**30
"""Four models on sixty slices."""


def _nothing() -> None:
    """What follows where nothing does."""


class Workflow(QObject):
    """Knows the order of the work; reads the panels' choices, starts jobs, and shows what they return.

    Args:
        panels: of the dock.
        parent: Qt parent.
        kept: what was finished before; by default nothing.

    Attributes:
        changed: emitted when something else can be done than before.
        shown: emitted after something else has come on screen: a comparison, live masks, or a blinded reading.
        kept: what outlives the dock.
        models: those at hand.
        weights: quantized ones of the choice.
        keeping: makes layers of the masks in sight.
        volume_key: knows the open volume again, empty where there is none.
        embeddings: of the slices that models have seen.
        result: the comparison whose masks the view shows or showed last; None where it shows live masks alone.
        is_reading: a blinded reading is under way: nothing else may run, and neither names nor figures may be seen.
    """

    changed = Signal()
    shown = Signal()

    def __init__(self, panels: Panels, parent: QObject | None = None, kept: KeptWork | None = None) -> None:
        super().__init__(parent)
        self._panels = panels
        self.kept = KeptWork() if kept is None else kept
        self.models, self.embeddings = self.kept.models, EmbeddingCache(_CACHE_BYTES)
        self.weights = WeightsDesk(panels, self.models, self)
        self.keeping = MaskKeeping(panels, self)
        self.volume_key = ""
        self.result: ComparisonResult | None = None
        self.is_reading = False
        self._compared_models: tuple[ComparedModel, ...] = ()  # of the sides, in their order
        self._truth = LiveTruth(
            panels.truth, panels.view, panels.objects, lambda: self.result is None and not self.is_reading
        )
        self._connect()
        self._on_volume()

    @property
    def can_start(self) -> bool:
        """Whether a job can be started: on a volume, with a model, and while nothing else runs."""
        panels = self._panels
        is_busy = panels.jobs.is_running or panels.view.is_opening or self.is_reading
        return not is_busy and panels.volume.volume is not None and not panels.model.lacks_checkpoint

    def quantize(self) -> None:
        """Quantize the chosen model in the background, at every chosen bit width."""
        self.quantize_then(self._panels.model.choices, _nothing)

    def recall_weights(self) -> None:
        """Load those chosen weights that are on disk, in the background; none are made."""
        if not self.can_start or not self.weights.missing or self.kept.on_disk is None:
            return
        job = quantize_job(self._panels, self.kept, self.weights.missing, self.weights.origin)

        def take(found: dict[ModelChoice, QuantizedModel]) -> None:
            for each in found.values():
                show_info(tr("{title}: loaded from disk, not quantized again.", title=each.settings.title))
            self.weights.changed.emit()

        self._panels.jobs.start(RecallWeightsJob(job).steps, take, tr("Looking for quantized weights on disk…"))

    def compare(self, part: tuple[float, float] = WHOLE) -> None:
        """Run the models on the ticked boxes in the background, quantizing first where that is still to be done.

        Args:
            part: of the bar, where something was done for it before.
        """
        missing = self.weights.missing
        if missing:
            self.quantize_then(missing, lambda: self.compare(AFTER), tr("then the models run on the boxes"))
            return
        try:
            job = compare_job(self._panels, self.models, self.weights.chosen, self.embeddings)
        except InputError as error:
            show_error(str(error))
        else:
            self._panels.jobs.start(job.steps, self.show_result, tr("Running the models…"), part=part)

    def open_live(self, then: Callable[[], None] = _nothing, part: tuple[float, float] = WHOLE) -> None:
        """Open the view with masks that follow the boxes, quantizing first where that is still to be done.

        Args:
            then: called when it is open.
            part: of the bar, where something was done for it before.
        """
        missing = self.weights.missing
        if missing:
            self.quantize_then(missing, lambda: self.open_live(then, AFTER), tr("then the view opens"))
            return
        try:
            job, asked = live_job(self._panels, self.models, self.weights.chosen), self._asked
        except InputError as error:
            show_error(str(error))
            return

        def take(compared_models: tuple[ComparedModel, ...]) -> None:
            if self._asked == asked:  # they are not those of a volume or choice made meanwhile
                self._show_live(compared_models, then)

        self._panels.jobs.start(job.steps, take, tr("Loading the models…"), part=part)

    def draw(self, extend: bool = False) -> None:
        """Draw where masks can follow, if the models are at hand, else on the user's own view."""
        panels = self._panels

        def arm() -> None:
            panels.prompts.draw(extend=extend)

        if self.can_start and self.weights.chosen and not panels.view.is_open:
            self.open_live(arm)
        else:
            arm()
        self.changed.emit()

    def show_result(self, result: ComparisonResult, then: Callable[[], None] = _nothing) -> None:
        """Put a result on screen: its masks in the view, its figures in every panel.

        It is kept before, in case its volume was closed or exchanged while the models ran, or the view is closed soon.

        Args:
            result: to show.
            then: called when all is on screen.
        """
        self.kept.keep_unseen(volume_key(result.volume), result)
        if result.volume is not self._panels.volume.volume:
            show_info(compared_elsewhere(shown_name(self._panels.viewer.layers, result.volume)))
            return

        def opened() -> None:
            self._panels.store.set_result(result)
            self._panels.actions.show_licence(result.reference.segmenter.licence)
            then()

        self.show_masks(result, opened)

    def show_masks(self, result: ComparisonResult, then: Callable[[], None] = _nothing) -> None:
        """Put the masks and plates of a result in the view; ``then`` is called when they are on screen."""
        self.result = result
        truths = [found.truth for found in result.objects if found.truth is not None]
        truth = np.logical_or.reduce(truths) if truths else None

        def opened() -> None:
            self._follow(result.models, {each.number: each.prompt for each in result.objects})
            then()
            self.shown.emit()

        number, tolerance = self.current_number, self._panels.gate.tolerance
        self._open(panes_of(result, number, tolerance), truth, opened, lowest_failing(result, number, tolerance))

    def keep_masks(self) -> None:
        """Keep the masks in sight, live ones included, as labels layers, shown when the comparison is closed."""
        if self._panels.view.is_open and not self.is_reading:  # a reader must not learn the names
            self.keeping.keep(self._compared_models, self.result)

    def begin_reading(self) -> None:
        """A blinded reading begins: stop everything that names the models."""
        self.is_reading = True
        self._panels.live.stop()
        self._panels.view_bar.set_candidates([])
        self.shown.emit()

    def end_reading(self) -> None:
        """A blinded reading has ended: bring the comparison back, unless the user has closed the view."""
        self.is_reading = False
        if self.result is not None and self._panels.view.is_open:
            self.show_masks(self.result)
        self.changed.emit()

    @property
    def current_number(self) -> int:
        """Number of the current object, 0 where there is none."""
        current = self._panels.objects.current_prompt
        return current.number if current else 0

    def current_result(self) -> ObjectComparison | None:
        """The current object's result; None while it is live, out of sight, or read blinded."""
        panels, number = self._panels, self.current_number
        if self.result is None or self.is_reading or not panels.view.is_open or panels.live.is_live(number):
            return None
        return self.result.of(number)

    def current_comparison(self) -> Comparison | None:
        """The current object's comparison with the model that views of two are about."""
        found = self.current_result()
        return None if found is None else found.comparisons[self._panels.view.candidate - 1]

    def _connect(self) -> None:
        panels = self._panels
        panels.volume.changed.connect(self._on_volume)
        panels.volume.previewed.connect(panels.view.set_contrast_limits)
        panels.volume.windowed.connect(self._on_window)
        panels.objects.settled.connect(self._on_box)  # a volume of labels is not counted at every move
        panels.truth.changed.connect(self._on_box)
        panels.truth.label.valueChanged.connect(self._truth.draw)
        panels.view.closed.connect(self._on_closed)
        panels.view.opening.connect(lambda step, total: panels.jobs.show_drawing(opening(step, total)))
        panels.live.failed.connect(show_error)
        panels.jobs.running.connect(panels.live.pause)
        # Boxes after the live session, which listens since it was made: it knows by then which masks have become live.
        self.weights.changed.connect(self.changed)
        panels.model.kept.removed.connect(self._on_removed)
        panels.jobs.running.connect(lambda running: panels.model.kept.setEnabled(not running))  # a job may need them
        panels.objects.changed.connect(self._on_objects)
        for signal in (panels.model.changed, panels.calibration.changed, panels.view.changed):
            signal.connect(self.changed)
        panels.jobs.running.connect(self.changed)
        self.shown.connect(self.changed)

    def quantize_then(self, choices: tuple[ModelChoice, ...], go_on: Callable[[], None], then: str = "") -> None:
        """Quantize in the background, and go on if nothing else was chosen meanwhile; ``then`` says so in words."""
        try:
            job = quantize_job(self._panels, self.kept, choices, self.weights.origin)
        except InputError as error:
            show_error(str(error))
            return
        asked = self._asked

        def take(made: dict[ModelChoice, QuantizedModel]) -> None:
            for sentence in job.told:
                show_info(sentence)
            self.weights.changed.emit()  # the job has kept them
            if self._asked == asked:
                go_on()
            elif then:
                show_info(QUANTIZED_FOR_ANOTHER)

        part = BEFORE if then else WHOLE
        self._panels.jobs.start(job.steps, take, tr("Preparing the calibration slices…"), then, part)

    @property
    def _asked(self) -> tuple[object, ...]:
        """What a job is asked for: with another volume or choice nothing follows it that nobody asked for."""
        return self.volume_key, self.weights.origin, self._panels.model.choices

    def _show_live(self, compared_models: tuple[ComparedModel, ...], then: Callable[[], None]) -> None:
        """Open the view without masks; they follow the boxes."""
        volume = self._panels.volume.volume
        assert volume is not None  # noqa: S101 (the one that was asked for)
        self.result = None

        def opened() -> None:
            self._follow(compared_models, {})
            self.shown.emit()
            then()

        panes = live_panes([each.segmenter for each in compared_models], volume)
        self._open(panes, self._panels.truth.fitting_truth(), opened)

    def _open(self, panes: list[Pane], truth: np.ndarray | None, then: Callable[[], None], candidate: int = 1) -> None:
        panels, volume = self._panels, self._panels.volume.volume
        assert volume is not None  # noqa: S101 (a volume was just worked on)
        if not panels.view.is_open:
            panels.docks.make_room()
        panels.view_bar.set_candidates([pane.title for pane in panes[1:]], candidate - 1)
        panels.prompts.show_in_view(True)
        scene = Scene(volume, panels.volume.contrast_limits, panels.objects.objects, truth, self.current_number)
        panels.view.open_in_steps(panes, scene, then, candidate)
        self.changed.emit()

    def _follow(self, compared_models: tuple[ComparedModel, ...], compared: dict[int, Prompt]) -> None:
        """Let masks follow the boxes from now on."""
        panels, volume = self._panels, self._panels.volume.volume
        assert volume is not None  # noqa: S101 (a volume was just worked on)
        self._compared_models = compared_models
        segmenters = tuple(each.segmenter for each in compared_models)
        panels.live.start(LiveModels(volume, panels.volume.intensity_window, segmenters, self.embeddings), compared)

    def _on_volume(self) -> None:
        panels, volume = self._panels, self._panels.volume.volume
        panels.view.close()  # it shows another volume
        self.result = None
        self.volume_key = self.weights.set_volume(volume)
        shown = panels.store.result  # a volume of another modality is another one with the same voxels
        if shown is not None and (volume is None or shown.volume.voxels is not volume.voxels):
            panels.store.clear()
        panels.cursor.set_volume(volume)
        panels.letters.set_volume(volume)
        panels.prompts.set_volume(volume)
        panels.truth.set_volume(volume)
        self._on_box()

    def _on_removed(self, key: str) -> None:
        self.models.forget(key)
        self.weights.changed.emit()

    def _on_window(self, limits: tuple[float, float]) -> None:
        """The picture, and what live models see if they see that; figures stay those of the window of then."""
        self._panels.view.set_contrast_limits(limits)
        self._panels.live.set_window(self._panels.volume.intensity_window)

    def _on_objects(self) -> None:
        if self._truth.is_of_another:
            self._truth.choose()
        self.changed.emit()

    def _on_box(self) -> None:
        self._truth.choose()
        self.changed.emit()

    def _on_closed(self) -> None:
        self._panels.live.stop()
        self._panels.docks.restore()
        self._panels.prompts.show_in_view(False)
        self.changed.emit()
