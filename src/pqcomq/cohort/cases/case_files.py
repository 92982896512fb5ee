"""Whether a case's files are still those that it was scored from."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path

from pqcomq.cohort.cases.case import Case
from pqcomq.errors import InputError
from pqcomq.volumes.nrrd_metaimage.nrrd_metaimage_reader import is_picture_name, picture_data


def files_sha256(case: Case) -> str:
    """Of the bytes of a case's image and label file, of those with their voxels, and of what a folder of DICOM holds.

    Returns:
        Hexadecimal; empty for a case that is not read from files.

    Raises:
        OSError: a file is not there or cannot be read.
    """
    digest = hashlib.sha256()
    paths = [*_single_files(case), *(path for folder in _folders(case) for path in _shown_below(folder))]
    for path in paths:
        with path.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest() if paths else ""


def touched_since(case: Case, seconds: float) -> bool:
    """Whether one of these files was written, or moved to its place, since a time given in seconds since 1970.

    Folders of DICOM are not looked into: of many cases they hold too many files.

    Raises:
        OSError: one is not there.
    """
    written = [path.stat() for path in _single_files(case)]
    return any(max(each.st_mtime, each.st_ctime) > seconds for each in written)


def _single_files(case: Case) -> list[Path]:
    files: list[Path] = []
    for path in (case.image, case.labels):
        if path is not None and not path.is_dir():
            files += [path, *_voxels_beside(path)]
    return files


def _folders(case: Case) -> list[Path]:
    return [path for path in (case.image, case.labels) if path is not None and path.is_dir()]


def _shown_below(folder: Path) -> list[Path]:
    """All files of a folder in the order of their places in it, hidden ones left out: they come by being looked at."""
    below = (path for path in folder.rglob("*") if path.is_file())
    return sorted(path for path in below if not any(part[0] == "." for part in path.relative_to(folder).parts))


def _voxels_beside(path: Path) -> list[Path]:
    """The file that belongs to a header standing alone (``.mhd``, ``.nhdr``); a damaged header names none."""
    if not is_picture_name(path):
        return []
    with suppress(InputError):
        data = picture_data(path)
        return [] if data == path else [data]
    return []
