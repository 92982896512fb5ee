"""How long encoders took in one comparison: like is held against like, so nothing of an earlier run counts.

Embeddings are kept from one comparison to the next, with the time that they took. On a machine that was busy then and
is idle now, a ratio of such times would be one of the machine with itself.
"""

from __future__ import annotations

from collections.abc import Iterable

from pqcomq.comparison.measures.latency import Latency
from pqcomq.segmentation.slice_runner import SliceRunner

_PASSES = 3
_ENOUGH_MS = 4000
"""Time after which no further pass is worth it: MedSAM ViT-B takes 6 seconds and more for one in torch."""


class EncodingTimes:
    """One model's passes in this run, over all its objects."""

    def __init__(self) -> None:
        self._by_slice: dict[int, float] = {}
        self._passes = 0

    def note(self, runner: SliceRunner, z: int) -> None:
        """Take over what encoding slice ``z`` took, or encode it again where its embedding was kept from before.

        Some slices are encoded again, not all: as many as it takes to tell.

        Args:
            runner: that was just prompted on the slice; one for each object.
            z: slice.
        """
        if z in self._by_slice:
            return
        if runner.encoded_here(z):
            self._by_slice[z] = runner.encoder_ms[z]
        elif len(self._by_slice) < _PASSES and sum(self._by_slice.values()) < _ENOUGH_MS:
            self._by_slice[z] = runner.encode(z, again=True)

    def on(self, slices: Iterable[int]) -> Latency:
        """Of the passes on some slices; of all in this run where there was none on these."""
        own = [self._by_slice[z] for z in slices if z in self._by_slice]
        return Latency.of(own or list(self._by_slice.values()))


class TorchBaseline:
    """Encodes a few of the slices of a comparison in torch, as people run it today, in turns with the models compared.

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

    def take_turn(self, z: int) -> bool:
        """Encode slice ``z``, unless there were passes enough; whether it did."""
        if self._runner is None or len(self._each_ms) == _PASSES or sum(self._each_ms) > _ENOUGH_MS:
            return False
        took = self._runner.encode(z, again=True)
        if not self._each_ms and took < _ENOUGH_MS / 2:  # that was warming up, which is a small part of a longer one
            took = self._runner.encode(z, again=True)
        self._each_ms.append(took)
        return True
