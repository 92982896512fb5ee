"""Quantize a model, a layer at a time, telling how it goes."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from pqcomq.errors import InputError
from pqcomq.models.segmenter import Segmenter
from pqcomq.quantization.gram import (
    InputMoments,
    QuantizableLayer,
    gathering_moments,
    quantizable_layers,
    weight_matrix,
)
from pqcomq.quantization.layer_error import relative_error
from pqcomq.quantization.quantize_matrix import quantize_matrix
from pqcomq.quantization.quantized_weight import QuantizedWeight
from pqcomq.quantization.settings import QuantizationSettings
from pqcomq.quantized.calibration import Calibration
from pqcomq.quantized.model import QuantizedModel

Phase = Literal["calibrate", "quantize"]

_SHARE_OF_SWEEPS = 0.35
"""Sweep time over calibration time, as first measured; only the time left shown before any sweep has run rests on
it."""

_CALLS_PER_COLUMN = 500_000.0
"""What the calls for one column cost, in multiplications that would take as long."""


@dataclass(frozen=True)
class LayerEvent:
    """One step done.

    Attributes:
        phase: ``calibrate`` (a slice went through the model) or ``quantize`` (a layer is finished).
        name: of the layer, or of the slice.
        step: steps done in this phase.
        total: steps of this phase.
        error_before: share of the layer's output energy that rounding to nearest loses; None while calibrating.
        error_after: the same for the chosen method; None while calibrating.
        elapsed_seconds: since the start.
        remaining_seconds: estimate, both phases together.
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
    full: Segmenter, calibration: Calibration, settings: QuantizationSettings
) -> Generator[LayerEvent, None, QuantizedModel]:
    """Quantize the image encoder's linear and dense convolution layers.

    A caller may stop between any two events by closing the generator; nothing is kept then and ``full`` is untouched.

    Args:
        full: the model in full precision.
        calibration: slices whose activations the descent fits.
        settings: how.

    Yields:
        A :class:`LayerEvent` after every calibration slice and after every layer.

    Returns:
        The quantized model (a generator's return value: ``yield from``, or ``StopIteration.value``).

    Raises:
        InputError: a layer's weights or inputs are not finite or do not fit the stored format.
    """
    began = time.perf_counter()
    layers = quantizable_layers(full.image_encoder)
    moments = yield from _calibrate(full, layers, calibration, began)
    calibrated = time.perf_counter()
    work = {name: _sweep_cost(layer) for name, layer in layers.items()}
    finished: dict[str, _Finished] = {}
    for step, (name, layer) in enumerate(layers.items(), start=1):
        with _one_thread():
            # Given back as soon as they were used: the widest layers' Gram matrices are the largest thing in memory.
            finished[name] = result = _quantize_layer(name, layer, moments.pop(name), settings)
        now = time.perf_counter()
        done = sum(work[each] for each in finished)
        remaining = (now - calibrated) * (sum(work.values()) - done) / done
        yield LayerEvent("quantize", name, step, len(layers), result.before, result.after, now - began, remaining)
    return QuantizedModel.of(
        full,
        {name: result.weight for name, result in finished.items()},
        settings,
        calibration.description,
        {name: result.after for name, result in finished.items()},
        {name: result.bias for name, result in finished.items() if result.bias is not None},
    )


def _calibrate(
    full: Segmenter, layers: dict[str, QuantizableLayer], calibration: Calibration, began: float
) -> Generator[LayerEvent, None, dict[str, InputMoments]]:
    """Run the calibration slices through the encoder and sum up the moments of every layer's inputs."""
    total = len(calibration.slices)
    with gathering_moments(layers) as moments:
        for step, pixels in enumerate(calibration.slices, start=1):
            full.embed(full.framing.image(pixels))
            elapsed = time.perf_counter() - began
            remaining = elapsed / step * (total * (1 + _SHARE_OF_SWEEPS) - step)
            yield LayerEvent("calibrate", f"slice {step}", step, total, None, None, elapsed, remaining)
    return moments


@dataclass(frozen=True, eq=False)
class _Finished:
    """A layer done: its weight, its corrected bias if it has one, its error by rounding and by the chosen method."""

    weight: QuantizedWeight
    bias: Tensor | None
    before: float
    after: float


@torch.inference_mode()
def _quantize_layer(
    name: str, layer: QuantizableLayer, moments: InputMoments, settings: QuantizationSettings
) -> _Finished:
    matrix = weight_matrix(layer)
    bias = layer.bias if settings.correct_bias else None
    gram = moments.gram if bias is None else moments.centred()
    try:
        weight = quantize_matrix(matrix, gram, settings, tuple(layer.weight.shape))
        nearest = quantize_matrix(matrix, moments.gram, QuantizationSettings.plain(settings.bits)).dequantize()
    except ValueError as problem:
        raise InputError(f"layer {name!r} cannot be quantized: {problem}") from problem
    quantized = weight.dequantize().flatten(1)
    corrected = None if bias is None else bias + (matrix - quantized) @ moments.mean  # (n,)
    before = relative_error(matrix, nearest, moments.gram)
    return _Finished(weight, corrected, before, relative_error(matrix, quantized, moments.gram, gram))


@contextmanager
def _one_thread() -> Iterator[None]:
    """Keep the sweeps on one core.

    They are many short operations. Shared between threads, each ends with all of them waiting for the slowest; with any
    other work on the machine (a window being drawn, say) that waiting made sweeps ten times slower, and without it they
    gained nothing.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _sweep_cost(layer: QuantizableLayer) -> float:
    """Relative time of one sweep: each of the m columns costs a fixed number of calls and n m multiplications."""
    rows, columns = weight_matrix(layer).shape
    return columns * (_CALLS_PER_COLUMN + rows * columns)
