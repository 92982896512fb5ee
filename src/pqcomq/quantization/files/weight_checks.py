"""Whether a stored weight, whoever wrote its file, is one that a layer can have."""

from __future__ import annotations

import torch

from pqcomq.quantization.algorithm.config import LAYER_WIDTHS
from pqcomq.quantization.algorithm.integer_weight import IntegerWeight
from pqcomq.quantization.algorithm.packing import row_bytes
from pqcomq.quantization.algorithm.quantize_layer import StoredWeight
from pqcomq.quantization.files.file_checks import problem_of


def fits(weight: StoredWeight, shape: tuple[int, ...]) -> bool:
    """Whether a weight's tensors have the kinds, shapes and values that a layer of a shape asks for.

    Args:
        weight: as read.
        shape: of the layer's own weight, (n, m) or (n, channels, kernel rows, kernel columns).
    """
    rows, columns = shape[0], int(torch.Size(shape[1:]).numel())
    if tuple(weight.shape) != tuple(shape):
        return False
    if isinstance(weight, IntegerWeight):
        return _integers_fit(weight, rows, columns)
    bits, run, permutation = weight.bits, weight.run, weight.permutation
    if bits not in LAYER_WIDTHS or run < 1:
        return False
    units = -(-columns // run)
    scales = {(rows, units), (1, 1)} if units == 1 else {(rows, units)}
    return (
        weight.packed.dtype == torch.uint8
        and weight.scale.is_floating_point()
        and (weight.zero_point.is_floating_point() or weight.zero_point.dtype == torch.uint8)
        and tuple(weight.packed.shape) == (rows, row_bytes(columns, bits))
        and tuple(weight.scale.shape) in scales
        and weight.scale.shape == weight.zero_point.shape
        and (permutation is None or tuple(permutation.shape) == (columns,))
        and problem_of(weight) is None
    )


def _integers_fit(weight: IntegerWeight, rows: int, columns: int) -> bool:
    shapes = {"codes": (rows, columns), "step": (columns,), "row_spread": (rows,), "column_spread": (columns,)}
    return all(
        tuple(part.shape) == shapes[name] and part.dtype == torch.int16 for name, part in weight.parts().items()
    ) and bool(torch.isfinite(weight.dequantize()).all())
