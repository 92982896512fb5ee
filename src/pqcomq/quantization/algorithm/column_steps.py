"""Quantization to unclamped integers with one step an input channel, for an entropy coder to store.

With the feedback factor M, H = M Mᵀ upper triangular and ℓ its diagonal, one pass of error feedback leaves column i an
error of its own of ``ℓ_i² a_i² / 12`` a weight, whatever the step sizes a of the others. Bits fall with log a alone, so
that a total is best spent where all columns leave the same: a_i = s / ℓ_i, with s the one free number of a layer. It is
chosen for the bits that the layer may take. There is no clamping, no group, no zero-point and no sweep.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from pqcomq.quantization.algorithm.code_classes import estimated_bits
from pqcomq.quantization.algorithm.config import QuantizationConfig
from pqcomq.quantization.algorithm.coordinate_descent import feedback_factor, integer_pass
from pqcomq.quantization.algorithm.integer_weight import (
    MOST_CODE,
    SPREADS_AN_OCTAVE,
    STEPS_AN_OCTAVE,
    IntegerWeight,
    step_sizes,
)
from pqcomq.quantization.algorithm.quantize_matrix import check_finite, damped, visiting_order

_SEARCH_STEPS = 12
_SAMPLED_ROWS = 64
_CORRECTIONS = 3
_CLOSE = 0.005
"""Bits a weight within which the search for a step is content."""

_SIDE_BITS_A_COLUMN, _SIDE_BITS_A_ROW = 6.5, 2.8
"""What steps and spreads were measured to take."""

_LEAST_EXPONENT, _MOST_EXPONENT = -126 * STEPS_AN_OCTAVE, 126 * STEPS_AN_OCTAVE


def quantize_columns(
    weight: Tensor, gram: Tensor, settings: QuantizationConfig, shape: tuple[int, ...]
) -> IntegerWeight:
    """Quantize a weight matrix so that it takes about ``settings.stored_bits`` bits a weight.

    Args:
        weight: (n, m) float32.
        gram: (m, m) float32, XᵀX of the layer's inputs.
        settings: damping, order of columns, and bits.
        shape: the layer's own weight shape.

    Raises:
        ValueError: weights or Gram matrix are not finite, or the weights are too large or too small for steps in
            float32.
    """
    if settings.stored_bits is None:
        raise ValueError("entropy-coded weights need a number of stored bits")
    check_finite(weight, gram)
    rate, seen = settings.stored_bits, damped(gram, settings.damping)
    visit = visiting_order(weight, seen, settings.order)
    factor = feedback_factor(seen[visit][:, visit])
    leading = torch.ones(len(visit))
    if factor is not None:
        leading[visit] = factor.diagonal()  # (m,), ℓ
    shares = leading.double().log2().mean() - leading.double().log2()  # (m,), log2 of GM(ℓ) / ℓ
    size = float(weight.double().square().mean().sqrt())
    if size == 0:  # nothing but zeros: any step does
        return _with_spreads(torch.zeros_like(weight), weight, torch.zeros(len(visit), dtype=torch.int16), shape)
    wanted = rate - _SIDE_BITS_A_COLUMN / len(weight) - _SIDE_BITS_A_ROW / len(visit)  # of the codes alone

    def steps(octaves: float) -> Tensor:
        exponents = (STEPS_AN_OCTAVE * (octaves + math.log2(size) + shares)).round()
        if not bool(((exponents > _LEAST_EXPONENT) & (exponents < _MOST_EXPONENT)).all()):
            raise ValueError("the weights are too large or too small for their steps")
        return exponents.to(torch.int16)  # (m,)

    def off(made: IntegerWeight) -> float:
        taken = estimated_bits(made.codes.to(torch.int32), made.spread_classes().to(torch.int32))
        return taken / made.codes.numel() - wanted

    some = weight[:: max(len(weight) // _SAMPLED_ROWS, 1)]
    octaves = 0.5 * math.log2(12.0) - max(rate - 0.25, 0.5)  # log2 of the scale
    fall = 1.0  # bits that one octave more takes away
    for _ in range(_SEARCH_STEPS):  # on some rows rounded plainly, whose codes are spread like those of the pass
        step = steps(octaves)
        excess = off(_with_spreads((some / step_sizes(step)).round(), some, step, tuple(some.shape)))
        if abs(excess) < _CLOSE:
            break
        octaves += excess
    made = _with_spreads(_rounded(weight, factor, step, visit), weight, step, shape)
    excess = off(made)
    for _ in range(_CORRECTIONS):
        if abs(excess) < _CLOSE:
            break
        octaves, before = octaves + excess / fall, excess
        step = steps(octaves)
        made = _with_spreads(_rounded(weight, factor, step, visit), weight, step, shape)
        excess = off(made)
        fall = min(max((before - excess) * fall / before, 0.3), 1.0)
    return made


def _rounded(weight: Tensor, factor: Tensor | None, step: Tensor, visit: Tensor) -> Tensor:
    """Codes (n, m) as float32 integers, by error feedback where there is a factor."""
    size = step_sizes(step)
    if factor is None:
        return (weight / size).round()
    return integer_pass(weight, factor, size, visit)


def _with_spreads(codes: Tensor, weight: Tensor, step: Tensor, shape: tuple[int, ...]) -> IntegerWeight:
    """Codes with the sizes that are expected of them, by the weights that they stand for."""
    if codes.numel() and float(codes.abs().max()) > MOST_CODE:
        raise ValueError("the weights of a channel are too unlike for one step")
    scaled = weight.double() / step_sizes(step).double()  # (n, m)
    column = scaled.square().mean(dim=0).sqrt().clamp_min(2.0**-20)  # (m,)
    row = (scaled / column).square().mean(dim=1).sqrt().clamp_min(2.0**-20)  # (n,)
    row_spread, column_spread = ((SPREADS_AN_OCTAVE * each.log2()).round().to(torch.int16) for each in (row, column))
    return IntegerWeight(codes.to(torch.int16), step, row_spread, column_spread, shape)
