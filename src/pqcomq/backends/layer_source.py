"""A model's weights as graphs of the fast runtime take them: packed where they are quantized, float32 where not."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from torch import Tensor, nn

from pqcomq.backends.int8_weights import integer_values
from pqcomq.quantization.algorithm.packing import pack
from pqcomq.quantization.algorithm.quantized_weight import QuantizedWeight


@dataclass(frozen=True, eq=False)
class Layer:
    """One linear layer or convolution.

    Attributes:
        weight: packed, or float32 in the layer's own shape.
        bias: (n,) float32, None without one.
        input_range: lowest and highest input seen on the calibration slices; None where it is not known, or empty.
    """

    weight: QuantizedWeight | Tensor
    bias: Tensor | None
    input_range: tuple[float, float] | None = None

    @property
    def permutation(self) -> Tensor | None:
        """(m,) int64: which input channel each stored column takes; None for the layer's own order."""
        stored = self.weight.permutation if isinstance(self.weight, QuantizedWeight) else None
        return None if stored is None else stored.long()

    @cached_property
    def whole_numbers(self) -> tuple[Tensor, Tensor] | None:
        """The weight as :func:`.integer_values` gives it, where its inputs' range is known; else None."""
        if self.input_range is None or isinstance(self.weight, Tensor):
            return None
        return integer_values(self.weight)

    @property
    def flat_shape(self) -> tuple[int, int]:
        """Outputs n and inputs m; a convolution's kernel taps are inputs of their own."""
        outputs, *inputs = self.weight.shape
        return outputs, math.prod(inputs)

    def matrix(self) -> Tensor:
        """(n, m) float32 in the layer's own column order."""
        weight = self.weight.dequantize() if isinstance(self.weight, QuantizedWeight) else self.weight
        return weight.flatten(1)

    def with_outputs(self, order: Tensor) -> Layer:
        """The same layer with its outputs in another order: rows move, no code changes.

        Args:
            order: (n,) int64, new output → old output; or a part of them.
        """
        bias = None if self.bias is None else self.bias[order]
        if isinstance(self.weight, Tensor):
            return replace(self, weight=self.weight[order], bias=bias)
        weight = self.weight
        per_row = weight.scale.shape[0] == weight.rows
        moved = replace(
            weight,
            packed=weight.packed[order],
            scale=weight.scale[order] if per_row else weight.scale,
            zero_point=weight.zero_point[order] if per_row else weight.zero_point,
            shape=(len(order), *weight.shape[1:]),
        )
        return replace(self, weight=moved, bias=bias)

    def in_stored_order(self) -> Layer:
        """The same layer for inputs that already come in the order of its stored columns."""
        if not isinstance(self.weight, QuantizedWeight):
            return self
        return replace(self, weight=replace(self.weight, permutation=None))


def in_own_order(weight: QuantizedWeight) -> QuantizedWeight:
    """Undo the permutation of a weight whose rows are one unit each: its codes can then be stored in any order."""
    if weight.permutation is None or weight.units.count > 1:
        return weight
    stored = weight.codes()  # (n, m)
    codes = torch.empty_like(stored)
    codes[:, weight.permutation.long()] = stored
    return replace(weight, packed=pack(codes, weight.bits), permutation=None)


@dataclass(frozen=True, eq=False)
class LayerSource:
    """The layers and tensors of one network by the names that its checkpoint uses.

    Attributes:
        module: the network; where a layer is quantized its float weight is not looked at.
        quantized: layer name → packed weight.
        input_ranges: layer name → range of its inputs.
    """

    module: nn.Module
    quantized: Mapping[str, QuantizedWeight]
    input_ranges: Mapping[str, tuple[float, float]]

    def layer(self, name: str) -> Layer:
        """A linear layer or convolution."""
        bias: Tensor | None = getattr(self.module.get_submodule(name), "bias", None)
        weight = in_own_order(self.quantized[name]) if name in self.quantized else self.weight(name)
        low, high = self.input_ranges.get(name, (0.0, 0.0))
        return Layer(weight, None if bias is None else bias.detach(), (low, high) if low < high else None)

    def weight(self, name: str) -> Tensor:
        """A layer's or an embedding's weight as torch has it."""
        weight: Tensor = getattr(self.module.get_submodule(name), "weight")  # noqa: B009
        return weight.detach()

    def tensor(self, name: str) -> np.ndarray:
        """A parameter or buffer, float32."""
        path, _, last = name.rpartition(".")
        found: Tensor = getattr(self.module.get_submodule(path), last)
        return found.detach().to(torch.float32).numpy()

    def number(self, name: str) -> float:
        """A plain attribute of the module or of one below it, such as a layer norm's ``eps``."""
        path, _, last = name.rpartition(".")
        return float(getattr(self.module.get_submodule(path), last))
