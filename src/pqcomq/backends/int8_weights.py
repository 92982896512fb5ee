"""Weights that are whole numbers times one scale an output channel, as integer kernels multiply them."""

from __future__ import annotations

import torch
from torch import Tensor

from pqcomq.quantization.algorithm.quantized_weight import QuantizedWeight


def integer_values(weight: QuantizedWeight) -> tuple[Tensor, Tensor] | None:
    """A weight as whole numbers times one scale an output channel, where it is exactly that.

    It is where zero-points are whole and a channel's scales are whole multiples ``k`` of one, as small as ``k (c − z)``
    that fits a signed byte; a single unit a channel is one times its scale.

    Returns:
        ``k (c − z)`` in the layer's own column order, (n, m) int8, and the scales (n | 1, 1) float32; else None.
    """
    zero_point = weight.zero_point.float()
    if not torch.equal(zero_point, zero_point.round()):
        return None
    # All float16 are whole multiples of its smallest number.
    steps = (weight.scale.double() * 2.0**24).to(torch.int64)  # (n | 1, G)
    common = steps[:, :1]
    for unit in range(1, steps.shape[1]):
        common = torch.gcd(common, steps[:, unit : unit + 1])  # (n | 1, 1)
    multiples, units = steps // common, weight.units  # (n | 1, G)
    if int(multiples.max()) > 128:
        return None
    values = units.spread(multiples.short()) * (weight.codes().short() - units.spread(zero_point).short())  # (n, m)
    if int(values.min()) < -128 or int(values.max()) > 127:
        return None
    scale = (common.double() / 2.0**24).float()
    if weight.permutation is None:
        return values.to(torch.int8), scale
    own = torch.empty_like(values)
    own[:, weight.permutation.long()] = values
    return own.to(torch.int8), scale
