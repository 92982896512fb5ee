"""The dock widget: compare a full-precision model with its quantized copy on the open volume."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import napari
from napari.utils.notifications import show_error
from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QWidget

from napari_pqcomq.calibration_panel import CalibrationPanel
from napari_pqcomq.dock_layout import Buttons, lay_out
from napari_pqcomq.hints import next_step
from napari_pqcomq.model_panel import ModelChoice, ModelPanel
from napari_pqcomq.model_shelf import ModelShelf
from napari_pqcomq.progress_panel import ProgressPanel
from napari_pqcomq.prompt_panel import PromptPanel
from napari_pqcomq.results_table import ResultsTable
from napari_pqcomq.side_by_side import SideBySide
from napari_pqcomq.side_layers import LEFT_COLOUR, RIGHT_COLOUR, Pane, Scene
from napari_pqcomq.tasks import CompareTask, LoadTask, QuantizeTask
from napari_pqcomq.truth_panel import TruthPanel
from napari_pqcomq.volume_panel import VolumePanel
from napari_pqcomq.weights_panel import WeightsPanel
from pqcomq.comparison.result import Comparison
from pqcomq.comparison.wording import side_lines, side_title
from pqcomq.errors import InputError
from pqcomq.quantized.model import QuantizedModel
from pqcomq.segmentation.embedding_cache import EmbeddingCache


class CompareWidget(QWidget):
    """Joins the panels: each knows its own controls, this class alone knows the order of the work.

    Args:
        napari_viewer: given by napari.
    """

    def __init__(self, napari_viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self.volume_panel = VolumePanel(napari_viewer)
        self.calibration_panel = CalibrationPanel()
        self.model_panel = ModelPanel(self.calibration_panel)
        self.weights_panel = WeightsPanel()
        self.prompt_panel = PromptPanel(napari_viewer)
        self.truth_panel = TruthPanel(napari_viewer)
        self.results = ResultsTable()
        self.progress = ProgressPanel()
        self.buttons = Buttons()
        self.view = SideBySide(napari_viewer, on_close=self._refresh)
        self._shelf, self._cache = ModelShelf(), EmbeddingCache()
        lay_out(self)
        self._connect()
        self._on_volume()

    def quantize(self) -> None:
        """Quantize the chosen model in the background."""
        self._quantize_then(lambda: None)

    def compare(self) -> None:
        """Run both models on the box in the background, quantizing first where that is still to be done."""
        if self.weights_panel.weights_for(self.model_panel.choice) is None:
            self._quantize_then(self.compare)
            return
        try:
            task = self._compare_task()
        except InputError as error:
            show_error(str(error))
            return
        self.progress.start(task.steps, lambda result: self._show(result, task), "Running both models…")

    def load_weights(self, path: Path) -> None:
        """Load quantized weights in the background."""
        self.progress.start(LoadTask(path).steps, self._take_loaded, f"Loading {path.name}…")

    def event(self, event: QEvent) -> bool:
        """Let go of the viewer when the dock is closed: napari then takes the widget out of its window."""
        if event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self._release()
        return bool(super().event(event))

    def _release(self) -> None:
        """End the comparison and the job, and stop listening to the viewer."""
        self.progress.cancel()
        self.view.close()
        self.prompt_panel.release_layer()
        for panel in (self.volume_panel, self.prompt_panel, self.truth_panel):
            panel.layers.release()

    def _connect(self) -> None:
        self.volume_panel.changed.connect(self._on_volume)
        self.volume_panel.windowed.connect(self.view.set_contrast_limits)
        self.model_panel.changed.connect(self._refresh)
        self.calibration_panel.changed.connect(self._refresh)
        self.prompt_panel.changed.connect(self._on_box)
        self.prompt_panel.draw_requested.connect(self._draw)
        self.truth_panel.layers.changed.connect(self._on_box)
        self.weights_panel.quantize_button.clicked.connect(self.quantize)
        self.weights_panel.load_requested.connect(self.load_weights)
        self.buttons.compare.clicked.connect(self.compare)
        self.buttons.close.clicked.connect(self.view.close)
        self.progress.running.connect(self._refresh)

    def _quantize_then(self, go_on: Callable[[], None]) -> None:
        volume, choice = self.volume_panel.volume, self.model_panel.choice
        if volume is None or self.model_panel.lacks_checkpoint:
            show_error(self.buttons.hint.text())
            return
        task = QuantizeTask(choice, self.calibration_panel.choice, volume, self.volume_panel.window, self._shelf)

        def take(weights: QuantizedModel) -> None:
            self.weights_panel.take(weights, choice)
            self._refresh()
            go_on()

        self.progress.start(task.steps, take, "Preparing the calibration slices…")

    def _compare_task(self) -> CompareTask:
        volume, choice = self.volume_panel.volume, self.model_panel.choice
        weights = self.weights_panel.weights_for(choice)
        if volume is None or weights is None:
            raise InputError(self.buttons.hint.text())
        return CompareTask(
            choice=choice,
            weights=weights,
            volume=volume,
            window=self.volume_panel.window,
            box=self.prompt_panel.box(),
            mode=self.prompt_panel.mode,
            truth=self.truth_panel.truth(),
            shelf=self._shelf,
            cache=self._cache,
        )

    def _show(self, comparison: Comparison, task: CompareTask) -> None:
        """Put a result on screen."""
        left, right = (
            Pane(side_title(side), tuple(side_lines(comparison, side)), side.mask, colour)
            for side, colour in ((comparison.reference, LEFT_COLOUR), (comparison.candidate, RIGHT_COLOUR))
        )
        self.view.open(left, right, Scene(task.volume, self.volume_panel.contrast_limits, task.box, task.truth))
        self.results.show_comparison(comparison)
        self._refresh()

    def _take_loaded(self, weights: QuantizedModel) -> None:
        self.model_panel.show_loaded(weights.segmenter.key, weights.settings)
        self.weights_panel.take(weights, self.model_panel.choice)
        self._refresh()

    def _draw(self) -> None:
        self.view.close()  # a box is drawn on the user's own layers
        self.prompt_panel.draw()
        self._refresh()

    def _on_volume(self) -> None:
        self.prompt_panel.set_volume(self.volume_panel.volume)
        self.truth_panel.set_volume(self.volume_panel.volume)
        self._on_box()

    def _on_box(self) -> None:
        if self.prompt_panel.has_box:
            with suppress(InputError):  # said when the user presses Compare; a box may be half drawn now
                self.truth_panel.suggest(self.prompt_panel.box())
        self._refresh()

    def _refresh(self, *events: object) -> None:
        """Bring buttons and the hint line up to date."""
        choice: ModelChoice = self.model_panel.choice
        has_volume, lacks_checkpoint = self.volume_panel.volume is not None, self.model_panel.lacks_checkpoint
        has_box = self.prompt_panel.has_box
        idle = not self.progress.is_running
        self.weights_panel.describe(choice, self.calibration_panel.choice)
        self.weights_panel.quantize_button.setEnabled(idle and has_volume and not lacks_checkpoint)
        self.weights_panel.load_button.setEnabled(idle)
        self.prompt_panel.draw_button.setEnabled(has_volume)
        self.buttons.compare.setEnabled(idle and has_volume and has_box and not lacks_checkpoint)
        self.buttons.close.setVisible(self.view.is_open)
        self.buttons.hint.setText(
            next_step(
                has_volume=has_volume,
                has_box=has_box,
                lacks_checkpoint=lacks_checkpoint,
                has_weights=self.weights_panel.weights_for(choice) is not None,
                is_shown=self.view.is_open,
            )
        )
