"""Files that belong together: all of them appear, or none.

They are written into a hidden folder beside the target, which holds a lock while its process lives. Then they are
moved: where the target folder is new, by one rename; else one by one, after a note of what is to be moved. Of a process
that was killed, the next one that writes there finishes the moves if the note is there, and deletes the rest if not.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Self
from uuid import uuid4

from pqcomq.errors import InputError

if TYPE_CHECKING:
    from filelock import BaseFileLock

_NAME = re.compile(r"\.pqcomq-[0-9a-f]{32}")
_LOCK, _TREE, _OLD, _NOTE = "lock", "tree", "old", "moves.json"
_DAY = 24 * 3600
_TRIES = 5

_current: ContextVar[Staging | None] = ContextVar("pqcomq_staging", default=None)


def why(error: OSError) -> str:
    """The operating system's own words for a failure, in lower case, e.g. ``"no space left on device"``.

    Libraries put words of their own before them: pyarrow's are "Error writing bytes to file. Detail: [errno 28] …".
    """
    return re.sub(r"^.*\[errno \d+\] ", "", (error.strerror or str(error)).lower())


class Staging:
    """Where files of one set lie until all of them are whole.

    Args:
        base: folder that all of them go to, or into folders of it; need not exist.

    Raises:
        InputError: nothing can be written there.
    """

    def __init__(self, base: Path) -> None:
        self.base = base.absolute()
        self._targets: dict[Path, bool] = {}
        self._lock: BaseFileLock | None = None
        parent = existing_folder(self.base)
        for left in reversed(range(_TRIES)):
            self._folder = parent / f".pqcomq-{uuid4().hex}"
            try:
                self._folder.mkdir()
                self._lock = lock_or_none(self._folder / _LOCK)
                (self._folder / _TREE).mkdir()
                return
            except OSError as error:
                self.discard()
                # It may have been gone before it had its lock, taken by another process for one that was left behind.
                if not (left and isinstance(error, FileNotFoundError) and parent.is_dir()):
                    raise InputError(f"Files cannot be written to the folder: {why(error)}.", self.base) from error

    @staticmethod
    def current() -> Staging | None:
        """The set that files written now belong to."""
        return _current.get()

    @contextmanager
    def taking(self) -> Iterator[None]:
        """Files that are written in this block belong to the set."""
        before = _current.set(self)
        try:
            yield
        finally:
            _current.reset(before)

    def holds(self, path: Path) -> bool:
        """Whether a file goes to the set's folder."""
        return path.absolute().is_relative_to(self.base)

    def place(self, path: Path, *, overwrite: bool) -> Path:
        """Where a file is to be written for now.

        Args:
            path: where it goes.
            overwrite: it may replace a file there.

        Raises:
            InputError: it cannot be written.
        """
        tree = self._folder / _TREE
        staged = tree / path.absolute().relative_to(self.base)
        try:
            tree.stat()  # somebody who removed it with the folder round it is not to find it there again
            staged.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"The file could not be written: {why(error)}.", path) from error
        self._targets[path.absolute()] = overwrite
        return staged

    def where(self, path: Path) -> Path:
        """Where a file of the set lies now; the path itself where the set has no such file."""
        is_staged = path.absolute() in self._targets
        return self._folder / _TREE / path.absolute().relative_to(self.base) if is_staged else path

    def drop(self, path: Path) -> None:
        """Forget a file that was not written to its end."""
        self._targets.pop(path.absolute(), None)

    def commit(self) -> None:
        """Move all files to their places.

        Raises:
            InputError: one is in the way or cannot be moved; all is as it was then.
        """
        try:
            for path, overwrite in self._targets.items():
                if not overwrite and path.exists():
                    raise InputError("The file exists already and is not overwritten.", path)
            self._move()
        except OSError as error:
            one = next(iter(self._targets)) if len(self._targets) == 1 else None
            told = "The files" if one is None else "The file"
            raise InputError(f"{told} could not be written: {why(error)}.", one or self.base) from error
        finally:
            self.discard()

    def discard(self) -> None:
        """Take away what was not moved."""
        _take_away(self._folder, self._lock)
        self._lock = None

    def _move(self) -> None:
        if not self._targets:
            return
        if not self.base.exists():
            self.base.parent.mkdir(parents=True, exist_ok=True)
            (self._folder / _TREE).rename(self.base)
            return
        moves = [path.relative_to(self.base) for path in self._targets]
        if len(moves) > 1:
            note = json.dumps({"base": self._back(), "moves": [each.as_posix() for each in moves]})
            (self._folder / f"{_NOTE}.new").write_text(note, encoding="utf-8")
            (self._folder / f"{_NOTE}.new").replace(self._folder / _NOTE)
        moved: list[Path] = []
        try:
            for each in moves:
                _keep_old(self.base / each, self._folder / _OLD / each)
                moved.append(each)
                (self.base / each).parent.mkdir(parents=True, exist_ok=True)
                (self._folder / _TREE / each).replace(self.base / each)
        except BaseException:
            for each in moved:
                _restore(self.base / each, self._folder / _OLD / each)
            (self._folder / _NOTE).unlink(missing_ok=True)
            raise

    def _back(self) -> str:
        """The base as seen from the folder that holds the staging folder."""
        return self.base.relative_to(self._folder.parent).as_posix()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_rest: object) -> None:
        if kind is None:
            self.commit()
        else:
            self.discard()


