"""All unfinished work of a user: found again, held by one process at a time, deleted when there is too much."""

from __future__ import annotations

import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from pqcomq.atomic_files import made_folder, recover
from pqcomq.autosave.places import (
    LOCK,
    MOST_BYTES,
    MOST_SESSIONS,
    alone,
    bytes_in,
    damaged_folder,
    put_aside,
    weights_folder,
    work_folder,
)
from pqcomq.autosave.work import WORK_FILE, UnfinishedWork, WorkWriter, read_work
from pqcomq.errors import InputError
from pqcomq.run_lock import held_if_free
from pqcomq.staging import lock_or_none

if TYPE_CHECKING:
    from filelock import BaseFileLock

_LOCK = "lock"


class Place:
    """A folder for the work on one volume, held by this process until it is let go of or the process ends.

    Args:
        folder: exists.
        lock: held.
    """

    def __init__(self, folder: Path, lock: BaseFileLock) -> None:
        self.folder, self._lock = folder, lock
        self._writer = WorkWriter(folder)

    def write(self, work: UnfinishedWork) -> None:
        """Put the work in place of what was written before.

        Raises:
            InputError: it cannot be written.
        """
        self._writer.write(work)

    def release(self) -> None:
        """Let another process have it."""
        self._lock.release()

    def discard(self) -> None:
        """Delete it with all that it holds."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self._lock.release()
        shutil.rmtree(self.folder, ignore_errors=True)  # where an open file, the lock's, cannot be deleted


@dataclass(frozen=True, eq=False)
class FoundWork:
    """Work that no process holds.

    Attributes:
        folder: of it.
        work: what was done.
    """

    folder: Path
    work: UnfinishedWork


class Shelf:
    """The work on all volumes.

    Args:
        folder: of all that is kept, made when it is needed.

    Attributes:
        notes: what was wrong with something found, one sentence each; whoever tells the user takes them.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.notes: list[str] = []

    def found(self) -> list[FoundWork]:
        """What no process holds, the newest first; what is damaged is put aside and noted."""
        found = []
        for folder in self._folders():
            lock = lock_or_none(folder / _LOCK)
            if lock is None:
                continue
            try:
                found.append(FoundWork(folder, read_work(folder)))
            except FileNotFoundError:  # killed before anything was written
                shutil.rmtree(folder, ignore_errors=True)
            except InputError as problem:
                self._put_aside(folder, str(problem))
            finally:
                lock.release()
        return sorted(found, key=lambda each: each.work.saved, reverse=True)

    def new(self) -> Place:
        """A place for other work.

        Raises:
            InputError: it cannot be made.
        """
        folder = made_folder(work_folder(self.folder) / uuid4().hex)
        lock = lock_or_none(folder / _LOCK)
        if lock is None:
            raise InputError("Unfinished work cannot be kept there: the file system knows no locks.", folder)
        return Place(folder, lock)

    def take(self, found: FoundWork) -> Place | None:
        """Hold work that was found; None if another process does by now, or it is gone."""
        if not (found.folder / WORK_FILE).is_file():
            return None
        lock = lock_or_none(found.folder / _LOCK)
        return None if lock is None else Place(found.folder, lock)

    def tidy(self, most_sessions: int = MOST_SESSIONS, most_bytes: int = MOST_BYTES) -> None:
        """Delete the oldest of what no process holds, until there is not too much.

        Args:
            most_sessions: work on so many volumes stays.
            most_bytes: of work and weights together.

        Raises:
            InputError: the folder cannot be written.
        """
        with alone(self.folder) as is_alone:
            if not is_alone:
                return
            recover(weights_folder(self.folder))
            work = sorted(self._folders(), key=_age, reverse=True)
            for folder in work[most_sessions:]:
                _delete_work(folder)
            kept = [*self._folders(), *self._weights()]
            sizes = {path: bytes_in(path) for path in kept}
            for path in sorted(kept, key=_age)[:-1]:
                if sum(sizes.values()) <= most_bytes:
                    break
                if _delete_work(path) if path.parent == work_folder(self.folder) else _delete_weights(path):
                    del sizes[path]

    def bytes(self) -> int:
        """Of all that is kept."""
        return bytes_in(self.folder)

    def delete_all(self) -> None:
        """Delete everything, but what other processes hold."""
        recover(weights_folder(self.folder))
        for folder in self._folders():
            _delete_work(folder)
        for path in self._weights():
            _delete_weights(path)
        shutil.rmtree(damaged_folder(self.folder), ignore_errors=True)

    def _folders(self) -> list[Path]:
        place = work_folder(self.folder)
        try:
            return [each for each in place.iterdir() if each.is_dir() and not each.name.startswith(".")]
        except OSError:  # there is none yet
            return []

    def _weights(self) -> list[Path]:
        place = weights_folder(self.folder)
        try:
            return [each for each in place.iterdir() if each.suffix != LOCK and not each.name.startswith(".")]
        except OSError:  # there are none yet
            return []

    def _put_aside(self, folder: Path, reason: str) -> None:
        with suppress(OSError):
            put_aside(folder, self.folder)
            reason += " It was put aside; everything else is as it was."
        self.notes.append(reason)


def _delete_work(folder: Path) -> bool:
    """Delete work unless a process holds it."""
    lock = lock_or_none(folder / _LOCK)
    if lock is None:
        return False
    Place(folder, lock).discard()
    return not folder.exists()


def _delete_weights(path: Path) -> bool:
    """Delete a weights file, or finished layers unless a process is making more."""
    with held_if_free(path.with_suffix(LOCK), path) as free:
        if free:
            _delete(path)
    return not path.exists()


def _delete(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    with suppress(OSError):
        path.unlink()


def _age(path: Path) -> float:
    """When it was written or used last."""
    with suppress(OSError):
        told = (path / WORK_FILE if (path / WORK_FILE).exists() else path).stat()
        return told.st_mtime if path.is_dir() else max(told.st_mtime, told.st_atime)
    return 0.0
