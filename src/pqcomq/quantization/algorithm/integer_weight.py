"""A quantized weight matrix of unclamped integers, one step an input channel: what is stored by an entropy coder."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

STEPS_AN_OCTAVE = 8
"""Steps are 2^(e / 8), e whole."""

SPREADS_AN_OCTAVE = 4
"""Spreads are 2^(s / 4), s whole."""

MOST_CODE = 2**15 - 1

_FRACTIONS = tuple(2.0 ** (each / STEPS_AN_OCTAVE) for each in range(STEPS_AN_OCTAVE))
"""Rounded to float32 they are the same on every machine; powers of two with broken exponents need not be."""


@dataclass(frozen=True, eq=False, repr=False)
class IntegerWeight:
    """``Q[j, i] = c[j, i] · 2^(e[i] / 8)``.

    Attributes:
        codes: (n, m) int16, c.
        step: (m,) int16, e.
        row_spread: (n,) int16; with :attr:`column_spread` it tells the coder how large a code will be: about
            ``2^((row_spread[j] + column_spread[i]) / 4)``.
        column_spread: (m,) int16.
        shape: of the layer's own weight, (n, m) or (n, channels, kernel rows, kernel columns).
    """

    codes: Tensor
    step: Tensor
    row_spread: Tensor
    column_spread: Tensor
    shape: tuple[int, ...]

    def __repr__(self) -> str:
        return f"IntegerWeight({' × '.join(map(str, self.shape))})"

    @property
    def rows(self) -> int:
        """Output channels, n."""
        return self.shape[0]

    @property
    def columns(self) -> int:
        """Inputs of the dot product, m: input channels times kernel taps."""
        return math.prod(self.shape[1:])

    def dequantize(self) -> Tensor:
        """The weight in float32, in the layer's own shape: every product is exact but for the step's own rounding."""
        return (self.codes.float() * step_sizes(self.step)).view(self.shape)

    def parts(self) -> dict[str, Tensor]:
        """Its tensors by name."""
        return {
            "codes": self.codes,
            "step": self.step,
            "row_spread": self.row_spread,
            "column_spread": self.column_spread,
        }

    def spread_classes(self) -> Tensor:
        """(n, m) int16: how large each code is expected to be, in quarter octaves."""
        return self.row_spread[:, None] + self.column_spread


def step_sizes(step: Tensor) -> Tensor:
    """2^(e / 8) in float32, (m,)."""
    octave = torch.div(step, STEPS_AN_OCTAVE, rounding_mode="floor")
    fraction = torch.tensor(_FRACTIONS, dtype=torch.float32)[(step - octave * STEPS_AN_OCTAVE).long()]
    return torch.ldexp(fraction, octave.to(torch.int32))
