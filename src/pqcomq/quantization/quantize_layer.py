"""One layer, quantized: its weight, and the bias that makes up for what the weight lost."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from pqcomq.quantization.gram import QuantizableLayer, weight_matrix
from pqcomq.quantization.layer_error import output_energy
from pqcomq.quantization.paired_moments import PairedMoments
from pqcomq.quantization.quantize_matrix import quantize_matrix
from pqcomq.quantization.quantized_weight import QuantizedWeight
from pqcomq.quantization.settings import QuantizationSettings


@dataclass(frozen=True, eq=False)
class QuantizedLayer:
    """What a layer became.

    Attributes:
        weight: packed.
        bias: (n,) float32 where it was corrected, else None: the layer keeps its own.
        error: ``‖X Wᵀ − X̂ Qᵀ‖² / ‖X Wᵀ‖²``, the share of its output energy lost on the calibration inputs.
        input_range: lowest and highest calibration input that the layer sees; None in files from before it was kept.
    """

    weight: QuantizedWeight
    bias: Tensor | None
    error: float
    input_range: tuple[float, float] | None = None

    @torch.no_grad()
    def put_into(self, layer: QuantizableLayer) -> None:
        """Give a layer the weight, widened, and the corrected bias if there is one."""
        layer.weight.copy_(self.weight.dequantize())
        if self.bias is not None:
            layer.bias.copy_(self.bias)  # type: ignore[union-attr]


def quantize_layer(layer: QuantizableLayer, moments: PairedMoments, settings: QuantizationSettings) -> QuantizedLayer:
    """Quantize a layer for the inputs that it will see; the layer itself is left as it is.

    Args:
        layer: linear or dense convolution.
        moments: of its calibration inputs.
        settings: how; see :class:`.QuantizationSettings`.

    Raises:
        ValueError: weights or inputs are not finite, or scales would not fit float16.
    """
    matrix = weight_matrix(layer)  # (n, m)
    bias = layer.bias.detach() if settings.correct_bias and layer.bias is not None else None
    fitted = moments if bias is None else moments.centred()
    target = fitted.target(matrix, settings.input_damping)
    weight = quantize_matrix(target, fitted.seen.gram, settings, tuple(layer.weight.shape))
    quantized = weight.dequantize().flatten(1)  # (n, m)
    energy = float(output_energy(matrix, moments.full.gram).sum())
    error = fitted.lost(matrix, quantized) / energy if energy > 0 else 0.0
    if bias is not None:
        bias = bias + matrix @ moments.full.mean - quantized @ moments.seen.mean
    seen = moments.seen
    return QuantizedLayer(weight, bias, error, (seen.low, seen.high) if seen.count else None)
