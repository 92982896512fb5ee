"""Quantize a model, a layer at a time, telling how it goes."""

from __future__ import annotations

import copy
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from typing import Literal

import torch
from torch import Tensor

from pqcomq.errors import InputError
from pqcomq.models.framing import boxes_tensor
from pqcomq.models.segmenter import Segmenter
from pqcomq.quantization.gram import (
    InputMoments,
    QuantizableLayer,
    gathering_moments,
    quantizable_layers,
    weight_matrix,
)
from pqcomq.quantization.paired_moments import PairedMoments
from pqcomq.quantization.quantize_layer import QuantizedLayer, quantize_layer
from pqcomq.quantization.quantize_matrix import quantize_matrix
from pqcomq.quantization.settings import QuantizationSettings
from pqcomq.quantized.calibration import Calibration
from pqcomq.quantized.clock import Clock
from pqcomq.quantized.journal import Journal
from pqcomq.quantized.model import QuantizedModel
from pqcomq.quantized.parts import DECODER, layers_to_quantize
from pqcomq.quantized.plan import Damage, LayerPlan, measured_plan, uniform
from pqcomq.quantized.prompt_boxes import prompt_boxes
from pqcomq.quantized.sensitivity import decoder_damage, encoder_damage
from pqcomq.quantized.walk import walk

Phase = Literal["calibrate", "plan", "quantize"]

_BOXES_OF_DAMAGE = 3
"""Boxes on which the damage of each decoder layer is measured."""

_WORTH_SHARING = 500_000
"""Weights from which on a layer's sweeps gain by a second core."""

_CALLS_PER_COLUMN = 500_000.0
"""What the calls for one column cost, in multiplications that would take as long."""


@dataclass(frozen=True)
class LayerEvent:
    """One step done.

    Attributes:
        phase: ``calibrate`` (a slice went through the model), ``plan`` (a layer's errors and their damage were
            measured, only where bit widths are mixed) or ``quantize`` (a layer is finished).
        name: of the layer, or of the slice.
        step: steps done in this phase.
        total: steps of this phase.
        error_before: share of the layer's output energy that rounding to nearest would lose; None but for ``quantize``.
        error_after: the same for the chosen method; None but for ``quantize``. Where layers are fitted to the quantized
            model's inputs, the losses of the layers before are part of both.
        elapsed_seconds: since the start.
        remaining_seconds: estimate, all phases together.
    """

    phase: Phase
    name: str
    step: int
    total: int
    error_before: float | None
    error_after: float | None
    elapsed_seconds: float
    remaining_seconds: float


def quantize_model(
    full: Segmenter, calibration: Calibration, settings: QuantizationSettings, journal: Journal | None = None
) -> Generator[LayerEvent, None, QuantizedModel]:
    """Quantize the image encoder's linear and dense convolution layers, and the mask decoder's if asked for.

    A caller may stop between any two events by closing the generator; ``full`` is untouched then, and nothing is kept
    but what the journal holds.

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
    layers = layers_to_quantize(full, decoder=settings.decoder)
    images = [full.framing.image(pixels) for pixels in calibration.slices]
    plans, walks = settings.budget is not None, settings.inputs == "quantized"
    clock = Clock(len(images), plans=plans, walks=walks)
    moments = yield from _calibrate(full, layers, calibration, images, clock)
    plan = uniform(layers, settings)
    if plans:
        plan = (journal and journal.plan()) or (
            yield from _planned(full, calibration, images, moments, settings, clock)
        )
        if journal:
            journal.keep_plan(plan)
    clock.next_phase()
    work = {name: _sweep_cost(layer) for name, layer in layers.items()}
    low = copy.deepcopy(full.image_encoder)
    low_layers = quantizable_layers(low)
    of_encoder = {name: moments.pop(name) for name in low_layers}
    encoder = walk(full.image_encoder, low, images, of_encoder) if walks else _standing(of_encoder)
    finished: dict[str, QuantizedLayer] = {}
    done = 0.0
    for name, paired in chain(encoder, _standing(moments)):
        before, result = _quantize(name, layers[name], paired, plan[name].settings(settings), journal)
        if name in low_layers:
            result.put_into(low_layers[name])
        finished[name] = result
        done += work[name]
        left = clock.left(2, done / sum(work.values()))
        yield LayerEvent("quantize", name, len(finished), len(layers), before, result.error, clock.elapsed, left)
    return QuantizedModel.of(full, {name: finished[name] for name in layers}, settings, calibration.description)


def _calibrate(
    full: Segmenter,
    layers: dict[str, QuantizableLayer],
    calibration: Calibration,
    images: list[Tensor],
    clock: Clock,
) -> Generator[LayerEvent, None, dict[str, InputMoments]]:
    """Run the calibration slices through the model and sum up the moments of every layer's inputs."""
    total = len(images)
    with_decoder = any(name.startswith(DECODER) for name in layers)
    with gathering_moments(layers) as moments:
        for step, image in enumerate(images, start=1):
            features = full.embed(image)
            if with_decoder:
                full.logits(features, _boxes(full, calibration, step - 1))
            left = clock.left(0, step / total)
            yield LayerEvent("calibrate", f"slice {step}", step, total, None, None, clock.elapsed, left)
    return moments


