"""The processes that decode: started when they are needed, replaced when they die, ended when nobody needs them.

``concurrent.futures`` and loky fail all frames that wait when one process dies, without telling which frame killed it,
and start processes that run a script without a guard again; pebble does the latter too. All of them send pixels through
a pipe. A pipe for questions and shared memory for pixels is all that is needed here.
"""

from __future__ import annotations

import atexit
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from pqcomq.volumes.dicom.decoding.decoder_process import WORKER, DecoderProcess

MOST = min(8, os.cpu_count() or 1)
"""Processes at a time; each takes some 30 MB."""
IDLE_SECONDS = 30.0
"""After which a process that has nothing to do is ended."""


class Decoders:
    """Processes for any number of threads; each has one for itself while it decodes a frame.

    Args:
        most: processes at a time.
        module: whose ``main`` they run.
    """

    def __init__(self, most: int = MOST, module: str = WORKER) -> None:
        self._left, self._module = most, module
        self._idle: list[DecoderProcess] = []
        self._changed = threading.Condition()
        self._watched = False

    @contextmanager
    def one(self) -> Iterator[DecoderProcess]:
        """A process that lives, waited for where all are busy; one that died in the block is cleared away.

        Raises:
            OSError: none can be started.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._idle or self._left)
            process = self._idle.pop() if self._idle else None
            if process is None:
                self._left -= 1
        try:
            if process is not None and not process.lives:  # ended by somebody while it was idle
                process.end()
                process = None
            if process is None:
                process = DecoderProcess(self._module)
            yield process
        except BaseException:
            # Whatever went wrong, an answer may still be on its way; a damaged frame comes back as ValueError below.
            if process is not None:
                process.end()
            with self._changed:
                self._left += 1
                self._changed.notify()
            raise
        with self._changed:
            self._idle.append(process)
            if not self._watched:
                self._watched = True
                threading.Thread(target=self._watch, name="pqcomq decoders", daemon=True).start()
            self._changed.notify()

    def _watch(self) -> None:
        """End processes that have been idle for long; the thread ends with the last of them."""
        while True:
            time.sleep(IDLE_SECONDS / 3)
            with self._changed:
                old = [each for each in self._idle if time.monotonic() - each.used > IDLE_SECONDS]
                self._idle = [each for each in self._idle if each not in old]
                self._left += len(old)
                self._watched = bool(self._idle)
                self._changed.notify_all()
                ends = not self._watched
            for each in old:
                each.end()
            if ends:
                return

    def end(self) -> None:
        """End all processes that are idle."""
        with self._changed:
            idle, self._idle = self._idle, []
            self._left += len(idle)
            self._changed.notify_all()
        for each in idle:
            each.end()


class _Kept:
    """The processes of this process."""

    decoders = Decoders()


def decoders() -> Decoders:
    """The processes that all of this process's threads share."""
    return _Kept.decoders


def can_start_processes() -> bool:
    """Whether ``sys.executable`` is a Python; in a frozen program it is the program itself."""
    return bool(sys.executable) and not getattr(sys, "frozen", False)


def _forget() -> None:
    """In a fork the processes belong to the other; the pipes are closed without a word to them."""
    _Kept.decoders = Decoders()


atexit.register(lambda: _Kept.decoders.end())
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
