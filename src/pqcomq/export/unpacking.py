"""Packed weights as nodes of an ONNX graph that give the weight in float32, the same bits as ``dequantize``.

Weights of 8 bits with whole zero-points are ``DequantizeLinear`` (QDQ) as it is. Real zero-points and narrower codes
have no such node in every runtime and are unpacked by operations on bits. A runtime that folds constants does either
once, when it loads the graph; in the file they stay packed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from pqcomq.quantization.algorithm.integer_weight import step_sizes
from pqcomq.quantization.algorithm.packing import codes_per_byte, pack
from pqcomq.quantization.algorithm.quantize_layer import StoredWeight
from pqcomq.quantization.algorithm.quantized_weight import QuantizedWeight


class Unpacking:
    """Collects the nodes and constants that give one weight.

    Args:
        name: of the weight in the graph; names of everything in between begin with it.

    Attributes:
        nodes: in the order in which they run.
        constants: what they take.
    """

    def __init__(self, name: str) -> None:
        from onnx import NodeProto, TensorProto

        self._name = name
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []

    def add(self, weight: StoredWeight) -> None:
        """Give the weight, in the layer's own shape, under the name."""
        if isinstance(weight, QuantizedWeight):
            self._packed(weight)
        else:
            codes = self._constant("codes", weight.codes)
            widened = self._node("Cast", [codes], to=_FLOAT)
            product = self._node("Mul", [widened, self._constant("steps", step_sizes(weight.step))])
            self._finish(product, weight.shape)

    def _packed(self, weight: QuantizedWeight) -> None:
        rows, columns = weight.rows, weight.columns
        per_row = weight.scale.expand(rows, -1)  # one for the whole layer becomes one a row
        zero_points = weight.zero_point.expand(rows, -1)
        if weight.bits == 8 and zero_points.dtype == torch.uint8:
            codes = self._constant("codes", weight.packed)
            scale, zero = self._constant("scale", per_row.float()), self._constant("zero_point", zero_points)
            stored = self._node("DequantizeLinear", [codes, scale, zero], axis=1, block_size=weight.run)
        else:
            scale = self._spread(self._widened("scale", per_row), weight)
            zero = self._spread(self._widened("zero_point", zero_points), weight)
            centred = self._node("Sub", [self._codes(weight), zero])
            stored = self._node("Mul", [scale, centred])
        if weight.permutation is not None:
            place = weight.permutation.long().argsort().to(torch.int32)  # where each of the layer's columns is stored
            stored = self._node("Gather", [stored, self._constant("order", place)], axis=1)
        self._finish(stored, (rows, columns) if len(weight.shape) == 2 else weight.shape)

    def _codes(self, weight: QuantizedWeight) -> str:
        """The codes (n, m) in float32."""
        bits = next(width for width in (1, 2, 4, 8) if width >= weight.bits)  # others may lie in two bytes
        codes = self._constant("codes", weight.packed if bits == weight.bits else pack(weight.codes(), bits))
        if bits < 8:
            mask = self._constant("mask", np.array((1 << bits) - 1, np.uint8))
            slots = []
            for slot in range(codes_per_byte(bits)):
                shifted = codes
                if slot:
                    shift = self._constant(f"shift_{slot}", np.array(slot * bits, np.uint8))
                    shifted = self._node("BitShift", [codes, shift], direction="RIGHT")
                masked = self._node("BitwiseAnd", [shifted, mask])
                slots.append(self._node("Unsqueeze", [masked, self._whole("slot_axis", 2)]))
            codes = self._node("Concat", slots, axis=2)
            codes = self._node("Reshape", [codes, self._whole("rows", weight.rows, -1)])
            codes = self._first(codes, weight.columns)
        return self._node("Cast", [codes], to=_FLOAT)

    def _widened(self, name: str, values: torch.Tensor) -> str:
        return self._node("Cast", [self._constant(name, values)], to=_FLOAT)

    def _spread(self, units: str, weight: QuantizedWeight) -> str:
        """Values of groups (n, G) as values of columns (n, m)."""
        groups = weight.scale.shape[1]
        if groups == 1:
            return units
        parted = self._node("Unsqueeze", [units, self._whole("unit_axis", 2)])
        spread = self._node("Expand", [parted, self._whole("runs", weight.rows, groups, weight.run)])
        flat = self._node("Reshape", [spread, self._whole("rows", weight.rows, -1)])
        return flat if groups * weight.run == weight.columns else self._first(flat, weight.columns)

    def _first(self, rows: str, columns: int) -> str:
        """The first columns of rows."""
        ends = [self._whole(f"from_{at}", at) for at in (0, columns, 1)]
        return self._node("Slice", [rows, ends[0], ends[1], ends[2]])

    def _finish(self, matrix: str, shape: Sequence[int]) -> None:
        self._node("Reshape", [matrix, self._whole("shape", *shape)], result=self._name)

    def _node(self, kind: str, inputs: list[str], result: str | None = None, **settings: Any) -> str:  # noqa: ANN401
        from onnx import helper

        output = result or f"{self._name}.{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [output], name=output, **settings))
        return output

    def _whole(self, name: str, *values: int) -> str:
        return self._constant(f"{name}_{'_'.join(map(str, values))}", np.array(values, np.int64))

    def _constant(self, name: str, values: torch.Tensor | np.ndarray) -> str:
        from onnx import numpy_helper

        full = f"{self._name}.{name}"
        if all(each.name != full for each in self.constants):
            plain = values.contiguous().numpy() if isinstance(values, torch.Tensor) else values
            self.constants.append(numpy_helper.from_array(plain, full))
        return full


_FLOAT = 1
"""``onnx.TensorProto.FLOAT``."""
