"""What the plates say while a slice is encoded: a large model takes half a minute for one on a laptop."""

from __future__ import annotations

import time

from qtpy.QtCore import QObject, QTimer, Signal

from napari_pqcomq.jobs.progress.times import duration
from napari_pqcomq.translation import tr

_QUIET_SECONDS = 2.0
"""Which need no clock."""


class EncodingClock(QObject):
    """Says each second for how long a slice has been encoded, and how long the last one took.

    Attributes:
        told: emitted with the line.
    """

    told = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._timer = QTimer(self)
        self._timer.setInterval(1000)
        self._timer.timeout.connect(self._tell)
        self._z, self._began = 0, 0.0
        self._last: float | None = None

    def start(self, z: int) -> None:
        """Slice ``z`` is encoded from now on."""
        self._z, self._began = z, time.perf_counter()
        self._timer.start()
        self._tell()

    def look(self, z: int) -> None:
        """Slice ``z`` is in sight: another one is not waited for any more."""
        if z != self._z:
            self.stop()

    def stop(self, *, encoded: bool = False) -> None:
        """Say no more; ``encoded`` where the slice was encoded to its end, by all models."""
        if encoded and self._timer.isActive():
            self._last = time.perf_counter() - self._began
        self._timer.stop()

    def _tell(self) -> None:
        spent = time.perf_counter() - self._began
        line = tr("Encoding slice {z}…", z=self._z)
        if spent >= _QUIET_SECONDS:
            line += f" {duration(spent)}"
        if self._last is not None and self._last >= max(spent, _QUIET_SECONDS):
            line += tr(" (the last one took {time})", time=duration(self._last))
        self.told.emit(line)
