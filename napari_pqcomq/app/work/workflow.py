"""The order of the work: quantize, compare, show what was found, or follow the boxes."""

from __future__ import annotations

from collections.abc import Callable

from napari.utils.notifications import show_error, show_info
from qtpy.QtCore import QObject, Signal

from napari_pqcomq.app.on_screen.comparison_on_screen import ComparisonOnScreen, nothing
from napari_pqcomq.app.panels.panels import Panels
from napari_pqcomq.app.work.chosen_weights import ChosenWeights
from napari_pqcomq.app.work.job_requests import compare_job, expected_passes, live_job, quantize_job
from napari_pqcomq.jobs.comparing.kept_work import KeptWork, volume_key
from napari_pqcomq.jobs.models.choices import ModelChoice
from napari_pqcomq.jobs.models.weights_jobs import RecallWeightsJob
from napari_pqcomq.jobs.progress.parts import WHOLE, border
from napari_pqcomq.layers.volume_layers import shown_name
from napari_pqcomq.translation import tr
from pqcomq.comparison.compared_model import ComparedModel
from pqcomq.comparison.comparison_result import ComparisonResult
from pqcomq.errors import InputError
from pqcomq.quantization.quantized_model import QuantizedModel


class Workflow(QObject):
    """Knows the order of the work; reads the panels' choices, starts jobs, and has what they return shown.

    Args:
        panels: of the dock.
        on_screen: shows it.
        parent: Qt parent.
        kept: what was finished before; by default nothing.

    Attributes:
        changed: emitted when something else can be done than before.
        on_screen: what is in sight.
        kept: what outlives the dock.
        models: those at hand.
        weights: quantized ones of the choice.
        volume_key: knows the open volume again, empty where there is none.
    """

    changed = Signal()

    def __init__(
        self,
        panels: Panels,
        on_screen: ComparisonOnScreen,
        parent: QObject | None = None,
        kept: KeptWork | None = None,
    ) -> None:
        super().__init__(parent)
        self._panels, self.on_screen = panels, on_screen
        self.kept = KeptWork() if kept is None else kept
        self.models = self.kept.models
        self.weights = ChosenWeights(panels, self.models, self)
        self.volume_key = ""
        panels.volume.changed.connect(self._on_volume)
        panels.model.kept.removed.connect(self._on_removed)
        panels.jobs.running.connect(lambda running: panels.model.kept.setEnabled(not running))  # a job may need them
        news = (self.weights.changed, panels.model.changed, panels.calibration.changed, panels.jobs.running)
        for signal in (*news, on_screen.changed):
            signal.connect(self.changed)
        self._on_volume()

    @property
    def is_busy(self) -> bool:
        """Whether something runs or is read that nothing else may come between."""
        return self._panels.jobs.is_running or self._panels.view.is_opening or self.on_screen.is_reading

    @property
    def can_start(self) -> bool:
        """Whether a job can be started: on a volume, with a model, and while nothing else runs."""
        panels = self._panels
        return not self.is_busy and panels.volume.volume is not None and not panels.model.lacks_checkpoint

    def quantize(self) -> None:
        """Quantize the chosen model in the background, at every chosen bit width."""
        self.quantize_then(self._panels.model.choices, lambda _part: None)

    def quantize_then(
        self,
        choices: tuple[ModelChoice, ...],
        go_on: Callable[[tuple[float, float]], None],
        then: str = "",
        passes: float = 0.0,
    ) -> None:
        """Quantize in the background, and go on if nothing else was chosen meanwhile.

        Args:
            choices: what is quantized.
            go_on: given the part of the bar that is left for what follows.
            then: what follows, in words; empty for nothing.
            passes: how long that takes, in the time of a pass of the encoder in torch.
        """
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
                go_on((end, 1.0))
            elif then:
                show_info(
                    tr(
                        "Quantized. Nothing follows, since another volume or another choice is in sight than when the "
                        "button was pressed."
                    )
                )

        end = border(job.expected_passes, passes) if then else 1.0
        self._panels.jobs.start(job.steps, take, tr("Preparing the calibration slices…"), then, (0.0, end))

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
        self._panels.prompts.take_typed()
        missing = self.weights.missing
        if missing:
            passes = expected_passes(self._panels, 1 + len(self._panels.model.choices))
            self.quantize_then(missing, self.compare, tr("then the models run on the boxes"), passes)
            return
        try:
            job = compare_job(self._panels, self.models, self.weights.chosen, self.on_screen.embeddings)
        except InputError as error:
            show_error(str(error))
        else:
            self._panels.jobs.start(job.steps, self.show_result, tr("Running the models…"), part=part)

    def open_live(self, then: Callable[[], None] = nothing, part: tuple[float, float] = WHOLE) -> None:
        """Open the view with masks that follow the boxes, quantizing first where that is still to be done.

        Args:
            then: called when it is open.
            part: of the bar, where something was done for it before.
        """
        self._panels.prompts.take_typed()
        missing = self.weights.missing
        if missing:
            self.quantize_then(missing, lambda part: self.open_live(then, part), tr("then the view opens"))
            return
        try:
            job, asked = live_job(self._panels, self.models, self.weights.chosen), self._asked
        except InputError as error:
            show_error(str(error))
            return

        def take(compared_models: tuple[ComparedModel, ...]) -> None:
            if self._asked == asked:
                self.on_screen.show_live(compared_models, then)
            else:
                show_info(
                    tr(
                        "The view was not opened, since another volume or another choice is in sight than when the "
                        "button was pressed."
                    )
                )

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

    def show_result(self, result: ComparisonResult, then: Callable[[], None] = nothing) -> None:
        """Put a result on screen: its masks in the view, its figures in every panel.

        It is kept before, in case its volume was closed or exchanged while the models ran, or the view is closed soon.

        Args:
            result: to show.
            then: called when all is on screen.
        """
        self.kept.keep_unseen(volume_key(result.volume), result)
        if result.volume is not self._panels.volume.volume:
            show_info(
                tr(
                    "The comparison of {name} is finished; “Show the last comparison” brings it when that volume is "
                    "chosen again.",
                    name=shown_name(self._panels.viewer.layers, result.volume),
                )
            )
            return

        def opened() -> None:
            self._panels.store.set_result(result)
            self._panels.actions.show_licence(result.reference.segmenter.licence)
            then()

        self.on_screen.show_masks(result, opened)

    @property
    def _asked(self) -> tuple[object, ...]:
        """What a job is asked for: with another volume or choice nothing follows it that nobody asked for."""
        return self.volume_key, self.weights.origin, self._panels.model.choices

    def _on_volume(self) -> None:
        """Before anything else hears of it: what is kept is kept under the key of the volume it is about."""
        volume = self._panels.volume.volume
        self._panels.view.close()  # it shows another one
        self.volume_key = self.weights.set_volume(volume)
        self.on_screen.set_volume(volume)

    def _on_removed(self, key: str) -> None:
        self.models.forget(key)
        self.weights.changed.emit()
