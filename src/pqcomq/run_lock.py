"""One run at a time in one place: a second process that would write there is told so."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from pqcomq.errors import InputError
from pqcomq.staging import why

WITHOUT_END = -1
"""To wait as long as it takes."""


class HeldByAnotherRunError(InputError):
    """Another run is writing in a place."""


@contextmanager
def held_if_free(lock: Path, place: Path) -> Iterator[bool]:
    """Hold a place for this run unless another one holds it, and tell which; see :func:`only_run`.

    Raises:
        InputError: the file cannot be made.
    """
    with ExitStack() as held:
        try:
            held.enter_context(only_run(lock, place))
            free = True
        except HeldByAnotherRunError:
            free = False
        yield free


@contextmanager
def only_run(lock: Path, place: Path, *, wait: float = 0) -> Iterator[None]:
    """Hold a place for this run; it is free again when the block ends, and when the process does, however it ends.

    Args:
        lock: a file in a folder that exists; made, and taken away at the end of the block. What a killed process leaves
            of it holds nobody up. On a file system without locks nothing is held.
        place: what is written, for the message.
        wait: seconds to wait for another run, or :data:`WITHOUT_END`.

    Raises:
        HeldByAnotherRunError: another run holds it.
        InputError: the file cannot be made.
    """
    from filelock import FileLock, Timeout

    held = FileLock(lock, timeout=wait, thread_local=False)
    try:
        held.acquire()
    except Timeout as busy:
        told = "Another run is writing there; wait for its end, or choose another place."
        raise HeldByAnotherRunError(told, place) from busy
    except NotImplementedError:
        pass
    except OSError as error:
        raise InputError(f"Files cannot be written to the folder: {why(error)}.", lock.parent) from error
    try:
        yield
    finally:
        # While it is held, so that it is never another run's; Windows keeps open files, and lets go of them below.
        with suppress(OSError):
            lock.unlink()
        held.release()
        if os.name == "nt":
            with suppress(OSError):
                lock.unlink()
