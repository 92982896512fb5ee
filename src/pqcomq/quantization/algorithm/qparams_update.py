"""Every scale and zero-point of a channel in closed form, with the codes held fixed.

With codes c fixed, Q = Σ_u δ_u c_u + o_u (o = −δ z) is linear in the 2 G unknowns of an output channel, so the best of
``‖X (w − q)ᵀ‖²`` is the solution of one small system of normal equations. For a single unit and a fixed zero-point it
is the published ``δ ← ⟨Xq, Xw⟩ / ‖Xq‖²`` (arXiv 2403.07134).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from pqcomq.quantization.algorithm.coarse_scales import all_powers, exponents, least_step, most_quarter, window
from pqcomq.quantization.algorithm.config import ZeroPoint
from pqcomq.quantization.algorithm.group_kernel import best_groups
from pqcomq.quantization.algorithm.qparams import QParams
from pqcomq.quantization.algorithm.single_thread import one_thread

_RIDGE = 1e-6
"""Relative damping of the normal equations; a unit whose codes are all alike has no scale of its own."""


@dataclass(frozen=True, eq=False)
class QParamsUpdate:
    """What an update of the levels came to.

    Attributes:
        levels: the new ones.
        residual: (n, m), ``(W − Q) H`` with them.
        error: ``‖X (W − Q)ᵀ‖²`` with them, all channels together.
    """

    levels: QParams
    residual: Tensor
    error: float


def updated_qparams(
    weight: Tensor, gram: Tensor, codes: Tensor, levels: QParams, zero_point: ZeroPoint
) -> QParamsUpdate:
    """The best levels for these codes; channels that would get worse (rounding to float16) keep theirs.

    Products with the Gram matrix are what a sweep's time goes into, so residual and error are carried over from the
    normal equations instead of being computed anew.

    Args:
        weight: (n, m), in stored order.
        gram: (m, m), in the same order.
        codes: (n, m).
        levels: so far.
        zero_point: ``real`` updates it with the scale; the others leave it as it is.
    """
    with_offset = zero_point == "real"
    missing = weight - levels.values(codes)  # (n, m)
    pull = missing @ gram  # (n, m)
    error = (missing * pull).sum(dim=1)  # (n,)
    basis = codes if with_offset else codes - levels.per_weight()[1]  # (n, m)
    equations = _NormalEquations.of(pull, gram, basis, levels, with_offset=with_offset)
    system, target = equations.system, equations.target
    if levels.units.whole:
        system, target, error = (part.sum(0, keepdim=True) for part in (system, target, error))
    damping = _RIDGE * system.diagonal(dim1=1, dim2=2).mean(dim=1) + 1e-12  # (n,)
    steps = [_solved(system + damping[:, None, None] * torch.eye(system.shape[-1]), target)]  # (n, K G)
    if levels.scales == "multiples":
        steps.append(_common_step(system, target, levels.scale.to(target.dtype)))
    if levels.scales == "coarse":
        steps.append(torch.zeros_like(target))
    kept, change, gained = levels, torch.zeros_like(target), torch.zeros_like(error)
    for step in steps:
        candidate = _moved(levels, step, zero_point)
        moved = _change(levels, candidate, with_offset=with_offset).to(target.dtype)  # (n, K G), as rounding left it
        if levels.scales == "coarse":
            candidate = _group_by_group(system, target - (system @ moved[:, :, None])[:, :, 0], candidate)
            moved = _change(levels, candidate, with_offset=with_offset).to(target.dtype)
        gain = _gain(system, target, moved)
        better = (gain > gained)[:, None]  # False for NaN too
        kept = kept.replaced(candidate, better)
        change = torch.where(better, moved, change)
        gained = torch.where(better[:, 0], gain, gained)
    return QParamsUpdate(kept, pull - equations.seen(change), float((error - gained).sum()))


def _gain(system: Tensor, target: Tensor, change: Tensor) -> Tensor:
    """What a change of the unknowns (n, K G) takes away from each channel's error, (n,)."""
    return 2 * (change * target).sum(1) - ((system @ change[:, :, None])[:, :, 0] * change).sum(1)