@contextmanager
def together(base: Path) -> Iterator[None]:
    """All files that are written in this block below a folder appear at its end, or none.

    Within another such block they belong to the outer one, if that has the folder too.

    Args:
        base: the folder, made if need be.

    Raises:
        InputError: a file is in the way or cannot be written; nothing is left behind.
    """
    outer = Staging.current()
    if outer is not None and outer.holds(base):
        yield
        return
    recover(base)
    with Staging(base) as staging, staging.taking():
        yield


def recover(folder: Path) -> None:
    """Finish or take away what killed processes left in a folder, or beside it where it is new; best effort."""
    folder = folder.absolute()
    with suppress(OSError, InputError):
        for place in dict.fromkeys((folder, existing_folder(folder.parent))):
            if place.is_dir():
                for left in [each for each in place.iterdir() if _NAME.fullmatch(each.name)]:
                    _recover_one(left)


def _recover_one(left: Path) -> None:
    if left.is_symlink() or not left.is_dir():
        return
    if not (left / _LOCK).is_file():
        # Killed before it had its lock, or on a file system without locks, where nobody knows whether it lives.
        with suppress(OSError):  # it is not empty
            left.rmdir()
        if left.exists() and abs(time.time() - left.stat().st_mtime) > _DAY:  # also by a clock that was set back
            shutil.rmtree(left, ignore_errors=True)
        return
    lock = lock_or_none(left / _LOCK)
    if lock is None:
        return
    base, moves = _noted(left)
    try:
        for each in moves:
            staged = left / _TREE / each
            if staged.is_file() and not staged.is_symlink():
                (base / each).parent.mkdir(parents=True, exist_ok=True)
                staged.replace(base / each)
    except OSError:  # a full disk, say: what is left waits for a better day
        lock.release()
        raise
    _take_away(left, lock)


def _take_away(folder: Path, lock: BaseFileLock | None) -> None:
    """Delete a staging folder, its lock last: killed meanwhile, it is found again."""
    for name in (_NOTE, f"{_NOTE}.new"):
        with suppress(OSError):
            (folder / name).unlink()
    for name in (_TREE, _OLD):
        shutil.rmtree(folder / name, ignore_errors=True)
    if lock is not None:
        lock.release()
    with suppress(OSError):
        (folder / _LOCK).unlink()
    with suppress(OSError):
        folder.rmdir()


def _noted(left: Path) -> tuple[Path, list[Path]]:
    """What a killed process was about to move; nothing if it had not come so far, or if the note leads elsewhere."""
    try:
        note = json.loads((left / _NOTE).read_text(encoding="utf-8"))
        base, moves = Path(note["base"]), [Path(each) for each in note["moves"]]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return left.parent, []
    if any(each.is_absolute() or ".." in each.parts for each in (base, *moves)):
        return left.parent, []
    return left.parent / base, moves


def existing_folder(folder: Path) -> Path:
    """A folder or the nearest one above it that is there.

    Raises:
        InputError: it cannot be looked at, or something else has its name.
    """
    existing = folder
    try:
        while not existing.exists():
            existing = existing.parent
    except OSError as error:
        raise InputError(f"The folder cannot be used: {why(error)}.", folder) from error
    if not existing.is_dir():
        raise InputError(f"The folder cannot be used: {existing} is not a folder.", folder)
    return existing


def lock_or_none(path: Path) -> BaseFileLock | None:
    """A lock that ends with this process; None if another holds it, or there are none on this file system."""
    from filelock import FileLock, Timeout

    lock = FileLock(path, timeout=0, thread_local=False)
    try:
        lock.acquire()
    except (Timeout, NotImplementedError):
        return None
    return lock


def _keep_old(target: Path, kept: Path) -> None:
    """Keep a file that is to be replaced, under both names if the file system can."""
    if not target.exists():
        return
    kept.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(target, kept)
    except OSError:
        target.replace(kept)


def _restore(target: Path, kept: Path) -> None:
    """Put back what was there before, if anything was."""
    with suppress(OSError):
        if kept.exists():
            kept.replace(target)
        else:
            target.unlink(missing_ok=True)
