"""Where unfinished work and quantized weights are kept, and how much of it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout
from platformdirs import user_state_path

from pqcomq.atomic_files import made_folder, why
from pqcomq.errors import InputError

FOLDER_VARIABLE = "PQCOMQ_AUTOSAVE"
"""Environment variable: ``off`` keeps nothing, anything else names another folder."""
MOST_SESSIONS = 20
MOST_BYTES = 2 * 10**9
LAYERS, LOCK = ".layers", ".lock"
"""Endings beside a weights file: the folder of layers finished so far, and the lock of whoever makes them."""
_OFF = ("off", "0", "no", "false")
_WORK, _WEIGHTS, _DAMAGED, _TIDYING = "work", "weights", "damaged", "tidying.lock"


def autosave_folder() -> Path | None:
    """The user's state folder, or what :data:`FOLDER_VARIABLE` names; None where it is switched off by that."""
    named = os.environ.get(FOLDER_VARIABLE, "").strip()
    if named.lower() in _OFF:
        return None
    return Path(named).expanduser() if named else user_state_path("napari-pqcomq", appauthor=False) / "autosave"


def work_folder(folder: Path) -> Path:
    """Of unfinished work, a folder each."""
    return folder / _WORK


def weights_folder(folder: Path) -> Path:
    """Of quantized weights, a file each."""
    return folder / _WEIGHTS


def damaged_folder(folder: Path) -> Path:
    """Of what could not be read."""
    return folder / _DAMAGED


def put_aside(path: Path, folder: Path) -> None:
    """Take something damaged out of the way, for whoever wants to look at it; what lay there before is deleted.

    Args:
        path: file or folder.
        folder: of all that is kept.

    Raises:
        OSError: it cannot be moved.
    """
    aside = damaged_folder(folder) / path.name
    shutil.rmtree(aside, ignore_errors=True)
    aside.unlink(missing_ok=True)
    aside.parent.mkdir(parents=True, exist_ok=True)
    path.replace(aside)


@contextmanager
def alone(folder: Path) -> Iterator[bool]:
    """Be the only process that tidies up.

    Yields:
        Whether it is; another one does it already if not.

    Raises:
        InputError: the folder cannot be written.
    """
    lock = FileLock(made_folder(folder) / _TIDYING, timeout=0, thread_local=False)
    try:
        lock.acquire()
    except (Timeout, NotImplementedError):
        yield False
        return
    except OSError as error:
        raise InputError(f"The folder cannot be written: {why(error)}.", folder) from error
    try:
        yield True
    finally:
        lock.release()


def bytes_in(path: Path) -> int:
    """Of a file, or of all files below a folder."""
    files = path.rglob("*") if path.is_dir() else (path,)
    total = 0
    for each in files:
        try:
            total += each.stat().st_size if each.is_file() else 0
        except OSError:  # it has just gone
            continue
    return total
