"""The voxels of a NIfTI file, read once from its beginning to its end."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
import SimpleITK as sitk

from pqcomq.atomic_files import why
from pqcomq.errors import InputError
from pqcomq.volumes.deflation import MOST_DEFLATION
from pqcomq.volumes.grid import Grid
from pqcomq.volumes.import_issues import REMEDIES, ImportIssue, Remedy
from pqcomq.volumes.nifti.geometry import Affine, grid_of
from pqcomq.volumes.nifti.header import HEADER_BYTES, NiftiHeader
from pqcomq.volumes.volume_choice import PartChoiceNeeded, checked_part
from pqcomq.volumes.voxel_types import compact

NIFTI_SUFFIXES = (".nii", ".nii.gz")
CHUNK = 1 << 20


def is_nifti_name(path: Path) -> bool:
    """Whether the name ends in ``.nii`` or ``.nii.gz`` (any case)."""
    return path.name.lower().endswith(NIFTI_SUFFIXES)


def nifti_stem(path: Path) -> str:
    """The file's name without ``.nii`` or ``.nii.gz``."""
    name = path.name[: -len(".gz")] if path.name.lower().endswith(".gz") else path.name
    return name[: -len(".nii")] if name.lower().endswith(".nii") else name


def read_nifti(
    path: Path, part: int | None = None, remedies: Collection[Remedy] = (), *, are_labels: bool = False
) -> tuple[np.ndarray, Grid, tuple[ImportIssue, ...]]:
    """Read one 3-D volume of a NIfTI file.

    Args:
        path: an existing regular file, plain or gzip-compressed.
        part: which volume of a file with more than three dimensions, counted from 1.
        remedies: which of two geometries that contradict each other holds, and ``"resample"`` where axes are not at
            right angles.
        are_labels: resampled to the nearest and not between them.

    Returns:
        Voxels (z, y, x) in the file's order with slope and intercept applied, as int16, int32 or float32; their
        grid; and what was odd.

    Raises:
        PartChoiceNeeded: there are several volumes and ``part`` does not tell which.
        RemedyNeeded: its two geometries contradict each other and ``remedies`` does not tell which holds.
        InputError: the file holds no such volume, or is damaged or cut off.
    """
    with _opened(path) as (header, stream):
        grid, sheared, findings = grid_of(header, remedies, path)
        index, told = _index(header, part, path)
        voxels = _read_volume(stream, header, index, path)
    values = compact(_scaled(voxels, header), path)
    if sheared is not None:
        values = _resampled(values, sheared, grid, are_labels=are_labels)
    return values, grid, (*told, *findings)


def _resampled(values: np.ndarray, affine: Affine, grid: Grid, *, are_labels: bool) -> np.ndarray:
    """Voxels (z, y, x) that lie on an affine's axes, linearly interpolated on a grid; the lowest value elsewhere.

    Of labels the nearest, and 0 elsewhere.
    """
    to_index = np.linalg.inv(affine.steps)
    transform = sitk.AffineTransform(3)
    transform.SetMatrix(to_index.ravel().tolist())
    transform.SetTranslation((-to_index @ affine.origin).tolist())
    image = sitk.GetImageFromArray(values)
    between = sitk.sitkNearestNeighbor if are_labels else sitk.sitkLinear
    elsewhere = 0.0 if are_labels else float(values.min())
    image = sitk.Resample(image, grid.size, transform, between, grid.origin, grid.spacing, grid.direction, elsewhere)
    resampled: np.ndarray = sitk.GetArrayFromImage(image)
    return resampled


def nifti_sizes(path: Path) -> tuple[int, ...]:
    """Voxels along each axis that a file's header states, the three of space first.

    Raises:
        InputError: the header is damaged, or the file cannot be long enough.
    """
    with _opened(path) as (header, _stream):
        return header.sizes


def holds_voxels(path: Path, voxels: np.ndarray) -> bool:
    """Whether a file holds these voxels, all of them and no others; a slice of it is in memory at a time.

    Args:
        path: of the file.
        voxels: (z, y, x) in the file's order and type, slope and intercept aside.

    Raises:
        InputError: it is damaged, or the header does not describe real numbers on a 3-D grid in millimetres.
    """
    with _opened(path) as (header, stream):
        grid_of(header, REMEDIES, path)
        if header.volumes != 1 or header.sizes[:3] != voxels.shape[::-1]:
            return False
        if header.dtype.newbyteorder("=") != voxels.dtype:
            return False
        for plane in voxels:
            read = np.empty(plane.shape, header.dtype)
            if _fill(stream, read.reshape(-1).view(np.uint8).data) < read.nbytes or not np.array_equal(read, plane):
                return False
        _check_end(stream, header.volume_bytes, header, path)
    return True


