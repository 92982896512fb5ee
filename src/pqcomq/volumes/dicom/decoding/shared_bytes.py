"""Memory that two processes see, with no name that could be left behind.

``multiprocessing.shared_memory`` has names: what a killed process leaves of it stays until somebody takes it away,
before Python 3.13 whoever merely looks at it takes it away at his end, and containers often give it 64 MB. A file that
has no name is gone with the last process that has it open. Windows shares by name, and forgets memory in the same way.
"""

from __future__ import annotations

import mmap
import os
import sys

STEP = 1 << 20
"""Sizes are multiples of it, in bytes."""


def opened(descriptor: int, name: str, size: int) -> mmap.mmap:
    """The memory as the other process sees it.

    Args:
        descriptor: of the file without a name; -1 where memory has a name.
        name: of the memory; empty where it has none.
        size: in bytes.
    """
    if sys.platform == "win32":
        return mmap.mmap(-1, size, tagname=name)
    return mmap.mmap(descriptor, size)


class SharedBytes:
    """Memory that grows, for one process that is started with ``descriptor``.

    Attributes:
        descriptor: of its file, to be inherited; -1 where memory has a name.
        name: of its present piece; empty where it has none.
        room: its present piece.

    Raises:
        OSError: there is none.
    """

    def __init__(self) -> None:
        self.descriptor, self.name = _nameless_file(), ""
        self.room = self._piece(STEP)

    def take(self, size: int) -> mmap.mmap:
        """At least so many bytes; what was in them before may be gone."""
        rounded = -(-max(size, 1) // STEP) * STEP
        if rounded > len(self.room):
            self.room.close()
            self.room = self._piece(rounded)
        return self.room

    def shrink(self) -> None:
        """Give back all but the least piece."""
        if len(self.room) > STEP:
            self.room.close()
            self.room = self._piece(STEP)

    def close(self) -> None:
        """Give it back."""
        self.room.close()
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    def _piece(self, size: int) -> mmap.mmap:
        if self.descriptor < 0:
            self.name = f"pqcomq-{os.urandom(16).hex()}"
        else:
            os.ftruncate(self.descriptor, size)
        return opened(self.descriptor, self.name, size)


def _nameless_file() -> int:
    if sys.platform == "win32":
        return -1
    if sys.platform == "linux":
        return os.memfd_create("pqcomq")
    import tempfile  # 7 ms, which every process that decodes would take

    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())
