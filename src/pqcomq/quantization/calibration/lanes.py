"""Halted passes in several threads: each calibration input has a lane of its own.

Passes belong to the thread that began them, so that a lane stays in one. What the lanes give is summed up in their
order, which is that of the inputs however many threads there are. While the caller quantizes a layer, the passes in
full precision, which do not wait for it, go on to the next.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import wait

from pqcomq.quantization.algorithm.gram import QuantizableLayer
from pqcomq.quantization.algorithm.paired_gram import PairedGram
from pqcomq.quantization.calibration.passes import Pass
from pqcomq.quantization.calibration.sequential_forward import PassesDivergedError, SequentialForward
from pqcomq.quantization.workers import Workers


class Lanes(Iterator[tuple[str, PairedGram]]):
    """Gives what :class:`.SequentialForward` gives, from several of them.

    Args:
        full: runs each input through the model in full precision.
        low: runs the same inputs, in the same order, through a copy whose layers become quantized meanwhile.
        full_layers: name → layer of the one.
        low_layers: name → layer of the other.
        workers: threads for the lanes.
    """

    def __init__(
        self,
        full: Sequence[Pass],
        low: Sequence[Pass],
        full_layers: Mapping[str, QuantizableLayer],
        low_layers: Mapping[str, QuantizableLayer],
        workers: Workers,
    ) -> None:
        self._workers = workers
        self._lanes = [
            SequentialForward([wanted], [other], full_layers, low_layers)
            for wanted, other in zip(full, low, strict=True)
        ]

    def __next__(self) -> tuple[str, PairedGram]:
        begun = [self._workers.begin(number, _Step(lane)) for number, lane in enumerate(self._lanes)]
        name, ends = "", 0
        total: PairedGram | None = None
        try:
            while begun:
                # Let go of each lane's sums before the next are taken: at most a thread's worth of them is held.
                step = begun.pop(0).result()
                if step is None:
                    ends += 1
                    continue
                reached, grams = step
                if name and reached != name:
                    raise PassesDivergedError(f"calibration passes reached {name!r} and {reached!r} at the same time")
                name = reached
                if total is None:
                    total = grams
                else:
                    total.add_known(grams)
        finally:
            wait(begun)
        if total is None:
            raise StopIteration
        if ends:
            raise PassesDivergedError("some calibration passes ended before others")
        if self._workers.count > 1:
            for number, lane in enumerate(self._lanes):
                self._workers.begin(number, lane.run_ahead)
        return name, total

    def close(self) -> None:
        """End all halted passes, each in its thread, and take the hooks off both models."""
        wait([self._workers.begin(number, lane.close) for number, lane in enumerate(self._lanes)])


class _Step:
    """One lane's next layer; None once it has run to its end, since a future holds no StopIteration."""

    def __init__(self, lane: SequentialForward) -> None:
        self._lane = lane

    def __call__(self) -> tuple[str, PairedGram] | None:
        return next(self._lane, None)