@contextmanager
def _opened(path: Path) -> Iterator[tuple[NiftiHeader, BinaryIO]]:
    """The header, and the file's content from the first voxel on."""
    try:
        with path.open("rb") as file:
            compressed = file.read(2) == b"\x1f\x8b"
        with path.open("rb") as file, gzip.open(file) if compressed else file as opened:
            stream = cast(BinaryIO, opened)
            header = _header(stream, path)
            if compressed != path.name.lower().endswith(".gz"):  # other readers go by the name
                named, renamed = ("is", ".nii.gz") if compressed else ("is not", ".nii")
                raise InputError(
                    f"The file {named} gzip-compressed, unlike its name; rename it to end in {renamed}.", path
                )
            _check_promise(header, path, compressed)
            yield header, stream
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(
            "The file is damaged or was cut off (its gzip compression does not end properly).", path
        ) from error
    except OSError as error:
        raise InputError(f"The file cannot be read: {why(error)}.", path) from error


def _header(stream: BinaryIO, path: Path) -> NiftiHeader:
    raw = stream.read(HEADER_BYTES[2])
    try:
        header = NiftiHeader.parse(raw)
    except ValueError as error:
        raise InputError(f"The file {error}.", path) from error
    if problem := header.problem():
        raise InputError(f"The file {problem}.", path)
    stream.seek(0)
    if _skip(stream, int(header.data_offset)) < int(header.data_offset):
        raise InputError("The file was cut off before its first voxel.", path)
    return header


def _check_promise(header: NiftiHeader, path: Path, compressed: bool) -> None:
    """See before memory is taken that the file can be long enough."""
    promised, size = header.volumes * header.volume_bytes, path.stat().st_size
    found = size * MOST_DEFLATION if compressed else size - int(header.data_offset)
    if found < promised:
        is_there = "" if compressed else f": {max(found, 0)} of {promised} bytes of voxels are there"
        raise InputError(f"The file was cut off{is_there}.", path)


def _index(header: NiftiHeader, part: int | None, path: Path) -> tuple[int, tuple[ImportIssue, ...]]:
    """Which of the file's volumes is meant, from 0, and a note where there are others."""
    count = header.volumes
    if part is not None:
        index = checked_part(part, count, str(path))
    elif count == 1:
        index = 0
    else:
        shape = " x ".join(map(str, header.sizes))
        reason = f"The file has {len(header.sizes)} dimensions ({shape}) and holds {count} volumes"
        raise PartChoiceNeeded(str(path), reason, [f"volume {number}" for number in range(1, count + 1)])
    told = f"The file holds {count} volumes; this is number {index + 1}."
    return index, (ImportIssue("part", told),) if count > 1 else ()


def _read_volume(stream: BinaryIO, header: NiftiHeader, index: int, path: Path) -> np.ndarray:
    """One volume of the file, (z, y, x) in the file's type; the others are passed over, so that the end is seen."""
    nx, ny, nz = header.sizes[:3]
    voxels = np.empty((nz, ny, nx), header.dtype)
    before = index * header.volume_bytes
    found = _skip(stream, before)
    if found == before:
        found += _fill(stream, voxels.reshape(-1).view(np.uint8).data)
    _check_end(stream, found, header, path)
    return voxels


def _check_end(stream: BinaryIO, found: int, header: NiftiHeader, path: Path) -> None:
    """Read on to the end: ``found`` bytes of voxels are read, and all others must follow."""
    promised = header.volumes * header.volume_bytes
    found += _skip(stream, promised - found)
    if found < promised:
        raise InputError(f"The file was cut off: {found} of {promised} bytes of voxels are there.", path)
    # One read more makes gzip compare its checksum at the end; a file padded without end is not followed.
    stream.read(CHUNK)


def _fill(stream: BinaryIO, buffer: memoryview) -> int:
    """Read into a buffer; returns how many bytes there were."""
    filled = 0
    while filled < len(buffer) and (chunk := stream.readinto(buffer[filled : filled + CHUNK])):  # type: ignore[attr-defined]
        filled += int(chunk)
    return filled


def _skip(stream: BinaryIO, count: int) -> int:
    """Read over ``count`` bytes; returns how many were there."""
    passed = 0
    while passed < count and (chunk := len(stream.read(min(count - passed, CHUNK)))):
        passed += chunk
    return passed


def _scaled(voxels: np.ndarray, header: NiftiHeader) -> np.ndarray:
    """Slope and intercept, where there are any, in double precision."""
    slope, intercept = header.scaling
    if slope == 0 or not np.isfinite(slope) or (slope, intercept) == (1, 0):
        return voxels.astype(voxels.dtype.newbyteorder("="), copy=False)
    return voxels * float(slope) + (float(intercept) if np.isfinite(intercept) else 0.0)