def _group_by_group(system: Tensor, left: Tensor, levels: QParams) -> QParams:
    """Of coarse scales and zero-points, the best of each group with those of all others held fixed, in turn.

    What is best for all groups at once bears rounding to coarse grids badly; here each group makes up for what the ones
    before it were rounded by. A scale moves by a step at most, each with the zero-point that then is best.

    Args:
        system: (n, 2 G, 2 G).
        left: (n, 2 G), the target once the levels are these.
        levels: to begin with.
    """
    bits = levels.top.bit_length()
    scales, zero_points, steps = levels.scale.clone(), levels.zero_point.clone(), exponents(levels.scale, bits)
    best_groups()(
        system=system.contiguous().numpy(),
        left=left.clone().numpy(),
        scales=scales.numpy(),
        zero_points=zero_points.numpy(),
        steps=steps.numpy(),
        powers=all_powers(bits).numpy(),
        least=least_step(bits),
        window=window(bits),
        most_quarter=most_quarter(bits),
    )
    return replace(levels, scale=scales, zero_point=zero_points)


def _solved(systems: Tensor, targets: Tensor) -> Tensor:
    """The solutions of many small systems (n, k, k), (n, k) → (n, k), in one thread.

    Several threads give the same bits, except that torch 2.14 with MKL fails on 256 systems of 256 unknowns ("Parameter
    6 was incorrect on entry to SLASWP"), as groups of 16 lead to in a layer of 2,048 inputs.
    """
    with one_thread():
        solutions: Tensor = torch.linalg.solve(systems, targets)
    return solutions


def _common_step(system: Tensor, target: Tensor, scale: Tensor) -> Tensor:
    """The best step that changes all scales of a channel by one factor, which multiples of one scale can follow.

    Args:
        system: (n, G, G).
        target: (n, G).
        scale: (n, G).
    """
    energy = ((system @ scale[:, :, None])[:, :, 0] * scale).sum(1)  # (n,)
    share = (scale * target).sum(1) / energy.clamp_min(1e-30)
    return share[:, None] * scale


def _change(old: QParams, new: QParams, *, with_offset: bool) -> Tensor:
    """How scales δ, and offsets o = −δ z if they are free, differ: (n, K G)."""
    change = new.scale - old.scale
    if not with_offset:
        return change
    return torch.cat([change, old.scale * old.zero_point - new.scale * new.zero_point], dim=1)


@dataclass(frozen=True, eq=False)
class _NormalEquations:
    """``AᵀHA`` and ``AᵀH(w − q)`` of each channel, A's columns being the basis of each unit, then its indicator.

    Attributes:
        system: (n, K G, K G), with K = 2 where offsets are solved for, else 1.
        target: (n, K G).
        through: G of (n, m), each unit's basis seen through H.
        flat: (G, m), each unit's indicator seen through H; None where offsets are fixed.
    """

    system: Tensor
    target: Tensor
    through: list[Tensor]
    flat: Tensor | None

    @classmethod
    def of(cls, pull: Tensor, gram: Tensor, basis: Tensor, levels: QParams, *, with_offset: bool) -> _NormalEquations:
        units = levels.units
        runs = [slice(u * units.run, min((u + 1) * units.run, units.columns)) for u in range(units.count)]
        through = [basis[:, run] @ gram[run] for run in runs]  # G of (n, m)
        own = torch.stack([units.total(seen * basis) for seen in through], dim=1)  # (n, G, G)
        right = units.total(pull * basis)  # (n, G)
        if not with_offset:
            return cls(own, right, through, None)
        flat = torch.stack([gram[run].sum(0) for run in runs])  # (G, m)
        cross = torch.stack([units.total(seen) for seen in through], dim=1)  # (n, G, G)
        upper = torch.cat([own, cross], dim=2)  # (n, G, 2 G)
        lower = torch.cat([cross.transpose(1, 2), units.total(flat).expand_as(own)], dim=2)  # (n, G, 2 G)
        right = torch.cat([right, units.total(pull)], dim=1)  # (n, 2 G)
        return cls(torch.cat([upper, lower], dim=1), right, through, flat)

    def seen(self, change: Tensor) -> Tensor:
        """A change of the unknowns (n | 1, K G), seen through H: (n, m)."""
        total = torch.zeros_like(self.through[0])
        for unit, basis in enumerate(self.through):
            total += change[:, unit, None] * basis
        return total if self.flat is None else total + change[:, len(self.through) :] @ self.flat


def _moved(levels: QParams, step: Tensor, zero_point: ZeroPoint) -> QParams:
    """Scales and zero-points after a step in (δ, o); scales that would vanish or turn round stay."""
    count = levels.units.count
    scale = levels.scale + step[:, :count]
    scale = torch.where(scale > 0, scale, levels.scale)
    if zero_point != "real":
        return QParams.rounded(scale, levels.zero_point, levels.units, levels.top, levels.scales)
    offset = step[:, count:] - levels.scale * levels.zero_point
    return QParams.rounded(scale, -offset / scale, levels.units, levels.top, levels.scales)
