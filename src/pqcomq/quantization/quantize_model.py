"""Quantize a model, a layer at a time, telling how it goes."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass
from functools import partial
from itertools import chain, count

import torch
from torch import Tensor

from pqcomq.errors import InputError
from pqcomq.models.segmenter import Segmenter
from pqcomq.progress import Progress, translated
from pqcomq.quantization.algorithm.config import QuantizationConfig
from pqcomq.quantization.algorithm.gram import (
    InputGram,
    QuantizableLayer,
    gathering_grams,
    weight_matrix,
)
from pqcomq.quantization.algorithm.paired_gram import PairedGram
from pqcomq.quantization.algorithm.quantize_layer import QuantizedLayer, quantize_layer
from pqcomq.quantization.algorithm.quantize_matrix import quantize_matrix
from pqcomq.quantization.algorithm.single_thread import one_thread
from pqcomq.quantization.calibration import Calibration
from pqcomq.quantization.calibration_passes import CalibrationPasses
from pqcomq.quantization.layer_names import copied, layers_to_quantize
from pqcomq.quantization.mixed_precision import LayerPlan, measured_plan, uniform
from pqcomq.quantization.quantized_model import QuantizedModel
from pqcomq.quantization.resume import Journal
from pqcomq.quantization.sensitivity import model_damage
from pqcomq.quantization.sequential_forward import SequentialForward
from pqcomq.quantization.time_estimate import Phase, TimeEstimate

_SLICES_TO_PLAN_ON = 3
"""Slices whose Gram matrices decide between bit widths where layers are fitted to other inputs later."""

_BOXES_OF_DAMAGE = 3
"""Boxes on which the damage of each decoder layer is measured."""

_WORTH_SHARING = 500_000
"""Weights from which on a layer's sweeps gain by a second core."""

_CALLS_PER_COLUMN = 500_000.0
"""What the calls for one column cost, in multiplications that would take as long."""


@dataclass(frozen=True, kw_only=True)
class LayerEvent(Progress):
    """One step of a quantization done.

    Attributes:
        phase: ``calibrate`` (a slice went through the model), ``plan`` (a layer's errors and their damage were
            measured, only where bit widths are mixed) or ``quantize`` (a layer is finished).
        name: of the layer, or of the slice.
        step: steps done in this phase.
        total: steps of this phase.
        text: phase, name and errors in words.
        error_before: share of the layer's output energy that rounding to nearest would lose; None but for ``quantize``.
        error_after: the same for the chosen method; None but for ``quantize``. Where layers are fitted to the quantized
            model's inputs, the losses of the layers before are part of both.
        elapsed_seconds: since the start.
        remaining_seconds: estimate, all phases together.
    """

    phase: Phase
    name: str
    elapsed_seconds: float
    error_before: float | None = None
    error_after: float | None = None


def quantize_model(
    full: Segmenter, calibration: Calibration, settings: QuantizationConfig, journal: Journal | None = None
) -> Generator[LayerEvent, None, QuantizedModel]:
    """Quantize the image encoder's linear and dense convolution layers, and the mask decoder's if asked for.

    A caller may stop between any two events by closing the generator; ``full`` is untouched then, and nothing is kept
    but what the journal holds. All events are to be asked for in one thread.

    Args:
        full: the model in full precision.
        calibration: slices whose activations the descent fits.
        settings: how.
        journal: keeps every finished layer, so that a run that was stopped goes on from there and ends in the same
            bytes.

    Yields:
        A :class:`LayerEvent` after every calibration slice and after every layer.

    Returns:
        The quantized model (a generator's return value: ``yield from``, or ``StopIteration.value``).

    Raises:
        InputError: a layer's weights or inputs are not finite or do not fit the stored format, or the budget is too
            small.
    """
    run = _Run(full, calibration, settings, journal)
    grams: dict[str, InputGram] = {}
    if settings.inputs == "full":
        grams = yield from run.calibrated(list(range(len(run.passes))))
    plan = uniform(run.layers, settings)
    if settings.budget is not None:
        plan = yield from run.planned(grams)
    results = yield from run.quantized(plan, grams)
    return QuantizedModel.of(full, results, settings, calibration.description)


