"""Bit width and group size of every layer under a budget, by how much each layer's errors hurt the embedding."""

from __future__ import annotations

import copy
from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from pqcomq.errors import InputError
from pqcomq.quantization.allocation import Option, allocate
from pqcomq.quantization.gram import InputMoments, QuantizableLayer, quantizable_layers, weight_matrix
from pqcomq.quantization.layer_error import relative_error
from pqcomq.quantization.quantize_matrix import quantize_matrix
from pqcomq.quantization.settings import QuantizationSettings
from pqcomq.quantized.sensitivity import measured_damage

GROUP_SIZES = (32, 64, 128)

_TRIED_BITS = (2, 4)

_EIGHT_OVER_FOUR = (15 / 255) ** 2
"""Rounding errors fall with the square of the step, so 8 bits need no trial of their own (measured: 1/256)."""


@dataclass(frozen=True)
class LayerPlan:
    """How one layer is stored.

    Attributes:
        bits: bit width.
        group_size: input channels that share a scale.
    """

    bits: int
    group_size: int

    def settings(self, common: QuantizationSettings) -> QuantizationSettings:
        """The common settings with this layer's own width and groups."""
        return replace(common, bits=self.bits, group_size=self.group_size)


def uniform(layers: Mapping[str, QuantizableLayer], settings: QuantizationSettings) -> dict[str, LayerPlan]:
    """The same for every layer."""
    return {name: LayerPlan(settings.bits, settings.group_size) for name in layers}


def measured_plan(
    encoder: nn.Module, image: Tensor, moments: Mapping[str, InputMoments], settings: QuantizationSettings
) -> Generator[str, None, dict[str, LayerPlan]]:
    """Spend ``settings.budget`` where it helps most.

    Args:
        encoder: in full precision.
        image: (1, 3, side, side), a calibration slice on which damage is measured.
        moments: layer name → moments of its inputs.
        settings: with a budget.

    Yields:
        The name of each layer that has been measured.

    Returns:
        Layer name → width and groups.

    Raises:
        InputError: the budget is too small, or a layer's weights or inputs are not finite.
    """
    if settings.budget is None:
        raise ValueError("a measured plan needs a budget")
    working = copy.deepcopy(encoder)
    layers = quantizable_layers(working)
    errors: dict[str, dict[LayerPlan, tuple[float, int]]] = {}
    typical: dict[str, Tensor] = {}
    nominal = LayerPlan(min(settings.bits, max(_TRIED_BITS)), 64)
    for name, layer in layers.items():
        errors[name], typical[name] = _trials(name, layer, moments[name].gram, settings, nominal)
        yield name
    options: dict[str, list[Option]] = {}
    for name, damage in measured_damage(working, image, typical):
        lost = errors[name][nominal][0]
        weight = damage / lost if lost > 0 else 0.0
        options[name] = [
            Option(plan.bits, plan.group_size, size, weight * error) for plan, (error, size) in errors[name].items()
        ]
        yield name
    count = sum(weight_matrix(layer).numel() for layer in layers.values())
    try:
        chosen = allocate(options, settings.budget * count)
    except ValueError as problem:
        raise InputError(f"a budget of {settings.budget} bits a weight is too small: {problem}") from problem
    return {name: LayerPlan(option.bits, option.group_size) for name, option in chosen.items()}


@torch.inference_mode()
def _trials(
    name: str, layer: QuantizableLayer, gram: Tensor, settings: QuantizationSettings, nominal: LayerPlan
) -> tuple[dict[LayerPlan, tuple[float, int]], Tensor]:
    """Relative error and storage of every choice, after the first pass alone; and the nominal choice's weight."""
    matrix = weight_matrix(layer)
    quick = replace(settings, sweeps=0, correct_bias=False)
    found: dict[LayerPlan, tuple[float, int]] = {}
    typical = matrix
    for group in GROUP_SIZES:
        for bits in _TRIED_BITS:
            plan = LayerPlan(bits, group)
            try:
                weight = quantize_matrix(matrix, gram, plan.settings(quick), tuple(layer.weight.shape))
            except ValueError as problem:
                raise InputError(f"layer {name!r} cannot be quantized: {problem}") from problem
            quantized = weight.dequantize().flatten(1)
            error = relative_error(matrix, quantized, gram)
            found[plan] = error, weight.storage_bits
            if plan == nominal:
                typical = quantized
        four, size = found[LayerPlan(4, group)]
        # Twice the codes, the same scales, zero-points and permutation.
        found[LayerPlan(8, group)] = four * _EIGHT_OVER_FOUR, size + 4 * matrix.numel()
    return found, typical