def _boxes(full: Segmenter, calibration: Calibration, index: int) -> Tensor:
    """The boxes (B, 1, 4) that the decoder is calibrated with on one slice."""
    pixels = calibration.slices[index]
    return boxes_tensor(full.framing, prompt_boxes(pixels, seed=index), pixels.shape)


def _planned(
    full: Segmenter,
    calibration: Calibration,
    images: list[Tensor],
    moments: dict[str, InputMoments],
    settings: QuantizationSettings,
    clock: Clock,
) -> Generator[LayerEvent, None, dict[str, LayerPlan]]:
    """Measure on the middle slice what each layer's errors do, and spend the budget; encoder and decoder each."""
    clock.next_phase()
    middle = len(images) // 2
    encoder, decoder = copy.deepcopy(full.image_encoder), copy.deepcopy(full.mask_decoder)
    scratch = replace(full, image_encoder=encoder, mask_decoder=decoder)
    layers = layers_to_quantize(scratch, decoder=settings.decoder)
    of_decoder = {name: layer for name, layer in layers.items() if name.startswith(DECODER)}
    of_encoder = {name: layer for name, layer in layers.items() if name not in of_decoder}
    parts: list[tuple[dict[str, QuantizableLayer], Damage]] = [
        (of_encoder, lambda trials: encoder_damage(encoder, images[middle], trials))
    ]
    if of_decoder:
        features, boxes = full.embed(images[middle]), _boxes(full, calibration, middle)[:_BOXES_OF_DAMAGE]
        parts.append(
            (of_decoder, lambda trials: decoder_damage(of_decoder, lambda: scratch.logits(features, boxes), trials))
        )
    plan: dict[str, LayerPlan] = {}
    step, total = 0, 2 * len(layers)  # each layer is tried, then its damage is measured
    for part, damage in parts:
        work = measured_plan(part, moments, settings, damage)
        while True:
            try:
                name = next(work)
            except StopIteration as end:
                plan |= end.value
                break
            step += 1
            left = clock.left(1, step / total)
            yield LayerEvent("plan", name, step, total, None, None, clock.elapsed, left)
    return plan


def _standing(moments: dict[str, InputMoments]) -> Iterator[tuple[str, PairedMoments]]:
    """Layers as if all others stayed in full precision.

    Each one's moments, the largest things in memory, are given back as soon as they were used.
    """
    for name in list(moments):
        yield name, PairedMoments.same(moments.pop(name))


@torch.inference_mode()
def _quantize(
    name: str, layer: QuantizableLayer, paired: PairedMoments, settings: QuantizationSettings, journal: Journal | None
) -> tuple[float, QuantizedLayer]:
    """A layer's error by rounding to nearest, and the layer by the chosen method, taken from the journal if there."""
    matrix = weight_matrix(layer)
    with _threads_for(matrix):
        try:
            nearest = quantize_matrix(matrix, paired.full.gram, QuantizationSettings.plain(settings.bits))
            before = paired.share_lost(matrix, nearest.dequantize())
            kept = journal.layer(name) if journal else None
            result = kept or quantize_layer(layer, paired, settings)
        except ValueError as problem:
            raise InputError(f"layer {name!r} cannot be quantized: {problem}") from problem
    if journal and kept is None:
        journal.keep_layer(name, result)
    return before, result


@contextmanager
def _threads_for(matrix: Tensor) -> Iterator[None]:
    """Keep the sweeps of all but large layers on one core.

    They are many short operations. Shared between threads, each ends with all of them waiting for the slowest; with any
    other work on the machine (a window being drawn, say) that waiting made sweeps ten times slower, and without it they
    gained nothing. In large layers the matrix products dominate.
    """
    threads = torch.get_num_threads()
    if matrix.numel() < _WORTH_SHARING:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _sweep_cost(layer: QuantizableLayer) -> float:
    """Relative time of one sweep: each of the m columns costs a fixed number of calls and n m multiplications."""
    rows, columns = weight_matrix(layer).shape
    return columns * (_CALLS_PER_COLUMN + rows * columns)
