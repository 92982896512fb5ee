"""Whether a case's files are still those that it was scored from."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path

from pqcomq.cohort.cases.case import Case
from pqcomq.errors import InputError
from pqcomq.volumes.nrrd_metaimage.nrrd_metaimage_reader import is_picture_name, picture_data


def files_sha256(case: Case) -> str:
    """Of the bytes of a case's image and label file, and of those with their voxels; folders of DICOM are left out.

    Returns:
        Hexadecimal; empty for a case that has no single file.

    Raises:
        OSError: a file is not there or cannot be read.
    """
    digest, paths = hashlib.sha256(), _single_files(case)
    for path in paths:
        with path.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest() if paths else ""


def touched_since(case: Case, seconds: float) -> bool:
    """Whether one of these files was written, or moved to its place, since a time given in seconds since 1970.

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


def _voxels_beside(path: Path) -> list[Path]:
    """The file that belongs to a header standing alone (``.mhd``, ``.nhdr``); a damaged header names none."""
    if not is_picture_name(path):
        return []
    with suppress(InputError):
        data = picture_data(path)
        return [] if data == path else [data]
    return []
