"""How long a network took: the middle and the slow end of several passes, and every single one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Latency:
    """Milliseconds over a number of passes, warm-up left out.

    Attributes:
        median_ms: half of the passes were faster.
        p95_ms: 95 % of them were faster.
        passes: how many were timed.
        each_ms: the single timings, in the order of the passes.
    """

    median_ms: float
    p95_ms: float
    passes: int
    each_ms: tuple[float, ...] = field(default=(), repr=False)

    @classmethod
    def of(cls, milliseconds: Sequence[float]) -> Latency:
        """From single timings, at least one."""
        median, p95 = np.percentile(milliseconds, (50, 95))
        return cls(float(median), float(p95), len(milliseconds), tuple(float(each) for each in milliseconds))

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {**asdict(self), "each_ms": [round(each, 3) for each in self.each_ms]}

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> Latency:
        """The inverse of :meth:`to_dict`; single timings come back rounded to a microsecond."""
        return cls(**{**content, "each_ms": tuple(content["each_ms"])})


def passes_told(latencies: Iterable[Latency]) -> str:
    """How many passes are behind several latencies, e.g. ``"8"``, or ``"3 to 8"`` where not all have as many."""
    passes = [each.passes for each in latencies]
    least, most = min(passes), max(passes)
    return f"{least}" if least == most else f"{least} to {most}"
