"""How much memory a pass needs, by looking at the process while it runs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psutil

_EVERY_SECONDS = 0.005


@dataclass
class PeakMemory:
    """Resident memory of this process around a piece of work.

    Attributes:
        before_bytes: when it began.
        peak_bytes: the most seen while it ran.
    """

    before_bytes: int
    peak_bytes: int

    @property
    def rise_bytes(self) -> int:
        """What the work added at its peak; buffers that an earlier pass left behind are not seen."""
        return self.peak_bytes - self.before_bytes


@contextmanager
def watching_memory() -> Iterator[PeakMemory]:
    """Sample the process every 5 ms until the block ends."""
    process = psutil.Process()
    seen = PeakMemory(*[process.memory_info().rss] * 2)
    done = threading.Event()

    def watch() -> None:
        while not done.wait(_EVERY_SECONDS):
            seen.peak_bytes = max(seen.peak_bytes, process.memory_info().rss)

    watcher = threading.Thread(target=watch, name="peak memory", daemon=True)
    watcher.start()
    try:
        yield seen
    finally:
        done.set()
        watcher.join()
        seen.peak_bytes = max(seen.peak_bytes, process.memory_info().rss)
