"""Every scale and zero-point of a channel in closed form, with the codes held fixed.

With codes c fixed, Q = Σ_u δ_u c_u + o_u (o = −δ z) is linear in the 2 G unknowns of an output channel, so the best of
``‖X (w − q)ᵀ‖²`` is the solution of one small system of normal equations. For a single unit and a fixed zero-point it
is the published ``δ ← ⟨Xq, Xw⟩ / ‖Xq‖²`` (arXiv 2403.07134).
"""

from __future__ import annotations

import torch
from torch import Tensor

from pqcomq.quantization.layer_error import output_energy
from pqcomq.quantization.levels import Levels
from pqcomq.quantization.settings import ZeroPoint

_RIDGE = 1e-6
"""Relative damping of the normal equations; a unit whose codes are all alike has no scale of its own."""


def updated_levels(weight: Tensor, gram: Tensor, codes: Tensor, levels: Levels, zero_point: ZeroPoint) -> Levels:
    """The best levels for these codes; channels that would get worse (rounding to float16) keep theirs.

    Args:
        weight: (n, m), in stored order.
        gram: (m, m), in the same order.
        codes: (n, m).
        levels: so far.
        zero_point: ``real`` updates it with the scale; ``integer`` leaves it as it is.
    """
    old = levels.values(codes)  # (n, m)
    basis = codes if zero_point == "real" else codes - levels.per_weight()[1]  # (n, m)
    system, target = _normal_equations(weight - old, gram, basis, levels, with_offset=zero_point == "real")
    if levels.units.whole:
        system, target = system.sum(0, keepdim=True), target.sum(0, keepdim=True)
    size = system.shape[-1]
    damping = _RIDGE * system.diagonal(dim1=1, dim2=2).mean(dim=1) + 1e-12  # (n,)
    step = torch.linalg.solve(system + damping[:, None, None] * torch.eye(size), target)  # (n, K G)
    candidate = _moved(levels, step, zero_point)
    new_error = output_energy(weight - candidate.values(codes), gram)  # (n,)
    old_error = output_energy(weight - old, gram)  # (n,)
    if levels.units.whole:
        return candidate if float(new_error.sum()) < float(old_error.sum()) else levels
    better = (new_error < old_error)[:, None]  # False for NaN too
    return Levels(
        torch.where(better, candidate.scale, levels.scale),
        torch.where(better, candidate.zero_point, levels.zero_point),
        levels.units,
        levels.top,
    )


def _normal_equations(
    missing: Tensor, gram: Tensor, basis: Tensor, levels: Levels, *, with_offset: bool
) -> tuple[Tensor, Tensor]:
    """``AᵀHA`` and ``AᵀH(w − q)`` of each channel, A's columns being the basis of each unit, then its indicator.

    Returns:
        (n, K G, K G) and (n, K G), with K = 2 where offsets are solved for.
    """
    units = levels.units
    pull = missing @ gram  # (n, m)
    runs = [slice(u * units.run, min((u + 1) * units.run, units.columns)) for u in range(units.count)]
    through = [basis[:, run] @ gram[run] for run in runs]  # G of (n, m): each unit's basis seen through H
    own = torch.stack([units.total(seen * basis) for seen in through], dim=1)  # (n, G, G)
    right = units.total(pull * basis)  # (n, G)
    if not with_offset:
        return own, right
    cross = torch.stack([units.total(seen) for seen in through], dim=1)  # (n, G, G)
    ones = torch.stack([units.total(gram[run].sum(0)) for run in runs])  # (G, G)
    upper = torch.cat([own, cross], dim=2)  # (n, G, 2 G)
    lower = torch.cat([cross.transpose(1, 2), ones.expand_as(own)], dim=2)  # (n, G, 2 G)
    return torch.cat([upper, lower], dim=1), torch.cat([right, units.total(pull)], dim=1)


def _moved(levels: Levels, step: Tensor, zero_point: ZeroPoint) -> Levels:
    """Levels after a step in (δ, o); scales that would vanish or turn round stay."""
    count = levels.units.count
    scale = levels.scale + step[:, :count]
    scale = torch.where(scale > 0, scale, levels.scale)
    if zero_point == "integer":
        return Levels.rounded(scale, levels.zero_point, levels.units, levels.top)
    offset = step[:, count:] - levels.scale * levels.zero_point
    return Levels.rounded(scale, -offset / scale, levels.units, levels.top)