class _Run:
    """What the phases of a run share.

    Attributes:
        layers: name → layer of the model in full precision.
        passes: the calibration slices.
    """

    def __init__(
        self, full: Segmenter, calibration: Calibration, settings: QuantizationConfig, journal: Journal | None
    ) -> None:
        self._full, self._settings, self._journal = full, settings, journal
        self.layers = layers_to_quantize(full, decoder=settings.decoder)
        self.passes = CalibrationPasses(full, calibration, settings)
        walks = settings.inputs == "quantized"
        slices = _SLICES_TO_PLAN_ON if walks else len(self.passes)
        self._clock = TimeEstimate(slices, len(self.passes), plans=settings.budget is not None, walks=walks)

    def calibrated(self, numbers: list[int]) -> Generator[LayerEvent, None, dict[str, InputGram]]:
        """Run calibration slices through the model and sum up the Gram matrices of every layer's inputs."""
        total = len(numbers)
        with gathering_grams(self.layers) as grams:
            for step, run in enumerate(self.passes.through(self._full, numbers), start=1):
                run()
                yield self._event("calibrate", f"slice {step}", step, total, step / total)
        return grams

    def planned(self, grams: dict[str, InputGram]) -> Generator[LayerEvent, None, dict[str, LayerPlan]]:
        """Measure on the middle slice what each layer's errors do, and spend the budget.

        Args:
            grams: of every layer's inputs; where there are none, those on a few slices do.
        """
        kept = self._journal.plan() if self._journal else None
        if kept:
            return kept
        if not grams:
            grams = yield from self.calibrated(self.passes.some(_SLICES_TO_PLAN_ON))
        image, boxes = self.passes.image(self.passes.middle), self.passes.boxes(self.passes.middle)[:_BOXES_OF_DAMAGE]
        damage = partial(model_damage, copied(self._full), image, boxes)
        work = measured_plan(self.layers, grams, self._settings, damage)
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
        """Quantize every layer; the results come in the order of :attr:`layers`."""
        low = copied(self._full)
        low_layers = layers_to_quantize(low, decoder=self._settings.decoder)
        pairs: SequentialForward | Generator[tuple[str, PairedGram], None, None]
        if self._settings.inputs == "quantized":
            through = self.passes.through
            pairs = SequentialForward(through(self._full), through(low), self.layers, low_layers)
        else:
            pairs = _standing(grams)
        finished: dict[str, QuantizedLayer] = {}
        work = {name: _sweep_cost(layer) for name, layer in self.layers.items()}
        total, done = len(self.layers), 0.0
        with closing(pairs):  # here and now: an error's traceback would keep the passes for another thread to end
            for name, paired in chain(pairs, _unreached(self.layers, finished)):
                settings = plan[name].settings(self._settings)
                before, finished[name] = _quantize(name, self.layers[name], paired, settings, self._journal)
                finished[name].put_into(low_layers[name])
                done += work[name]
                share = done / sum(work.values())
                yield self._event("quantize", name, len(finished), total, share, before, finished[name].error)
        return {name: finished[name] for name in self.layers}

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
            _text(phase, name, before, after),
            left,
            phase=phase,
            name=name,
            elapsed_seconds=self._clock.elapsed,
            error_before=before,
            error_after=after,
        )


def _text(phase: Phase, name: str, before: float | None, after: float | None) -> str:
    """One line for people."""
    if phase == "plan":
        return f"Choosing bit widths: {name}"
    if before is None or after is None:
        return f"Calibrating: {name}"
    return f"Quantized {name}: error {before:.2%} → {after:.2%}"


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
def _quantize(
    name: str, layer: QuantizableLayer, paired: PairedGram, settings: QuantizationConfig, journal: Journal | None
) -> tuple[float, QuantizedLayer]:
    """A layer's error by rounding to nearest, and the layer by the chosen method, taken from the journal if there."""
    matrix = weight_matrix(layer)
    with _threads_for(matrix):
        try:
            nearest = quantize_matrix(matrix, paired.full.gram, QuantizationConfig.plain(settings.bits))
            before = paired.share_lost(matrix, nearest.dequantize())
            kept = journal.layer(name) if journal else None
            result = kept or quantize_layer(layer, paired, settings)
        except ValueError as problem:
            raise InputError(f"layer {name!r} cannot be quantized: {problem}") from problem
    if journal and kept is None:
        journal.keep_layer(name, result)
    return before, result


def _threads_for(matrix: Tensor) -> AbstractContextManager[None]:
    """Keep the sweeps of all but large layers on one core.

    They are many short operations. Shared between threads, each ends with all of them waiting for the slowest; with any
    other work on the machine (a window being drawn, say) that waiting made sweeps ten times slower, and without it they
    gained nothing. In large layers the matrix products dominate.
    """
    return one_thread() if matrix.numel() < _WORTH_SHARING else nullcontext()


def _sweep_cost(layer: QuantizableLayer) -> float:
    """Relative time of one sweep: each of the m columns costs a fixed number of calls and n m multiplications."""
    rows, columns = weight_matrix(layer).shape
    return columns * (_CALLS_PER_COLUMN + rows * columns)
