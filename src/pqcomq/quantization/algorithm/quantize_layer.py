"""One layer, quantized."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from pqcomq.quantization.algorithm.column_steps import quantize_columns
from pqcomq.quantization.algorithm.config import QuantizationConfig
from pqcomq.quantization.algorithm.gram import QuantizableLayer, weight_matrix
from pqcomq.quantization.algorithm.integer_weight import IntegerWeight
from pqcomq.quantization.algorithm.paired_gram import TARGET_DAMPING, PairedGram
from pqcomq.quantization.algorithm.quantize_matrix import quantize_matrix
from pqcomq.quantization.algorithm.quantized_weight import QuantizedWeight

StoredWeight = QuantizedWeight | IntegerWeight
"""What a file can hold."""


@dataclass(frozen=True, eq=False)
class QuantizedLayer:
    """What a layer became.

    Attributes:
        weight: packed, or integers for an entropy coder.
        error: ``‖X Wᵀ − X̂ Qᵀ‖² / ‖X Wᵀ‖²``, the share of its output energy lost on the calibration inputs.
        input_range: lowest and highest calibration input that the layer sees; None in files from before it was kept.
    """

    weight: StoredWeight
    error: float
    input_range: tuple[float, float] | None = None

    @torch.no_grad()
    def put_into(self, layer: QuantizableLayer) -> None:
        """Give a layer the weight, widened."""
        layer.weight.copy_(self.weight.dequantize())


def by_layer(
    results: Mapping[str, QuantizedLayer],
) -> tuple[dict[str, StoredWeight], dict[str, float], dict[str, tuple[float, float]]]:
    """Weights, errors and input ranges by layer; layers whose range is not known are missing in the last."""
    weights = {name: result.weight for name, result in results.items()}
    errors = {name: result.error for name, result in results.items()}
    ranges = {name: result.input_range for name, result in results.items() if result.input_range is not None}
    return weights, errors, ranges


def quantize_layer(layer: QuantizableLayer, grams: PairedGram, settings: QuantizationConfig) -> QuantizedLayer:
    """Quantize a layer for the inputs that it will see; the layer itself is left as it is.

    Args:
        layer: linear or dense convolution.
        grams: Gram matrices of its calibration inputs.
        settings: how; see :class:`.QuantizationConfig`.

    Raises:
        ValueError: weights or inputs are not finite, or scales would not fit float16.
    """
    matrix = weight_matrix(layer)  # (n, m)
    target = grams.target(matrix, TARGET_DAMPING)
    shape = tuple(layer.weight.shape)
    weight: StoredWeight
    if settings.stored_bits is None:
        weight = quantize_matrix(target, grams.seen.gram, settings, shape)
    else:
        weight = quantize_columns(target, grams.seen.gram, settings, shape)
    quantized = weight.dequantize().flatten(1)  # (n, m)
    seen = grams.seen
    return QuantizedLayer(weight, grams.share_lost(matrix, quantized), (seen.low, seen.high) if seen.count else None)
