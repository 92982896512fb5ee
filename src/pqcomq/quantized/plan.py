"""Bit width and group size of every layer under a budget, by how much each layer's errors hurt the output."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from pqcomq.errors import InputError
from pqcomq.quantization.allocation import Option, allocate
from pqcomq.quantization.gram import InputMoments, QuantizableLayer, weight_matrix
from pqcomq.quantization.layer_error import relative_error
from pqcomq.quantization.quantize_matrix import quantize_matrix
from pqcomq.quantization.settings import QuantizationSettings

Damage = Callable[[Mapping[str, Tensor]], Iterator[tuple[str, float]]]
"""Trial weights by layer name → each layer's name and the damage to the model's output, see :mod:`.sensitivity`."""

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
    layers: Mapping[str, QuantizableLayer],
    moments: Mapping[str, InputMoments],
    settings: QuantizationSettings,
    damage: Damage,
) -> Generator[str, None, dict[str, LayerPlan]]:
    """Spend ``settings.budget`` where it helps most.

    Args:
        layers: of one part of the model, by name.
        moments: layer name → moments of its inputs.
        settings: with a budget.
        damage: of trial weights.

    Yields:
        The name of each layer once it was tried, and once its damage was measured.

    Returns:
        Layer name → width and groups.

    Raises:
        InputError: the budget is too small, or a layer's weights or inputs are not finite.
    """
    if settings.budget is None:
        raise ValueError("a measured plan needs a budget")
    errors: dict[str, dict[LayerPlan, tuple[float, int]]] = {}
    typical: dict[str, Tensor] = {}
    nominal = LayerPlan(min(settings.bits, max(_TRIED_BITS)), 64)
    for name, layer in layers.items():
        errors[name], typical[name] = _trials(name, layer, moments[name].gram, settings, nominal)
        yield name
    options: dict[str, list[Option]] = {}
    for name, harm in damage(typical):
        lost = errors[name][nominal][0]
        weight = harm / lost if lost > 0 else 0.0
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
