"""Quantization units: which weights of a matrix share a scale and a zero-point."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from pqcomq.quantization.algorithm.config import Granularity


@dataclass(frozen=True)
class ScaleGroups:
    """Columns (input channels, in stored order) split into equal runs; every row has its own units unless ``whole``.

    Attributes:
        columns: m.
        run: columns in a unit; the last unit may be smaller.
        whole: all rows share one unit (granularity ``layer``).
    """

    columns: int
    run: int
    whole: bool = False

    @classmethod
    def of(cls, granularity: Granularity, group_size: int, columns: int) -> ScaleGroups:
        """The units of a matrix with this many columns."""
        run = min(group_size, columns) if granularity == "group" else columns
        return cls(columns, run, granularity == "layer")

    @property
    def count(self) -> int:
        """Groups along a row, G."""
        return -(-self.columns // self.run)

    def spread(self, per_unit: Tensor) -> Tensor:
        """Per-unit values (n, G) to per-weight values (n, m)."""
        return per_unit[:, :, None].expand(-1, -1, self.run).flatten(1)[:, : self.columns]

    def gather(self, per_weight: Tensor, fill: float = 0.0) -> Tensor:
        """Per-weight values (n, m) as (n, G, run), the last unit filled up."""
        missing = self.count * self.run - self.columns
        padded = torch.nn.functional.pad(per_weight, (0, missing), value=fill) if missing else per_weight
        return padded.reshape(*per_weight.shape[:-1], self.count, self.run)

    def total(self, per_weight: Tensor) -> Tensor:
        """Sums over units: (…, m) → (…, G)."""
        return self.gather(per_weight).sum(dim=-1)
