"""Packed weights as constants of an OpenVINO graph: the codes that the quantizer chose, never others.

Three ways, each exactly ``δ (c − z)``:

* :func:`packed`: codes of 4 or 8 bits stay packed in memory and are widened inside the multiplying kernel. OpenVINO
  has no kernel for other widths: codes of 1 to 3 bits are held as 4-bit ones, those of 5 and 6 as bytes.
* :func:`integers`: signed bytes for the integer kernels, where zero-points are whole numbers and one scale serves a
  whole output channel, or the scales of its groups are small whole multiples of one.
* :func:`widened`: float32, for the few layers that neither can serve (dense 3 × 3 convolutions, whose permutation runs
  over channels and taps together).
"""

from __future__ import annotations

import math

import numpy as np
import openvino as ov
from openvino import opset13 as op
from torch import Tensor

from pqcomq.quantization.algorithm.packing import pack
from pqcomq.quantization.algorithm.quantized_weight import QuantizedWeight

_SMALLEST_RUN = 16
"""Columns below which a unit's scale would weigh as much as its codes."""


def float_constant(values: np.ndarray | float) -> ov.Node:
    """A float32 constant."""
    return op.constant(np.ascontiguousarray(values, dtype=np.float32))


def packed(weight: QuantizedWeight) -> ov.Node:
    """The weight (n, m), columns in stored order, kept packed until it is multiplied with.

    The kernel wants units of equal size. Where a row's last unit is smaller, all are split into the largest equal parts
    and their scales repeated: 64, 64 and 32 columns become five times 32.

    Args:
        weight: one that :func:`can_stay_packed`.
    """
    rows, columns = weight.rows, weight.columns
    run = _kernel_run(weight)
    shape = [rows, columns // run, run]
    bits = 4 if weight.bits <= 4 else 8
    codes = weight.packed if weight.bits == bits else pack(weight.codes(), bits)
    element = ov.Type.u4 if bits == 4 else ov.Type.u8
    stored = ov.op.Constant(ov.Tensor(codes.contiguous().numpy(), shape, element), shared_memory=False)
    scale, zero_point = (
        weight.units.spread(per_unit.float()).expand(rows, columns)[:, ::run, None].numpy()  # (n, m / run, 1)
        for per_unit in (weight.scale, weight.zero_point)
    )
    centred = op.subtract(op.convert(stored, np.float32), float_constant(zero_point))
    whole = op.multiply(centred, float_constant(scale))
    return op.reshape(whole, op.constant(np.array([rows, columns])), special_zero=False)


def can_stay_packed(weight: QuantizedWeight) -> bool:
    """Whether the kernel takes the weight as it is: equal parts of some size, and rows that fill whole bytes."""
    return weight.columns % 2 == 0 and _kernel_run(weight) >= _SMALLEST_RUN


def _kernel_run(weight: QuantizedWeight) -> int:
    return math.gcd(weight.run, weight.columns)


def integers(values: Tensor, scale: Tensor, shape: tuple[int, ...]) -> ov.Node:
    """Whole numbers and a scale a channel, see :func:`.integer_values`, in a layer's own shape."""
    stored = op.constant(values.view(shape).contiguous().numpy())
    by_channel = scale.expand(shape[0], 1).reshape(-1, *[1] * (len(shape) - 1))  # (n, 1, …)
    return op.multiply(op.convert(stored, np.float32), float_constant(by_channel.numpy()))


def widened(weight: QuantizedWeight | Tensor) -> ov.Node:
    """The weight in float32, own order and shape."""
    return float_constant((weight.dequantize() if isinstance(weight, QuantizedWeight) else weight).numpy())
