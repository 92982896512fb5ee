"""A quantized weight matrix: packed codes and what it takes to widen them again."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from pqcomq.quantization.algorithm.coarse_scales import ROWS, coarse_parts, from_coarse_parts
from pqcomq.quantization.algorithm.packing import pack, unpack
from pqcomq.quantization.algorithm.scale_groups import ScaleGroups


@dataclass(frozen=True, eq=False, repr=False)
class QuantizedWeight:
    """``Q[j, p[i]] = δ[j, u(i)] · (c[j, i] − z[j, u(i)])`` for stored column i in unit u(i).

    Attributes:
        packed: (n, bytes) uint8, the codes c in stored (permuted) column order, see :mod:`.packing`.
        scale: (n, G) float16, δ; (1, 1) where the whole layer is one unit.
        zero_point: same shape; float16, or uint8 where every z is a code.
        permutation: (m,) int16 (int32 beyond 32,767 inputs), p: stored column i holds input channel p[i]; None for the
            layer's own order.
        bits: bit width of a code.
        run: columns in a unit, see :class:`.ScaleGroups`.
        shape: of the layer's own weight, (n, m) or (n, channels, kernel rows, kernel columns).
        coarse: scales and zero-points lie on the grids of :mod:`.coarse_scales`, and are stored in a few bits each.
    """

    packed: Tensor
    scale: Tensor
    zero_point: Tensor
    permutation: Tensor | None
    bits: int
    run: int
    shape: tuple[int, ...]
    coarse: bool = False

    @classmethod
    def of(
        cls,
        codes: Tensor,
        scale: Tensor,
        zero_point: Tensor,
        permutation: Tensor | None,
        bits: int,
        run: int,
        shape: tuple[int, ...],
        *,
        coarse: bool = False,
    ) -> QuantizedWeight:
        """Pack codes (n, m) uint8; integral zero-points that are codes are kept in a byte each."""
        kept = None
        if permutation is not None:
            short = permutation.numel() <= torch.iinfo(torch.int16).max
            kept = permutation.to(torch.int16 if short else torch.int32)
        return cls(pack(codes, bits), scale, zero_point, kept, bits, run, shape, coarse)

    @classmethod
    def of_parts(cls, parts: Mapping[str, Tensor], bits: int, run: int, shape: tuple[int, ...]) -> QuantizedWeight:
        """The weight of what :meth:`parts` gave.

        Raises:
            KeyError: a part is missing.
        """
        coarse = ROWS in parts
        if coarse:
            groups = -(-math.prod(shape[1:]) // run)
            scale, zero_point = from_coarse_parts(parts, groups, bits)
        else:
            scale, zero_point = parts["scale"], parts["zero_point"]
        return cls(parts["codes"], scale, zero_point, parts.get("permutation"), bits, run, shape, coarse)

    def __repr__(self) -> str:
        size = " × ".join(map(str, self.shape))
        return f"QuantizedWeight({size}, {self.bits} bits, {self.storage_bits / (self.rows * self.columns):.2f} stored)"

    @property
    def rows(self) -> int:
        """Output channels, n."""
        return self.shape[0]

    @property
    def columns(self) -> int:
        """Inputs of the dot product, m: input channels times kernel taps."""
        return math.prod(self.shape[1:])

    @property
    def units(self) -> ScaleGroups:
        """The layout of scales over columns."""
        return ScaleGroups(self.columns, self.run, whole=self.scale.shape[0] == 1 and self.rows > 1)

    def codes(self) -> Tensor:
        """(n, m) uint8, stored order."""
        return unpack(self.packed, self.bits, self.columns)

    def dequantize(self) -> Tensor:
        """The weight in float32, in the layer's own order and shape.

        The same operations in the same order wherever it is called: a file read back gives the same bits.
        """
        scale = self.units.spread(self.scale.float())  # (n | 1, m)
        zero_point = self.units.spread(self.zero_point.float())  # (n | 1, m)
        stored = scale * (self.codes().float() - zero_point)  # (n, m)
        if self.permutation is None:
            return stored.view(self.shape)
        weight = torch.empty_like(stored)
        weight[:, self.permutation.long()] = stored
        return weight.view(self.shape)

    @property
    def storage_bits(self) -> int:
        """Bits that this weight takes in a file: codes, scales, zero-points and permutation, nothing left out."""
        return sum(8 * part.numel() * part.element_size() for part in self.parts().values())

    def parts(self) -> dict[str, Tensor]:
        """Its tensors by the names that they have in files."""
        kept = {"codes": self.packed}
        if self.coarse:
            kept |= coarse_parts(self.scale, self.zero_point, self.bits)
        else:
            kept |= {"scale": self.scale, "zero_point": self.zero_point}
        return kept if self.permutation is None else kept | {"permutation": self.permutation}
