"""How long a network took: the middle and the slow end of several passes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np


@dataclass(frozen=True)
class Latency:
    """Milliseconds over a number of passes, warm-up left out.

    Attributes:
        median_ms: half of the passes were faster.
        p95_ms: 95 % of them were faster.
        passes: how many were timed.
    """

    median_ms: float
    p95_ms: float
    passes: int

    @classmethod
    def of(cls, milliseconds: Sequence[float]) -> Latency:
        """From single timings, at least one."""
        median, p95 = np.percentile(milliseconds, (50, 95))
        return cls(float(median), float(p95), len(milliseconds))

    def to_dict(self) -> dict[str, float | int]:
        """JSON-ready."""
        return asdict(self)
