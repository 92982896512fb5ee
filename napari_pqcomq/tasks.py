"""What the dock computes in the background: generators of steps that touch neither Qt nor layers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from napari_pqcomq.calibration_panel import CalibrationChoice
from napari_pqcomq.model_panel import ModelChoice
from napari_pqcomq.model_shelf import ModelShelf
from napari_pqcomq.progress_panel import Step, Steps
from napari_pqcomq.triton_guard import keep_triton_out
from pqcomq.comparison.compare import compare
from pqcomq.comparison.participant import Participant, check_same_source
from pqcomq.comparison.result import Comparison
from pqcomq.quantized.calibration import calibrate_on
from pqcomq.quantized.model import QuantizedModel
from pqcomq.quantized.run import LayerEvent, quantize_model
from pqcomq.quantized.weights_file import load_weights
from pqcomq.segmentation.box import Box3D
from pqcomq.segmentation.embedding_cache import EmbeddingCache
from pqcomq.segmentation.propagation import PromptMode
from pqcomq.volumes.reading import read_volume
from pqcomq.volumes.volume import Volume
from pqcomq.volumes.window import Window


@dataclass(frozen=True, eq=False)
class QuantizeTask:
    """Quantize a model.

    Attributes:
        choice: which, and how.
        calibration: where its slices come from.
        volume: the open one.
        window: chosen for it; None for the modality's own.
        shelf: where the full-precision model stands.
    """

    choice: ModelChoice
    calibration: CalibrationChoice
    volume: Volume
    window: Window | None
    shelf: ModelShelf

    def steps(self) -> Steps[QuantizedModel]:
        """The work.

        Raises:
            InputError: a file cannot be read or calibrated on.
        """
        yield Step("Loading the model", 0, 0)
        full = self.shelf.take(self.choice.key, self.choice.checkpoint)
        yield Step("Choosing the calibration slices", 0, 0)
        volumes = [read_volume(path) for path in self.calibration.files] or [self.volume]
        # The chosen window belongs to the open volume; other files get that of their own modality.
        window = None if self.calibration.files else self.window
        calibration = calibrate_on(volumes, self.calibration.slices, window)
        work = quantize_model(full, calibration, self.choice.settings)
        while True:
            try:
                event = next(work)
            except StopIteration as finished:
                return finished.value
            yield _step(event)


@dataclass(frozen=True, eq=False)
class LoadTask:
    """Load quantized weights.

    Attributes:
        path: of the file.
    """

    path: Path

    def steps(self) -> Steps[QuantizedModel]:
        """The work.

        Raises:
            InputError: the file cannot be used.
        """
        yield Step(f"Loading {self.path.name}", 0, 0)
        keep_triton_out()
        return load_weights(self.path)


@dataclass(frozen=True, eq=False)
class CompareTask:
    """Run both models on a box.

    Attributes:
        choice: the model in full precision.
        weights: its quantized copy.
        volume: what is segmented.
        window: for the models' input; None for the modality's own.
        box: the prompt.
        mode: where the other slices' prompts come from.
        truth: (z, y, x) bool, or None.
        shelf: where the full-precision model stands.
        cache: embeddings of earlier comparisons.
    """

    choice: ModelChoice
    weights: QuantizedModel
    volume: Volume
    window: Window | None
    box: Box3D
    mode: PromptMode
    truth: np.ndarray | None
    shelf: ModelShelf
    cache: EmbeddingCache

    def steps(self) -> Steps[Comparison]:
        """The work.

        Raises:
            InputError: the weights were made from another checkpoint, or the box lies outside.
        """
        yield Step("Loading the model", 0, 0)
        full = self.shelf.take(self.choice.key, self.choice.checkpoint)
        check_same_source(full, self.weights)
        yield Step("Warming up both models", 0, 0)
        work = compare(
            self.volume,
            self.box,
            Participant.full(full),
            Participant.quantized(self.weights),
            mode=self.mode,
            window=self.window,
            truth=self.truth,
            cache=self.cache,
        )
        while True:
            try:
                progress = next(work)
            except StopIteration as finished:
                return finished.value
            yield Step(f"Segmenting: {progress.text}", progress.step, progress.total, progress.remaining_seconds)


def _step(event: LayerEvent) -> Step:
    """A quantizer's event for the progress bar."""
    if event.error_after is None or event.error_before is None:
        text = f"Calibrating: {event.name}"
    else:
        text = f"Quantized {event.name}: error {event.error_before:.2%} → {event.error_after:.2%}"
    return Step(text, event.step, event.total, event.remaining_seconds)
