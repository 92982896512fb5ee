"""NRRD and MetaImage files, read in Python: a damaged header ends ITK's readers, and the process with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from pqcomq.atomic_files import why
from pqcomq.errors import InputError
from pqcomq.volumes.geometry_checks import NO_DIRECTIONS, NO_SPACING
from pqcomq.volumes.grid import Grid
from pqcomq.volumes.import_issues import ImportIssue
from pqcomq.volumes.nrrd_metaimage.metaimage_header import read_metaimage_header
from pqcomq.volumes.nrrd_metaimage.nrrd_header import read_nrrd_header
from pqcomq.volumes.nrrd_metaimage.picture_file import PictureFile
from pqcomq.volumes.nrrd_metaimage.picture_voxels import read_voxels
from pqcomq.volumes.volume_choice import PartChoiceNeeded, checked_part
from pqcomq.volumes.voxel_types import compact

READERS: dict[str, Callable[[Path], PictureFile]] = {
    ".nrrd": read_nrrd_header,
    ".nhdr": read_nrrd_header,
    ".mha": read_metaimage_header,
    ".mhd": read_metaimage_header,
}
"""Readers of headers by the name's ending; the second of each pair keeps its voxels in a file of their own."""


def is_picture_name(path: Path) -> bool:
    """Whether the name ends as those of NRRD and MetaImage files do (any case)."""
    return path.suffix.lower() in READERS


def read_picture(path: Path, part: int | None = None) -> tuple[np.ndarray, Grid, tuple[ImportIssue, ...]]:
    """Read one 3-D volume.

    Args:
        path: an existing regular file.
        part: which volume of a file with four dimensions, or with several numbers a voxel, counted from 1.

    Returns:
        Voxels (z, y, x) in the file's order, as int16, int32 or float32; their grid; and what was odd.

    Raises:
        PartChoiceNeeded: there are several volumes and ``part`` does not tell which.
        InputError: the file holds no volume, is damaged or cut off, or has its voxels in another folder.
    """
    picture = _header(path)
    index = _index(picture.parts, part, path)
    voxels = read_voxels(picture, index, path)
    told = f"The file holds {picture.parts} volumes; this is number {index + 1}."
    findings = ((ImportIssue("part", told),) if picture.parts > 1 else ()) + picture.findings
    if not picture.has_directions:
        findings = (*findings, NO_DIRECTIONS)
    if not picture.has_spacing:
        findings = (*findings, NO_SPACING)
    return compact(voxels, path), picture.grid, findings


def picture_sizes(path: Path) -> tuple[int, ...]:
    """Voxels along x, y and z that a file's header states, then how many volumes there are, if several.

    Raises:
        InputError: the header is damaged, or holds no volume.
    """
    picture = _header(path)
    return picture.grid.size if picture.parts == 1 else (*picture.grid.size, picture.parts)


def picture_header(path: Path) -> tuple[int, Mapping[str, str]]:
    """How many 3-D volumes a file holds, and the header's own fields.

    Raises:
        InputError: it is damaged, or holds no volume.
    """
    picture = _header(path)
    return picture.parts, picture.fields


def picture_data(path: Path) -> Path:
    """The file that the voxels are in: the same one, or one beside a header that stands alone.

    Raises:
        InputError: the header is damaged, or holds no volume.
    """
    return _header(path).data


def _header(path: Path) -> PictureFile:
    try:
        return READERS[path.suffix.lower()](path)
    except OSError as error:
        raise InputError(f"The file cannot be read: {why(error)}.", path) from error


def _index(count: int, part: int | None, path: Path) -> int:
    if part is not None:
        return checked_part(part, count, str(path))
    if count > 1:
        raise PartChoiceNeeded(
            str(path), f"The file holds {count} volumes", [f"volume {n}" for n in range(1, count + 1)]
        )
    return 0
