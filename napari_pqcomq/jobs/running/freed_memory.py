"""What a comparison took of memory goes back to the system soon after it is closed."""

from __future__ import annotations

import threading

from qtpy.QtCore import QObject, QTimer

from pqcomq.cpu_settings import give_back_freed_memory

_PAUSE_MS = 2000
"""In which napari lets go of the layers, too, and somebody who compares again at once is not held up."""


class FreedMemory(QObject):
    """Hands it back in the background, once nothing was closed for a while."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_PAUSE_MS)
        self._timer.timeout.connect(self._give_back)

    def soon(self) -> None:
        """Something large was closed."""
        self._timer.start()

    def _give_back(self) -> None:
        threading.Thread(target=give_back_freed_memory, name="freed memory", daemon=True).start()
