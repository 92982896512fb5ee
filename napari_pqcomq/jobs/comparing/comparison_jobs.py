"""A comparison in the background: the models made ready and run on boxes, in steps that touch no Qt."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from napari_pqcomq.jobs.models.choices import ModelChoice
from napari_pqcomq.jobs.models.model_cache import ModelCache
from napari_pqcomq.jobs.progress.parts import READY, part_of
from napari_pqcomq.prompts.objects.drawn_object import DrawnObject
from napari_pqcomq.translation import tr
from pqcomq.backends.runtime import Runtime
from pqcomq.comparison.compare import PromptedObject, compare_objects
from pqcomq.comparison.compared_model import ComparedModel, check_same_source
from pqcomq.comparison.comparison_result import ComparisonResult
from pqcomq.progress import Progress, Steps, prefixed
from pqcomq.quantization.quantized_model import QuantizedModel
from pqcomq.segmentation.embedding_cache import EmbeddingCache
from pqcomq.segmentation.propagation import PromptMode
from pqcomq.volumes.intensity_window import Window
from pqcomq.volumes.volume import Volume


@dataclass(frozen=True, eq=False)
class ReadyModelsJob:
    """Have full precision and its quantized copies ready to run, at once or to follow a box.

    Attributes:
        choice: the model in full precision.
        weights: its quantized copies.
        runtime: what runs them.
        models: where models stand.
    """

    choice: ModelChoice
    weights: tuple[QuantizedModel, ...]
    runtime: Runtime
    models: ModelCache

    def steps(self) -> Steps[tuple[ComparedModel, ...]]:
        """The work.

        Raises:
            InputError: the weights were made from another checkpoint, or this machine lacks the runtime.
        """
        yield Progress(0, 0, tr("Loading the model"))
        full = self.models.take(self.choice.key, self.choice.checkpoint)
        for each in self.weights:
            check_same_source(full, each)
        return (yield from self.models.compared_models(full, self.weights, self.runtime))


@dataclass(frozen=True, eq=False)
class CompareJob:
    """Run full precision and its quantized copies on boxes.

    Attributes:
        choice: the model in full precision.
        weights: its quantized copies, one to three.
        volume: what is segmented.
        window: for the models' input; None for the modality's own.
        prompts: the objects.
        mode: where the other slices' prompts come from.
        truths: object number → (z, y, x) bool, for those that have one.
        runtime: what runs the models.
        models: where models stand.
        cache: embeddings of earlier comparisons.
    """

    choice: ModelChoice
    weights: tuple[QuantizedModel, ...]
    volume: Volume
    window: Window | None
    prompts: tuple[DrawnObject, ...]
    mode: PromptMode
    truths: dict[int, np.ndarray]
    runtime: Runtime
    models: ModelCache
    cache: EmbeddingCache

    def steps(self) -> Steps[ComparisonResult]:
        """The work.

        Raises:
            InputError: the weights were made from another checkpoint, this machine lacks the runtime, or a prompt
                lies outside.
        """
        ready = ReadyModelsJob(self.choice, self.weights, self.runtime, self.models)
        full, *candidates = yield from part_of(ready.steps(), 0, READY)
        yield Progress(0, 0, tr("Warming up the models"))
        asked = [
            PromptedObject(each.name, each.asked, self.truths.get(each.number), each.number) for each in self.prompts
        ]
        work = compare_objects(
            self.volume, asked, full, candidates, mode=self.mode, window=self.window, cache=self.cache
        )
        return (yield from part_of(prefixed(work, tr("Segmenting ")), READY, 1))
