"""Files that are written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from pqcomq.errors import InputError
from pqcomq.staging import Staging, existing_folder, recover, together, why

__all__ = ["check_folder", "check_target", "made_folder", "recover", "replacing", "size_of", "together", "why"]


@contextmanager
def replacing(path: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Write elsewhere; the file takes its place only when the block ends well.

    Within :func:`together` it takes its place with the others, when that block ends well.

    Args:
        path: the file to be; its folder exists.
        overwrite: replace a file that is already there.

    Yields:
        The temporary path, with the same name in another folder (libraries tell formats by endings).

    Raises:
        InputError: the file exists, its folder does not, or the system refuses to write; nothing is left behind.
    """
    of_set = Staging.current()
    if of_set is None or not of_set.holds(path):
        _check(path, overwrite)
        with Staging(path.parent) as alone:
            yield from _written(alone, path, overwrite)
        return
    if path.parent.is_dir():
        _check(path, overwrite)
    yield from _written(of_set, path, overwrite)


def size_of(path: Path) -> int:
    """Bytes of a file, also of one that was written in :func:`together` and has not taken its place yet."""
    of_set = Staging.current()
    return (path if of_set is None else of_set.where(path)).stat().st_size


def _written(staging: Staging, path: Path, overwrite: bool) -> Iterator[Path]:
    partial = staging.place(path, overwrite=overwrite)
    try:
        yield partial
    except BaseException as error:
        staging.drop(path)
        partial.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise InputError(f"The file could not be written: {why(error)}.", path) from error
        raise


def _check(path: Path, overwrite: bool) -> None:
    try:
        if not path.parent.is_dir():
            raise InputError(f"The file cannot be written: there is no folder {path.parent}.", path)
        if path.is_dir():
            raise InputError("The file cannot be written: it is a folder.", path)
        if path.exists() and not overwrite:
            raise InputError("The file exists already and is not overwritten.", path)
        writable = os.access(path.parent, os.W_OK)
    except OSError as error:  # a folder on the way may not be entered
        raise InputError(f"The file cannot be written: {why(error)}.", path) from error
    if not writable:
        raise InputError(f"The file cannot be written: the folder {path.parent} is read-only.", path)


def check_target(path: Path, *, overwrite: bool) -> None:
    """See before any long work that a file can be written; nothing is written yet.

    Raises:
        InputError: the file exists and may not be replaced, or its folder does not exist or cannot be written.
    """
    recover(path.parent)
    _check(path, overwrite)
    _probe(path.parent)


def check_folder(folder: Path, names: Iterable[str], *, overwrite: bool) -> None:
    """See before any long work that files can be written in a folder, which may have to be made for them.

    Raises:
        InputError: a file exists and may not be replaced, or the folder cannot be made or written.
    """
    recover(folder)
    existing = existing_folder(folder.absolute())
    _probe(existing)
    if existing == folder.absolute():
        for name in names:
            _check(folder / name, overwrite)


def made_folder(folder: Path) -> Path:
    """Make a folder if need be, and give it back.

    Raises:
        InputError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"The folder cannot be made: {why(error)}.", folder) from error
    return folder


def _probe(folder: Path) -> None:
    """Write a block there and take it away again: rights and free space, as the system sees them."""
    probe = folder / f".{uuid4().hex}"
    try:
        probe.write_bytes(bytes(4096))
    except OSError as error:
        raise InputError(f"Files cannot be written to the folder: {why(error)}.", folder) from error
    finally:
        with suppress(OSError):
            probe.unlink(missing_ok=True)
