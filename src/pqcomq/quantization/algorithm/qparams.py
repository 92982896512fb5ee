"""The levels that codes stand for: δ (c − z), one δ and z for each quantization unit."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from pqcomq.quantization.algorithm.coarse_scales import SMALLEST_SCALE, on_grid, quarters
from pqcomq.quantization.algorithm.config import Scales, ZeroPoint
from pqcomq.quantization.algorithm.scale_groups import ScaleGroups

_MOST = 15
"""The largest multiple: four bits, which leave seven of float16's eleven for the scale that all are multiples of."""

_MOST_ZERO_POINT = torch.finfo(torch.float16).max

_CLIPPING = tuple(1.0 - 0.05 * step for step in range(14))
"""The λ that are tried: 1.00, 0.95 … 0.35."""

_IN_CACHE = 2**16
"""Weights that are handled at a time where the same ones are needed over and over."""


@dataclass(frozen=True, eq=False)
class QParams:
    """Scales and zero-points, already rounded to the float16 in which they are stored.

    Attributes:
        scale: (n, G) float32, δ > 0; (1, 1) where the whole layer is one unit.
        zero_point: same shape, z.
        units: which columns share them.
        top: the largest code, 2**bits − 1.
        scales: what they are rounded to: whole multiples of one, see :func:`whole_multiples`, or with the zero-points
            the grids of :mod:`.coarse_scales`, or nothing but float16.
        bottom: the smallest code.
    """

    scale: Tensor
    zero_point: Tensor
    units: ScaleGroups
    top: int
    scales: Scales = "free"
    bottom: int = 0

    @classmethod
    def rounded(
        cls, scale: Tensor, zero_point: Tensor, units: ScaleGroups, top: int, scales: Scales = "free"
    ) -> QParams:
        """Round both to what a file can hold."""
        least = scale.clamp_min(SMALLEST_SCALE)
        if scales == "coarse":
            bits = top.bit_length()
            return cls(on_grid(least, bits), quarters(zero_point, bits), units, top, scales)
        kept = (whole_multiples(least, top) if scales == "multiples" else least).half().float()
        return cls(kept, zero_point.half().float(), units, top, scales)

    def replaced(self, other: QParams, where: Tensor) -> QParams:
        """These levels with another's where ``where`` (broadcast to the scales) is true."""
        return replace(
            self,
            scale=torch.where(where, other.scale, self.scale),
            zero_point=torch.where(where, other.zero_point, self.zero_point),
        )

    def per_weight(self) -> tuple[Tensor, Tensor]:
        """Scale and zero-point spread over the columns: two of (n | 1, m)."""
        return self.units.spread(self.scale), self.units.spread(self.zero_point)

    def nearest(self, values: Tensor) -> Tensor:
        """The code of the level nearest to each value: (n, m) → (n, m), integers kept as float32."""
        scale, zero_point = self.per_weight()
        return (values / scale + zero_point).round().clamp(self.bottom, self.top)

    def values(self, codes: Tensor) -> Tensor:
        """What codes stand for: (n, m) → (n, m). The operations are those of ``QuantizedWeight.dequantize``."""
        scale, zero_point = self.per_weight()
        return scale * (codes - zero_point)


