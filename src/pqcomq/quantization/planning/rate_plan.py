"""Bits of every entropy-coded layer: the closed form of most benefit from a sum of bits.

A layer of n weights at R bits a weight does damage d · 2^(−2R). The sum of damages is least, at a given sum of bits,
where a further bit would take away as much in every layer: ``R = R⁰ + ½ log2(d⁰ / (n θ))`` for a damage d⁰ measured at
R⁰ bits, with θ found by bisection (water filling; Cover and Thomas, *Elements of Information Theory*, chapter 10).
"""

from __future__ import annotations

import math
from collections.abc import Generator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial

from torch import Tensor

from pqcomq.errors import InputError
from pqcomq.quantization.algorithm.config import STORED_BITS, QuantizationConfig
from pqcomq.quantization.algorithm.gram import InputGram, QuantizableLayer, weight_matrix
from pqcomq.quantization.algorithm.paired_gram import PairedGram
from pqcomq.quantization.algorithm.quantize_layer import quantize_layer
from pqcomq.quantization.planning.mixed_precision import Damage, LayerPlan
from pqcomq.quantization.workers import Workers

_LEAST_WEIGHTS = 5_000
"""Smaller layers are not worth steps and spreads of their own: they take 8 bits and one scale a row."""

_TRIAL_BITS = 2.4
"""Of each layer, while its damage is measured."""

_SHARED_TABLES = 0.03
"""Bits a weight that tables shared by all layers cost beyond tables of each layer's own, by which bits are estimated:
on LiteMedSAM 0.028 at 2, 2.6 and 3.5 bits."""

_LEAST_DAMAGE = 1e-3
"""Of a weight, as a share of the mean: what was measured as less, but is not nothing, was measured on too little."""


@dataclass(frozen=True)
class MeasuredLayer:
    """A layer as rates are chosen for it.

    Attributes:
        weights: n, how many.
        damage: measured at ``bits`` a weight.
        bits: R⁰.
    """

    weights: int
    damage: float
    bits: float


def measured_rates(
    layers: Mapping[str, QuantizableLayer],
    grams: Mapping[str, InputGram],
    settings: QuantizationConfig,
    damage: Damage,
    workers: Workers,
) -> Generator[str, None, dict[str, LayerPlan]]:
    """Spread ``settings.stored_bits`` over layers.

    Args:
        layers: of the model, by name.
        grams: layer name → Gram matrix of its inputs.
        settings: of method ``ecq``.
        damage: of trial weights.
        workers: threads that try layers beside each other.

    Yields:
        The name of each layer once it was tried, and once its damage was measured.

    Returns:
        Layer name → bits. Where small layers leave too few for the others, those take the least all the same.

    Raises:
        InputError: a layer's weights or inputs are not finite.
    """
    if settings.stored_bits is None:
        raise ValueError("rates are spread over layers that are entropy-coded")
    sizes = {name: weight_matrix(layer).numel() for name, layer in layers.items()}
    plan = {name: LayerPlan(settings.bits, settings.group_size) for name in layers}
    trial = LayerPlan(settings.bits, settings.group_size, _TRIAL_BITS)
    trials: dict[str, Tensor] = {}
    small = 0.0

    def tried(name: str) -> tuple[Tensor, float]:
        """A layer's trial weight, and the bits that it takes if it is small."""
        is_small = sizes[name] < _LEAST_WEIGHTS
        chosen = (plan[name] if is_small else trial).settings(settings)
        try:
            made = quantize_layer(layers[name], PairedGram.same(grams[name]), chosen).weight
        except ValueError as problem:
            raise InputError(f"layer {name!r} cannot be quantized: {problem}") from problem
        return made.dequantize(), made.storage_bits if is_small else 0.0  # type: ignore[union-attr]

    with closing(workers.in_order(partial(tried, name) for name in layers)) as made:
        for name, (weight, bits) in zip(layers, made, strict=True):
            trials[name] = weight
            small += bits
            yield name
    measured: dict[str, MeasuredLayer] = {}
    for name, harm in damage(trials):
        if sizes[name] >= _LEAST_WEIGHTS:
            measured[name] = MeasuredLayer(sizes[name], harm, _TRIAL_BITS)
        yield name
    left = (settings.stored_bits - _SHARED_TABLES) * sum(sizes.values()) - small
    rates = water_filled(measured, left)
    return plan | {name: replace(trial, stored_bits=rate) for name, rate in rates.items()}


def water_filled(measured: Mapping[str, MeasuredLayer], bits: float) -> dict[str, float]:
    """Bits a weight of every layer so that the sum of damages is least.

    Args:
        measured: layer name → what was measured.
        bits: for all weights together; beyond what layers may take, or short of it, they all take the most or least.

    Returns:
        Layer name → bits a weight, from 1 to 6.
    """
    if not measured:
        return {}
    count = sum(each.weights for each in measured.values())
    mean = sum(each.damage for each in measured.values()) / count
    floor = max(_LEAST_DAMAGE * mean, 1e-30)

    def rate(each: MeasuredLayer, level: float) -> float:
        if each.damage == 0:  # it has no part in the output
            return STORED_BITS[0]
        wanted = each.bits + 0.5 * (math.log2(max(each.damage / each.weights, floor)) - level)
        return min(max(wanted, STORED_BITS[0]), STORED_BITS[1])

    low, high = -400.0, 400.0  # log2 θ; rates fall as it rises
    for _ in range(100):
        level = (low + high) / 2
        if sum(each.weights * rate(each, level) for each in measured.values()) > bits:
            low = level
        else:
            high = level
    return {name: rate(each, high) for name, each in measured.items()}
