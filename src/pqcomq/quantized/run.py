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
from pqcomq.quantization.gram import QuantizableLayer, gathering_grams, quantizable_layers, weight_matrix
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
    grams = yield from _calibrate(full, layers, calibration, began)
    calibrated = time.perf_counter()
    work = {name: _sweep_cost(layer) for name, layer in layers.items()}
    weights: dict[str, QuantizedWeight] = {}
    errors: dict[str, float] = {}
    for step, (name, layer) in enumerate(layers.items(), start=1):
        # Given back as soon as it was used: the widest layers' Gram matrices are the largest thing in memory.
        with _one_thread():
            weight, before, after = _quantize_layer(name, layer, grams.pop(name), settings)
        weights[name], errors[name] = weight, after
        now = time.perf_counter()
        done = sum(work[finished] for finished in weights)
        remaining = (now - calibrated) * (sum(work.values()) - done) / done
        yield LayerEvent("quantize", name, step, len(layers), before, after, now - began, remaining)
    return QuantizedModel.of(full, weights, settings, calibration.description, errors)


def _calibrate(
    full: Segmenter, layers: dict[str, QuantizableLayer], calibration: Calibration, began: float
) -> Generator[LayerEvent, None, dict[str, Tensor]]:
    """Run the calibration slices through the encoder and sum up every layer's Gram matrix."""
    total = len(calibration.slices)
    with gathering_grams(layers) as grams:
        for step, pixels in enumerate(calibration.slices, start=1):
            full.embed(full.framing.image(pixels))
            elapsed = time.perf_counter() - began
            remaining = elapsed / step * (total * (1 + _SHARE_OF_SWEEPS) - step)
            yield LayerEvent("calibrate", f"slice {step}", step, total, None, None, elapsed, remaining)
    return grams


@torch.inference_mode()
def _quantize_layer(
    name: str, layer: QuantizableLayer, gram: Tensor, settings: QuantizationSettings
) -> tuple[QuantizedWeight, float, float]:
    """The layer's quantized weight, and its error by rounding to nearest and by the chosen method."""
    matrix = weight_matrix(layer)
    try:
        quantized = quantize_matrix(matrix, gram, settings, tuple(layer.weight.shape))
    except ValueError as problem:
        raise InputError(f"layer {name!r} cannot be quantized: {problem}") from problem
    nearest = quantize_matrix(matrix, gram, QuantizationSettings.plain(settings.bits))
    before = relative_error(matrix, nearest.dequantize(), gram)
    return quantized, before, relative_error(matrix, quantized.dequantize().flatten(1), gram)


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