def whole_multiples(scale: Tensor, top: int) -> Tensor:
    """Scales near the given ones that are whole multiples of one scale a row, so that weights are integers.

    With ``δ_u = k_u δ`` a weight ``δ_u (c − z)`` is ``δ · k_u (c − z)``. The multiples k are small enough for signed
    bytes where codes are symmetric, and δ has so few digits that every product is exact in float16.

    Args:
        scale: (…, n, G), positive.
        top: the largest code.

    Returns:
        (…, n, G) float32, each exact in float16.
    """
    most = max(1, min(_MOST, 127 // ((top + 1) // 2)))
    mantissa, exponent = torch.frexp(scale.amax(dim=-1, keepdim=True) / most)  # (…, n, 1) each
    base = torch.ldexp((mantissa * 128).round() / 128, exponent)
    return base * (scale / base).round().clamp(1, most)


def _range(weight: Tensor, units: ScaleGroups, zero_point: ZeroPoint, scales: Scales) -> tuple[Tensor, Tensor]:
    """Lowest and highest weight of each unit, (n, G) each; a zero-point that cannot lie far away takes in zero."""
    low = units.gather(weight, fill=float("inf")).amin(dim=2)
    high = units.gather(weight, fill=float("-inf")).amax(dim=2)
    if units.whole:
        low, high = low.amin().view(1, 1), high.amax().view(1, 1)
    if zero_point == "integer" or scales == "coarse":
        low, high = low.clamp_max(0.0), high.clamp_min(0.0)
    if zero_point == "symmetric":
        high = torch.maximum(-low, high)
        low = -high
    return low, high


def _clipped(
    low: Tensor, high: Tensor, share: Tensor, units: ScaleGroups, top: int, zero_point: ZeroPoint, scales: Scales
) -> QParams:
    """Scales and zero-points over ``share`` of the range: δ⁰ = λ (max − min) / (2^b − 1), arXiv 2403.07134.

    Several shares, (s, 1, 1), give as many of them, (s, n, G).
    """
    # A real zero-point shrinks about the middle of the range, others about zero, which must stay a level.
    middle = (low + high) / 2 if zero_point == "real" else torch.zeros_like(low)
    low, high = middle + share * (low - middle), middle + share * (high - middle)
    scale = ((high - low) / top).clamp_min(SMALLEST_SCALE)
    if scales == "coarse":
        return QParams.rounded(scale, -low / scale, units, top, scales)
    if zero_point == "symmetric":
        return QParams.rounded(scale, torch.full_like(scale, (top + 1) // 2), units, top)
    # Weights that are all but alike span next to nothing: float16 must still hold how many codes away zero lies.
    scale = scale.maximum(low.abs() / _MOST_ZERO_POINT)
    offset = -low / scale
    return QParams.rounded(scale, offset.round().clamp(0, top) if zero_point == "integer" else offset, units, top)


def initial_qparams(
    weight: Tensor,
    energy: Tensor,
    units: ScaleGroups,
    bits: int,
    zero_point: ZeroPoint,
    search_clipping: bool,
    scales: Scales = "free",
) -> QParams:
    """Min–max levels, or for each unit the clipping λ of least error weighted with the inputs' energy.

    Args:
        weight: (n, m), in stored order.
        energy: (m,), the Gram matrix's diagonal in the same order.
        units: of the matrix.
        bits: bit width.
        zero_point: how it is chosen.
        search_clipping: try :data:`_CLIPPING`; otherwise λ = 1.
        scales: what they are rounded to, coarse ones while clipping is tried, whole multiples of one a row thereafter.
    """
    top = (1 << bits) - 1
    low, high = _range(weight, units, zero_point, scales)
    best = _clipped(low, high, low.new_ones(()), units, top, zero_point, scales)
    if search_clipping:
        best = _least_clipping(weight, energy, best, low, high, zero_point, scales)
    return QParams.rounded(best.scale, best.zero_point, units, top, scales)


def _least_clipping(
    weight: Tensor,
    energy: Tensor,
    whole: QParams,
    low: Tensor,
    high: Tensor,
    zero_point: ZeroPoint,
    scales: Scales,
) -> QParams:
    """For each unit the levels of least error, of those over the ``whole`` range and over shares of it."""
    units, top, best = whole.units, whole.top, whole
    by_unit, of_inputs = units.gather(weight), units.gather(energy)  # (n, G, run), (G, run)
    least = _clipping_error(by_unit, of_inputs, best)
    shares = low.new_tensor(_CLIPPING[1:])[:, None, None]  # (s, 1, 1)
    candidates = _clipped(low, high, shares, units, top, zero_point, scales)
    for scale, offset in zip(candidates.scale, candidates.zero_point, strict=True):  # (n, G) each
        candidate = replace(candidates, scale=scale, zero_point=offset)
        found = _clipping_error(by_unit, of_inputs, candidate)
        better = found < least
        least = torch.where(better, found, least)
        best = best.replaced(candidate, better)
    return best


def _clipping_error(by_unit: Tensor, of_inputs: Tensor, levels: QParams) -> Tensor:
    """Each unit's error by rounding to nearest, weighted with the inputs' energy.

    The operations are those of :meth:`QParams.nearest` and :meth:`QParams.values`, but in place, never spread over the
    columns, and for some rows at a time, so that they stay in the processor's cache: it is done a dozen times a layer.

    Args:
        by_unit: (n, G, run), the weights.
        of_inputs: (G, run).
        levels: of the matrix.

    Returns:
        (n, G); (1, 1) where the whole layer is one unit.
    """
    rows = max(1, _IN_CACHE // (by_unit[0].numel() or 1))
    scales, zero_points = (part.expand(len(by_unit), -1) for part in (levels.scale, levels.zero_point))  # (n, G)
    errors = []
    parts = zip(*(torch.split(each, rows) for each in (by_unit, scales, zero_points)), strict=True)
    for part, scale, zero_point in parts:
        scale, zero_point = scale[:, :, None], zero_point[:, :, None]  # (b, G, 1)
        codes = part.div(scale).add_(zero_point).round_().clamp_(0, levels.top)  # (b, G, run)
        errors.append(codes.sub_(zero_point).mul_(scale).sub_(part).square_().mul_(of_inputs).sum(dim=2))  # (b, G)
    error = torch.cat(errors)
    return error.sum().view(1, 1) if levels.units.whole else error
