"""The run over a model's layers, whatever the model is: calibrate, plan bit widths, quantize layer by layer."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from concurrent.futures import wait
from contextlib import closing
from functools import partial
from itertools import chain, count
from typing import Generic, Protocol, TypeVar

import torch
from torch import Tensor

from pqcomq.cpu_settings import give_back_between
from pqcomq.errors import InputError
from pqcomq.progress import translated
from pqcomq.quantization.algorithm.config import QuantizationConfig
from pqcomq.quantization.algorithm.gram import InputGram, PassGrams, QuantizableLayer, no_grams, weight_matrix
from pqcomq.quantization.algorithm.paired_gram import PairedGram
from pqcomq.quantization.algorithm.quantize_layer import QuantizedLayer, quantize_layer
from pqcomq.quantization.algorithm.quantize_matrix import quantize_matrix
from pqcomq.quantization.algorithm.single_thread import one_thread
from pqcomq.quantization.calibration.lanes import Lanes
from pqcomq.quantization.calibration.passes import Pass
from pqcomq.quantization.calibration.sequential_forward import SequentialForward
from pqcomq.quantization.files.resume import Journal
from pqcomq.quantization.layer_events import LayerEvent, event_text
from pqcomq.quantization.planning.layer_times import layer_times, watched_pass
from pqcomq.quantization.planning.mixed_precision import LayerPlan, measured_plan, uniform
from pqcomq.quantization.planning.rate_plan import measured_rates
from pqcomq.quantization.planning.time_estimate import Phase, TimeEstimate
from pqcomq.quantization.workers import Workers

ModelT = TypeVar("ModelT")

_MOST_BYTES_UNDER_WAY = 4 * 2**30
"""Of Gram matrices that passes hold beside the sums: a pass of MedSAM ViT-B has 0.6 GB of them, one of SAM ViT-H 4."""

_GIVES_BACK_AFTER = 16
"""Layers: after each one, a fifth of the processors' time went into memory that was taken again at once."""


class QuantizationTarget(Protocol[ModelT]):
    """What is quantized: a model of the MedSAM family, or any other network."""

    full: ModelT
    """In full precision."""

    input_title: str
    """What a calibration input is, for people, e.g. ``"slice"``."""

    def __len__(self) -> int:
        """How many calibration inputs there are."""

    def layers(self, model: ModelT) -> dict[str, QuantizableLayer]:
        """The layers of a model (:attr:`full` or a copy) that are quantized, by name."""

    def copied(self) -> ModelT:
        """A copy of :attr:`full` whose layers may be changed."""

    side_by_side: bool
    """Whether several passes may run through one model at a time, in threads of their own."""

    def passes(self, model: ModelT) -> list[Pass]:
        """All calibration inputs through a model, all of which halt together; each when called."""

    def full_passes(self) -> list[Pass]:
        """All calibration inputs through :attr:`full`, one after the other; they may show more than :meth:`passes`."""

    def sees_more(self, name: str) -> bool:
        """Whether a layer saw things in :meth:`full_passes` that :meth:`passes` do not show it."""

    def damage(self, trials: Mapping[str, Tensor], workers: Workers) -> Iterator[tuple[str, float]]:
        """What each layer's trial weight does to the output, see :mod:`.sensitivity`."""


