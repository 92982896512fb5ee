"""Classes of codes by their expected size, and the bits that codes will take.

An entropy coder needs to know how likely each code is. Codes of one class, those whose expected size (rms) lies within
a quarter of an octave, share one table of frequencies for the whole model. Where codes are expected to be large, their
low bits are as good as random: they are set aside and only what is left is looked up, in the table of a smaller class.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from pqcomq.quantization.algorithm.integer_weight import SPREADS_AN_OCTAVE

LOWEST, HIGHEST = -10, 18
"""Classes of the tables, in quarter octaves: codes of rms 0.18 and 23."""

_MOST_LOW_BITS = 14
_PRIOR_CODES = 30.0
"""Codes that the prior counts for: the bare frequencies of a small layer's codes would cost nothing to code."""

_REACH = 255
"""Symbols up to this size are told apart while bits are estimated."""


@dataclass(frozen=True, eq=False)
class ClassedCodes:
    """Codes as they are coded, all of one shape.

    Attributes:
        table: class whose table serves, from :data:`LOWEST` to :data:`HIGHEST`.
        symbol: what is looked up in it, c >> low_bits.
        low_bits: how many low bits are set aside.
    """

    table: Tensor
    symbol: Tensor
    low_bits: Tensor


def classed(codes: Tensor, classes: Tensor) -> ClassedCodes:
    """Split codes by the size that is expected of them.

    Args:
        codes: integers.
        classes: same shape; expected size in quarter octaves.
    """
    low_bits = low_bits_of(classes)
    table = (classes - SPREADS_AN_OCTAVE * low_bits).clamp(LOWEST, HIGHEST)
    return ClassedCodes(table, codes >> low_bits, low_bits)


def low_bits_of(classes: Tensor) -> Tensor:
    """How many low bits of a code are set aside: none up to :data:`HIGHEST`, then one for every octave."""
    return torch.div(classes - HIGHEST + SPREADS_AN_OCTAVE - 1, SPREADS_AN_OCTAVE, rounding_mode="floor").clamp(
        0, _MOST_LOW_BITS
    )


def estimated_bits(codes: Tensor, classes: Tensor) -> float:
    """Bits that the codes of one layer will take, tables shared with others left aside.

    Args:
        codes: (n, m) integers.
        classes: (n, m), expected size in quarter octaves.
    """
    parts = classed(codes, classes)
    width = 2 * _REACH + 1
    place = (parts.table - LOWEST).long() * width + parts.symbol.long().clamp(-_REACH, _REACH) + _REACH
    counts = torch.bincount(place.flatten(), minlength=(HIGHEST - LOWEST + 1) * width)
    counts = counts.view(-1, width).double()  # (classes, symbols)
    total = counts.sum(dim=1, keepdim=True)
    likely = (counts + _PRIOR_CODES * _prior()) / (total + _PRIOR_CODES)
    return float(-(counts * likely.log2()).sum()) + float(parts.low_bits.sum())


def _prior() -> Tensor:
    """How likely symbols are before any was seen, (classes, symbols): 0.6 normal and 0.4 Laplace."""
    size = 2.0 ** (torch.arange(LOWEST, HIGHEST + 1, dtype=torch.float64)[:, None] / SPREADS_AN_OCTAVE)
    edges = torch.arange(-_REACH - 1, _REACH + 1, dtype=torch.float64) + 0.5  # (symbols + 1,)
    normal = torch.special.ndtr(edges / size)
    decay = 0.5 * torch.exp(-edges.abs() * 2**0.5 / size)
    laplace = torch.where(edges < 0, decay, 1 - decay)
    mixed: Tensor = (0.6 * normal + 0.4 * laplace).diff(dim=1)  # (classes, symbols)
    return mixed.clamp_min(1e-12)
