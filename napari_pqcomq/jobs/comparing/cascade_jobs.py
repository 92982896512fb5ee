"""The cascade in the background: the quantized model first, full precision where that is in doubt."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from napari_pqcomq.jobs.comparing.comparison_jobs import ReadyModelsJob
from napari_pqcomq.jobs.models.choices import ModelChoice
from napari_pqcomq.jobs.models.model_cache import ModelCache
from napari_pqcomq.jobs.progress.parts import READY, part_of
from napari_pqcomq.prompts.objects.drawn_object import DrawnObject
from napari_pqcomq.translation import tr
from pqcomq.backends.runtime import Runtime
from pqcomq.cohort.cohort_result import CohortResult
from pqcomq.cohort.statistics.cascade_threshold import CascadeThreshold
from pqcomq.comparison.compared_model import ComparedModel
from pqcomq.masks.origin import Origin
from pqcomq.progress import Progress, Steps, Stopwatch, translated
from pqcomq.quantization.quantized_model import QuantizedModel
from pqcomq.segmentation.cascade import CascadeRunner
from pqcomq.segmentation.embedding_cache import EmbeddingCache
from pqcomq.segmentation.propagation import PromptMode, segment_prompt
from pqcomq.volumes.intensity_window import Window, default_window
from pqcomq.volumes.volume import Volume


@dataclass(frozen=True)
class CascadeSlice:
    """Who has answered on one slice.

    Attributes:
        number: of the object.
        name: of the object.
        z: slice.
        stability: score of the quantized model's answer.
        is_sent_on: whether full precision was asked because of it.
    """

    number: int
    name: str
    z: int
    stability: float
    is_sent_on: bool


@dataclass(frozen=True, eq=False)
class CascadeOutcome:
    """What a cascade has segmented.

    Attributes:
        volume: that it ran on.
        small: the quantized model, as it ran.
        threshold: stability score below which full precision was asked.
        labels: (z, y, x) object numbers.
        names: object number → name.
        origins: object number → how its mask was made.
        slices: who has answered where, object by object, from the feet to the head.
        small_seconds: of the quantized model's networks.
        full_seconds: of full precision's.
    """

    volume: Volume
    small: ComparedModel
    threshold: float
    labels: np.ndarray
    names: dict[int, str]
    origins: dict[int, Origin]
    slices: tuple[CascadeSlice, ...]
    small_seconds: float
    full_seconds: float

    @property
    def sent(self) -> int:
        """Answers that are full precision's."""
        return sum(each.is_sent_on for each in self.slices)


@dataclass(frozen=True, eq=False)
class CascadeJob:
    """Segment objects by a cascade.

    Attributes:
        choice: the model in full precision.
        weights: its quantized copy.
        threshold: stability score below which full precision is asked.
        volume: what is segmented.
        window: for the models' input; None for the modality's own.
        prompts: the objects.
        mode: where the other slices' prompts come from.
        runtime: what runs the models.
        models: where models stand.
        cache: embeddings of earlier comparisons.
    """

    choice: ModelChoice
    weights: QuantizedModel
    threshold: float
    volume: Volume
    window: Window | None
    prompts: tuple[DrawnObject, ...]
    mode: PromptMode
    runtime: Runtime
    models: ModelCache
    cache: EmbeddingCache

    def steps(self) -> Steps[CascadeOutcome]:
        """The work.

        Raises:
            InputError: the weights were made from another checkpoint, this machine lacks the runtime, or a prompt
                lies outside.
        """
        for each in self.prompts:
            each.asked.checked(self.volume.grid.shape_zyx)
        ready = ReadyModelsJob(self.choice, (self.weights,), self.runtime, self.models)
        full, small = yield from part_of(ready.steps(), 0, READY)
        window = self.window or default_window(self.volume.modality, self.volume.voxels)
        runner = CascadeRunner(small.segmenter, full.segmenter, self.threshold, self.volume, window, self.cache)
        yield from self._warmed_up(runner)
        return (yield from part_of(self._segmented(runner, small, window), READY, 1))

    def _warmed_up(self, runner: CascadeRunner) -> Steps[None]:
        """A first pass of each model, which also allocates memory and starts threads, and is not timed."""
        first = self.prompts[0].asked
        asked = first.on_slice(first.start, first.rectangle, runner.shape)
        for each in (runner, runner.full):
            if asked is not None:  # never: a prompt asks on the slice that it starts on
                told = tr("A first slice, not timed, {precision}", precision=each.segmenter.precision)
                yield Progress(0, 0, told)
                each.warm_up(first.start, asked)

    def _segmented(self, runner: CascadeRunner, small: ComparedModel, window: Window) -> Steps[CascadeOutcome]:
        labels = np.zeros(self.volume.grid.shape_zyx, np.uint8)
        sent: dict[int, list[int]] = {}
        slices: list[CascadeSlice] = []
        watch = Stopwatch(sum(len(each.asked.slices) for each in self.prompts))
        for each in self.prompts:
            told = len(runner.sent)
            runner.stability.clear()  # another object may have been asked for on the same slices

            def step(progress: Progress, name: str = each.name) -> Progress:
                return watch.step(
                    tr("{name}, {slice}, {sent} sent on so far", name=name, slice=progress.text, sent=len(runner.sent))
                )

            mask = yield from translated(segment_prompt(runner, each.asked, self.mode), step)
            labels[mask.inside][mask.voxels] = each.number
            sent[each.number] = sorted(runner.sent[told:])
            slices += [
                CascadeSlice(each.number, each.name, z, stability, z in sent[each.number])
                for z, stability in sorted(runner.stability.items())
            ]
        small_seconds, full_seconds = runner.seconds
        return CascadeOutcome(
            volume=self.volume,
            small=small,
            threshold=self.threshold,
            labels=labels,
            names={each.number: each.name for each in self.prompts},
            origins={
                each.number: self._origin(each, small, window, labels, sent[each.number]) for each in self.prompts
            },
            slices=tuple(slices),
            small_seconds=small_seconds,
            full_seconds=full_seconds,
        )

    def _origin(
        self, prompt: DrawnObject, small: ComparedModel, window: Window, labels: np.ndarray, sent: list[int]
    ) -> Origin:
        ran = replace(self.weights, segmenter=small.segmenter)
        origin = Origin.of(ran, prompt.asked, self.mode, window, labels == prompt.number)
        return replace(origin, cascade={"threshold": self.threshold, "full_precision_slices": sent})


@dataclass(frozen=True, eq=False)
class ReadThresholdJob:
    """Look up the threshold that a cohort has told for quantized weights.

    Attributes:
        folder: of the cohort's results.
        fingerprint: of the weights.
    """

    folder: Path
    fingerprint: str

    def steps(self) -> Steps[CascadeThreshold]:
        """The work.

        Raises:
            InputError: there is no cohort's result, or it tells no threshold for these weights.
        """
        yield Progress(0, 0, tr("Reading {folder}", folder=self.folder.name))
        return CascadeThreshold.of(CohortResult.at(self.folder), self.fingerprint)