class LayerwiseRun(Generic[ModelT]):
    """Quantizes one layer after the other.

    Attributes:
        layers: name → layer of the model in full precision.
    """

    def __init__(
        self, target: QuantizationTarget[ModelT], settings: QuantizationConfig, journal: Journal | None = None
    ) -> None:
        self._target, self._settings, self._journal = target, settings, journal
        self.layers = target.layers(target.full)
        self._walks = settings.inputs == "quantized"
        self._plans = settings.budget is not None or settings.stored_bits is not None
        self._clock = TimeEstimate(len(target), plans=self._plans, walks=self._walks)

    def run(self) -> Generator[LayerEvent, None, dict[str, QuantizedLayer]]:
        """All phases, see :meth:`_phases`; what comes out does not depend on the number of threads.

        That holds where passes may run side by side, each of them on one core. Otherwise they take torch's threads.
        """
        self._workers = Workers(torch.get_num_threads() if self._target.side_by_side else 0)
        return (yield from self._workers.working(self._phases()))

    def _phases(self) -> Generator[LayerEvent, None, dict[str, QuantizedLayer]]:
        """All phases.

        Yields:
            A :class:`.LayerEvent` after every calibration input and every layer.

        Returns:
            Layer name → what it became, in the order of :attr:`layers`.

        Raises:
            InputError: a layer's weights or inputs are not finite or do not fit the stored format, or the budget is too
                small.
        """
        further = [name for name in self.layers if self._walks and self._target.sees_more(name)]
        kept = self._journal.plan() if self._journal and self._plans else None
        if kept is not None and kept.keys() != self.layers.keys():
            kept = None  # of other layers than the model has
        grams: dict[str, InputGram] = {}
        if not self._walks or further or (self._plans and not kept):
            grams = yield from self.calibrated()
        plan = kept or uniform(self.layers, self._settings)
        if self._plans and not kept:
            plan = yield from self.planned(grams)
        if self._walks:
            grams = {name: grams[name] for name in further}  # the others, the largest things in memory, are let go
        return (yield from self.quantized(plan, grams))

    def calibrated(self) -> Generator[LayerEvent, None, dict[str, InputGram]]:
        """Run calibration inputs through the model and sum up the Gram matrices of every layer's inputs."""
        total = len(self._target)
        grams, watching = no_grams(self.layers), PassGrams(self.layers)
        of_a_pass = sum(each.gram.nbytes for each in grams.values())
        most = max(1, min(self._workers.count, _MOST_BYTES_UNDER_WAY // max(of_a_pass, 1)))
        runs = self._workers.in_order((partial(watching.of, run) for run in self._target.full_passes()), most)
        try:
            with closing(runs):
                for step, seen in enumerate(runs, start=1):
                    for name, further in seen.items():
                        grams[name].add_known(further)
                    seen.clear()  # large, and not to be held until the next pass is taken
                    yield self._event("calibrate", f"{self._target.input_title} {step}", step, total, step / total)
        finally:
            watching.end()
        return grams

    def planned(self, grams: dict[str, InputGram]) -> Generator[LayerEvent, None, dict[str, LayerPlan]]:
        """Measure what each layer's errors do to the output, and spend the budget.

        Args:
            grams: of every layer's inputs.
        """
        measure = measured_plan if self._settings.stored_bits is None else measured_rates
        damage = partial(self._target.damage, workers=self._workers)
        work = measure(self.layers, grams, self._settings, damage, self._workers)
        steps, total = count(1), 2 * len(self.layers)  # a layer is tried, then its damage measured

        def told(name: str) -> LayerEvent:
            step = next(steps)
            return self._event("plan", name, step, total, step / total)

        plan = yield from translated(work, told)
        if self._journal:
            self._journal.keep_plan(plan)
        return plan

    def quantized(
        self, plan: dict[str, LayerPlan], grams: dict[str, InputGram]
    ) -> Generator[LayerEvent, None, dict[str, QuantizedLayer]]:
        """Quantize every layer; the results come in the order of :attr:`layers`.

        Args:
            plan: of every layer.
            grams: of every layer's inputs, or where layers are fitted to the quantized model's inputs, what is known
                of some beyond those.
        """
        work = self._times(calibrated=bool(grams) or self._plans)  # before the copy: a network may keep what it saw
        low = self._target.copied()
        low_layers = self._target.layers(low)
        pairs: Lanes | SequentialForward | Generator[tuple[str, PairedGram], None, None]
        if self._walks:
            passes, full = self._target.passes, self._target.full
            two = passes(full), passes(low), self.layers, low_layers
            pairs = Lanes(*two, self._workers) if self._workers.count else SequentialForward(*two)
        else:
            pairs = _standing(grams)
        finished: dict[str, QuantizedLayer] = {}
        total, done = len(self.layers), 0.0
        with closing(pairs):  # here and now: an error's traceback would keep the passes for another thread to end
            for name, paired in chain(pairs, _unreached(self.layers, finished)):
                if self._walks and name in grams:
                    paired.add_unchanged(grams.pop(name))
                before, finished[name] = self._layer(name, paired, plan[name].settings(self._settings))
                if len(finished) % _GIVES_BACK_AFTER == 0:
                    give_back_between()
                finished[name].put_into(low_layers[name])
                done += work[name]
                share = done / sum(work.values())
                yield self._event("quantize", name, len(finished), total, share, before, finished[name].error)
        return {name: finished[name] for name in self.layers}

    def _times(self, *, calibrated: bool) -> dict[str, float]:
        """How long each layer will take, in passes' time.

        Where no pass was run yet, one is, that its time and its way through the layers are known: it takes less than a
        tenth of the shortest quantization.
        """
        if calibrated or not self._walks:
            return layer_times(self.layers, len(self._target) if self._walks else 0)
        seconds, reached = watched_pass(self._target.passes(self._target.full)[0], self.layers)
        times = layer_times(self.layers, len(self._target), reached)
        self._clock.expect("quantize", sum(times.values()), seconds)
        return times

    def _layer(self, name: str, paired: PairedGram, settings: QuantizationConfig) -> tuple[float, QuantizedLayer]:
        """A layer's error by rounding to nearest, and what it became by the chosen method.

        Raises:
            InputError: its weights or inputs are not finite or do not fit the stored format.
        """
        layer = self.layers[name]
        nearest = self._workers.beside(partial(_error_of_nearest, layer, paired, settings))
        try:
            result = _quantized(name, layer, paired, settings, self._journal)
            return nearest.result(), result
        except ValueError as problem:
            raise InputError(f"layer {name!r} cannot be quantized: {problem}") from problem
        finally:
            wait([nearest])  # it looks at matrices that the caller lets go

    def _event(
        self,
        phase: Phase,
        name: str,
        step: int,
        total: int,
        share: float,
        before: float | None = None,
        after: float | None = None,
    ) -> LayerEvent:
        """A step done, which completes ``share`` of its phase."""
        left = self._clock.left(phase, share)
        return LayerEvent(
            step,
            total,
            event_text(phase, name, before, after),
            left,
            phase=phase,
            name=name,
            elapsed_seconds=self._clock.elapsed,
            error_before=before,
            error_after=after,
        )


def _standing(grams: dict[str, InputGram]) -> Generator[tuple[str, PairedGram], None, None]:
    """Layers as if all others stayed in full precision.

    Each one's Gram matrices, the largest things in memory, are given back as soon as they were used.
    """
    for name in list(grams):
        yield name, PairedGram.same(grams.pop(name))


def _unreached(
    layers: Mapping[str, QuantizableLayer], finished: Mapping[str, QuantizedLayer]
) -> Iterator[tuple[str, PairedGram]]:
    """Layers that no pass came to; nothing is known of what they will see, so all their inputs count alike."""
    for name, layer in layers.items():
        if name not in finished:
            yield name, PairedGram.empty(weight_matrix(layer).shape[1])


@torch.inference_mode()
def _quantized(
    name: str, layer: QuantizableLayer, paired: PairedGram, settings: QuantizationConfig, journal: Journal | None
) -> QuantizedLayer:
    """The layer by the chosen method, taken from the journal if there."""
    kept = journal.layer(name, tuple(layer.weight.shape)) if journal else None
    if kept is not None:
        return kept
    with one_thread():  # shared between threads, its many short operations would wait for each other
        result = quantize_layer(layer, paired, settings)
    if journal:
        journal.keep_layer(name, result)
    return result


def _error_of_nearest(layer: QuantizableLayer, paired: PairedGram, settings: QuantizationConfig) -> float:
    """A layer's error by rounding to nearest, to tell what the chosen method's is held against."""
    matrix = weight_matrix(layer)
    nearest = quantize_matrix(matrix, paired.full.gram, _nearest(settings))
    return paired.share_lost(matrix, nearest.dequantize())


def _nearest(settings: QuantizationConfig) -> QuantizationConfig:
    """Round to nearest at the same bit width, or at the one nearest to an entropy-coded layer's bits."""
    rate = settings.stored_bits
    return QuantizationConfig.plain(settings.bits if rate is None else 2 if rate < 3 else 4)
