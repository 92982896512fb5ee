"""Scales and zero-points on coarse grids, of which a file stores a few bits each.

Codes of b bits bear an error of their own, beside which that of scales in steps of 2^(1 / 2^b), and of zero-points in
quarters of a code, is small. With whole numbers E of a row, and i and k of a group, of b + 2 bits each,

    ``δ = 2^(E / 2 − i / 2^b)``, rounded to float16        ``z = k / 4 − 1 / 2``

so that the scales of a row span three and a half octaves at least.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import torch
from torch import Tensor

from pqcomq.quantization.algorithm.packing import pack, row_bytes, unpack

SMALLEST_SCALE = 2.0**-14
"""The smallest normal float16; a unit of zeros gets it, so that nothing is ever divided by zero."""

_MOST_OCTAVE = 17
_LARGEST_SCALE = 2.0**_MOST_OCTAVE  # beyond float16, so that what was too large is still told to be

ROWS = "scale_rows"
SCALES = "scale_steps"
ZERO_POINTS = "zero_point_steps"

COARSE_PARTS = (ROWS, SCALES, ZERO_POINTS)
"""What is stored in place of scales and zero-points."""


def index_bits(bits: int) -> int:
    """Bits of a scale's or a zero-point's whole number, for codes of ``bits``."""
    return bits + 2


def window(bits: int) -> int:
    """How many steps the scales of a row may lie apart whatever the largest of them is."""
    return 7 << bits >> 1


def least_step(bits: int) -> int:
    """The step of the smallest scale."""
    return -14 << bits


def exponents(scale: Tensor, bits: int) -> Tensor:
    """The nearest step of each scale, e in ``2^(e / 2^b)``, int32."""
    kept = scale.clamp(SMALLEST_SCALE, _LARGEST_SCALE)
    return (kept.log2() * (1 << bits)).round().to(torch.int32)


def powers(steps: Tensor, bits: int) -> Tensor:
    """``2^(e / 2^b)`` rounded to float16, in float32; int32 in.

    Fractions of an octave are rounded to float32 first, so that they are the same on every machine.
    """
    count = 1 << bits
    fractions = torch.tensor([2.0 ** (each / count) for each in range(count)], dtype=torch.float32)
    octave = torch.div(steps, count, rounding_mode="floor")
    return torch.ldexp(fractions[(steps - octave * count).long()], octave).half().float()


@cache
def all_powers(bits: int) -> Tensor:
    """:func:`powers` of every step from :func:`least_step` to one above that of the largest scale."""
    return powers(torch.arange(least_step(bits), (_MOST_OCTAVE << bits) + 2, dtype=torch.int32), bits)


def on_grid(scale: Tensor, bits: int) -> Tensor:
    """Scales (…, n, G) rounded to what can be stored; those far below the largest of their row are raised."""
    steps = exponents(scale, bits)
    return powers(torch.maximum(steps, steps.amax(dim=-1, keepdim=True) - window(bits)), bits)


def quarters(zero_point: Tensor, bits: int) -> Tensor:
    """Zero-points rounded to quarters of a code, from half a code below the lowest code on."""
    return _quarter(zero_point, bits) / 4 - 0.5


def _quarter(zero_point: Tensor, bits: int) -> Tensor:
    """The whole number k of each zero-point."""
    return ((zero_point + 0.5) * 4).round().clamp(0, most_quarter(bits))


def most_quarter(bits: int) -> int:
    """The largest whole number k of a zero-point."""
    return (1 << index_bits(bits)) - 1


def coarse_parts(scale: Tensor, zero_point: Tensor, bits: int) -> dict[str, Tensor]:
    """What a file stores of scales and zero-points that lie on their grids, (n, G) each."""
    steps = exponents(scale.float(), bits)
    octave = 1 << bits
    rows = -torch.div(-2 * steps.amax(dim=1), octave, rounding_mode="floor")  # (n,), E: half octaves, rounded up
    below = (rows * octave // 2)[:, None] - steps  # (n, G), i
    quarter = _quarter(zero_point.float(), bits).to(torch.int32)  # (n, G), k
    width = index_bits(bits)
    packed = {name: pack(each.view(1, -1), width)[0] for name, each in ((SCALES, below), (ZERO_POINTS, quarter))}
    return {ROWS: rows.to(torch.int8)} | packed


def from_coarse_parts(parts: Mapping[str, Tensor], groups: int, bits: int) -> tuple[Tensor, Tensor]:
    """Scales and zero-points (n, G), float16, of what :func:`coarse_parts` gave."""
    rows, width = parts[ROWS].to(torch.int32), index_bits(bits)
    below, quarter = (
        unpack(parts[name][None], width, len(rows) * groups).view(-1, groups).to(torch.int32)
        for name in (SCALES, ZERO_POINTS)
    )
    scale = powers((rows * (1 << bits) // 2)[:, None] - below, bits)
    return scale.half(), (quarter / 4 - 0.5).half()


def coarse_bits(rows: int, groups: int, bits: int) -> int:
    """Bits that scales and zero-points of a layer take in a file."""
    return 8 * (rows + 2 * row_bytes(rows * groups, index_bits(bits)))
