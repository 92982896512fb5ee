"""Bit width and group size of every layer under a budget, by how much each layer's errors hurt the output."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial

from torch import Tensor

from pqcomq.errors import InputError
from pqcomq.quantization.algorithm.bit_allocation import BitOption, allocate
from pqcomq.quantization.algorithm.coarse_scales import coarse_bits
from pqcomq.quantization.algorithm.config import BIT_WIDTHS, LAYER_WIDTHS, QuantizationConfig
from pqcomq.quantization.algorithm.gram import InputGram, QuantizableLayer, weight_matrix
from pqcomq.quantization.algorithm.output_error import output_energy, relative_error
from pqcomq.quantization.algorithm.packing import row_bytes
from pqcomq.quantization.algorithm.quantize_matrix import PreparedMatrix, quantize_matrix, quantize_prepared
from pqcomq.quantization.algorithm.quantized_weight import QuantizedWeight
from pqcomq.quantization.algorithm.scale_groups import ScaleGroups
from pqcomq.quantization.workers import Workers

Damage = Callable[[Mapping[str, Tensor]], Iterator[tuple[str, float]]]
"""Trial weights by layer name → each layer's name and the damage to the model's output, see :mod:`.sensitivity`."""

GROUP_SIZES = (32, 64, 128)

_BEYOND_FOUR = {bits: (15 / (2**bits - 1)) ** 2 for bits in (5, 6, 8)}
"""Rounding errors fall with the square of the step, so more than 4 bits need no trials of their own (8 bits measured:
1/256)."""

_TRIED_ROWS = 256
"""Output channels that are tried at least, where a layer has so many."""


@dataclass(frozen=True)
class LayerPlan:
    """How one layer is stored.

    Attributes:
        bits: bit width.
        group_size: input channels that share a scale.
        stored_bits: of an entropy-coded layer, bits a weight; None for others.
    """

    bits: int
    group_size: int
    stored_bits: float | None = None

    def settings(self, common: QuantizationConfig) -> QuantizationConfig:
        """The common settings with this layer's own width and groups, or bits."""
        if self.stored_bits is not None:
            return replace(common, stored_bits=self.stored_bits)
        if common.method == "ecq":  # one scale a row: the least side information
            plain = QuantizationConfig(
                self.bits, "comq", granularity="channel", permutation="none", zero_point="symmetric"
            )
            return replace(plain, damping=common.damping)
        return replace(common, bits=self.bits, group_size=self.group_size, budget=None)


def uniform(layers: Mapping[str, QuantizableLayer], settings: QuantizationConfig) -> dict[str, LayerPlan]:
    """The same for every layer."""
    return {name: LayerPlan(settings.bits, settings.group_size) for name in layers}


def measured_plan(
    layers: Mapping[str, QuantizableLayer],
    grams: Mapping[str, InputGram],
    settings: QuantizationConfig,
    damage: Damage,
    workers: Workers,
) -> Generator[str, None, dict[str, LayerPlan]]:
    """Spend ``settings.budget`` where it helps most.

    Args:
        layers: of one part of the model, by name.
        grams: layer name → Gram matrix of its inputs.
        settings: with a budget.
        damage: of trial weights.
        workers: threads that try layers beside each other.

    Yields:
        The name of each layer once it was tried, and once its damage was measured.

    Returns:
        Layer name → width and groups.

    Raises:
        InputError: the budget is too small, or a layer's weights or inputs are not finite.
    """
    if settings.budget is None:
        raise ValueError("a measured plan needs a budget")
    options: dict[str, list[BitOption]] = {}
    typical: dict[str, Tensor] = {}
    tried = workers.in_order(
        partial(_trials, name, layer, grams[name].gram, settings) for name, layer in layers.items()
    )
    with closing(tried):
        for name, (ways, weight) in zip(layers, tried, strict=True):
            options[name], typical[name] = ways, weight
            yield name
    for name, harm in damage(typical):
        options[name] = [replace(option, harm=harm * option.harm) for option in options[name]]
        yield name
    count = sum(weight_matrix(layer).numel() for layer in layers.values())
    try:
        chosen = allocate(options, settings.budget * count)
    except ValueError as problem:
        raise InputError(f"a budget of {settings.budget} bits a weight is too small: {problem}") from problem
    return {name: LayerPlan(option.bits, option.group_size) for name, option in chosen.items()}


def _trials(
    name: str, layer: QuantizableLayer, gram: Tensor, settings: QuantizationConfig
) -> tuple[list[BitOption], Tensor]:
    """Every choice with its error over the nominal choice's as harm; and the nominal choice's weight.

    One sweep after error feedback comes near what the whole method leaves, where rounding to nearest says too little
    about few bits; and some rows tell enough of all. How much a group size matters is measured at the nominal width and
    taken to be the same at the others.
    """
    matrix = weight_matrix(layer)
    step = max(len(matrix) // _TRIED_ROWS, 1)
    some = matrix[::step]
    nominal = LayerPlan(min(settings.bits, 4), 64)
    one_sweep = replace(settings, sweeps=min(settings.sweeps, 1))
    widths = widths_of(settings)
    other = [LayerPlan(bits, 64) for bits in widths if bits != nominal.bits and bits <= 4]
    trials = other + [LayerPlan(nominal.bits, group) for group in GROUP_SIZES]
    error: dict[LayerPlan, float] = {}
    energy = float(output_energy(some, gram).sum())
    try:
        prepared = PreparedMatrix.of(some, gram, one_sweep)
        for plan in trials:
            weight = quantize_prepared(prepared, plan.settings(one_sweep), tuple(some.shape))
            error[plan] = relative_error(some, weight.dequantize(), gram, energy)
            if plan == nominal:
                typical = weight
        if step > 1:
            typical = quantize_matrix(matrix, gram, nominal.settings(one_sweep))
    except ValueError as problem:
        raise InputError(f"layer {name!r} cannot be quantized: {problem}") from problem
    error |= {LayerPlan(bits, 64): error[LayerPlan(4, 64)] * share for bits, share in _BEYOND_FOUR.items()}
    least = max(error[nominal], 1e-30)
    options = [
        BitOption(
            bits,
            group,
            _size(typical, bits, ScaleGroups.of(settings.granularity, group, matrix.shape[1])),
            error[LayerPlan(bits, 64)] / least * error[LayerPlan(nominal.bits, group)] / least,
        )
        for bits in widths
        for group in GROUP_SIZES
    ]
    return options, typical.dequantize()


def widths_of(settings: QuantizationConfig) -> tuple[int, ...]:
    """The widths that layers may take: all that there are where scales are cheap, else those that are chosen among."""
    return LAYER_WIDTHS if settings.scales == "coarse" else BIT_WIDTHS


def _size(weight: QuantizedWeight, bits: int, units: ScaleGroups) -> int:
    """Bits that a weight would take in a file at another width and in other groups."""
    scales = (1 if units.whole else weight.rows) * units.count
    if weight.coarse:
        side = coarse_bits(weight.rows, units.count, bits)
    else:
        side = 8 * scales * (weight.scale.element_size() + weight.zero_point.element_size())
    order = weight.permutation
    ordered = 0 if order is None else 8 * order.numel() * order.element_size()
    return 8 * weight.rows * row_bytes(weight.columns, bits) + side + ordered
