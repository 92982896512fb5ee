"""What a comparison took of memory goes back to the system soon after it is closed."""

from __future__ import annotations

import threading
from functools import cache

from qtpy.QtCore import QObject, QTimer
from qtpy.QtWidgets import QApplication

from pqcomq.cpu_settings import give_back_freed_memory

_PAUSE_MS = 2000
"""In which napari lets go of the layers, too, and somebody who compares again at once is not held up."""


class FreedMemory(QObject):
    """Hands it back in the background, once nothing was closed for a while."""

    def __init__(self) -> None:
        super().__init__(QApplication.instance())
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._give_back)

    def soon(self) -> None:
        """Something large was closed."""
        self._timer.start(_PAUSE_MS)

    def _give_back(self) -> None:
        threading.Thread(target=give_back_freed_memory, name="freed memory", daemon=True).start()


@cache
def freed_memory() -> FreedMemory:
    """That of the process: a dock that closes frees the most, and is gone before the pause is over."""
    return FreedMemory()
