"""Full precision as people run it today, timed beside a comparison that something faster runs."""

from __future__ import annotations

from pqcomq.comparison.latency import Latency
from pqcomq.segmentation.slice_runner import SliceRunner

_PASSES = 3
_ENOUGH_MS = 4000
"""Time after which no further pass is worth it: MedSAM ViT-B takes 6 seconds and more for one."""


class TorchBaseline:
    """Encodes a few of the slices of a comparison in torch, in turns with its models.

    Args:
        runner: of full precision in torch; None where torch runs the comparison itself, and nothing is to be timed.
    """

    def __init__(self, runner: SliceRunner | None) -> None:
        self._runner = runner
        self._each_ms: list[float] = []

    @property
    def latency(self) -> Latency | None:
        """Of the passes so far; None where there were none."""
        return Latency.of(self._each_ms) if self._each_ms else None

    def take_turn(self, z: int) -> None:
        """Encode slice ``z``, unless there were passes enough."""
        if self._runner is None or len(self._each_ms) == _PASSES or sum(self._each_ms) > _ENOUGH_MS:
            return
        is_first = not self._each_ms and not self._runner.is_cached(z)
        took = self._runner.encode(z)
        if is_first and took < _ENOUGH_MS / 2:  # that one was warming up, which is a small part of a longer one
            took = self._runner.encode(z, again=True)
        self._each_ms.append(took)
