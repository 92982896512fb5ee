"""Headers of NRRD files (``.nrrd``, ``.nhdr``), parsed by pynrrd.

Pynrrd takes a header apart; what it means for a volume in the patient (axes of space, parts, the sense of each axis) is
decided here as ITK does it. Source: http://teem.sourceforge.net/nrrd/format.html.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import nrrd
import numpy as np
from nrrd.reader import _TYPEMAP_NRRD2NUMPY as TYPES

from pqcomq.errors import InputError
from pqcomq.volumes.nrrd_metaimage.picture_file import (
    MOST_HEADER_BYTES,
    PictureFile,
    checked_axes,
    checked_grid,
    colours,
    damaged,
    data_file,
    in_millimetres,
)
from pqcomq.volumes.plain_numbers import plain_words

ENCODINGS = {
    "raw": "raw", "gzip": "deflate", "gz": "deflate", "bzip2": "bzip2", "bz2": "bzip2", "text": "text", "txt": "text",
    "ascii": "text", "hex": "hex",
}  # fmt: skip
TO_LPS = {
    "right-anterior-superior": (-1, -1, 1), "ras": (-1, -1, 1), "left-anterior-superior": (1, -1, 1), "las": (1, -1, 1),
    "left-posterior-superior": (1, 1, 1), "lps": (1, 1, 1),
}  # fmt: skip
"""By space, that of volumes in time too: factors of its axes. Any other is taken for LPS, as ITK does, and told."""
SPACE_KINDS = ("domain", "space", "time", "none", "???")
"""Kinds of axes along which whole volumes follow; along others lie several numbers of one voxel."""
_NUMBERS = frozenset(
    {"dimension", "sizes", "spacings", "thicknesses", "axis mins", "axis maxs", "space directions", "space origin"}
    | {"line skip", "lineskip", "byte skip", "byteskip"}
)
"""Fields that hold nothing but numbers."""
_PLAIN = {r"\\": "\\", r"\n": "\n"}
"""What the format escapes in its pairs of key and value."""
_ESCAPED = re.compile(r"\\[\\n]")
_COLOURS = ("RGB-color", "RGBA-color", "3-color", "4-color")


def read_nrrd_header(path: Path) -> PictureFile:
    """Read and check a header.

    Args:
        path: an existing regular file.

    Raises:
        InputError: it is no such header, is damaged, or describes what cannot be read.
    """
    lines, end = _lines(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            header: Mapping[str, Any] = nrrd.read_header(iter(lines))
        _check_numbers(lines)
        dimensions = int(header["dimension"])
        sizes = tuple(int(each) for each in header["sizes"])
        if len(sizes) != dimensions:
            raise ValueError
        checked_axes(sizes, 3 if dimensions == 4 else None, path)
        encoding = ENCODINGS[str(header["encoding"]).lower()]
        dtype = _dtype(header, is_binary=encoding != "text")
        kinds = [str(kind) for kind in header.get("kinds", [])]
        directions = _directions(header, dimensions)
        skip_lines, skip = int(header.get("line skip", 0)), int(header.get("byte skip", 0))
        if (kinds and len(kinds) != dimensions) or skip_lines < 0 or skip < -1:
            raise ValueError
    except InputError:
        raise
    except Exception as error:  # pynrrd meets damaged values with errors of any kind
        raise damaged(path) from error
    part_axis = _part_axis(kinds, directions, dimensions)
    kind = kinds[part_axis] if kinds and part_axis is not None else ""
    if dtype.itemsize == 1 and (kind in _COLOURS or (kind == "vector" and sizes[part_axis or 0] == 3)):
        raise colours(path)
    if dimensions == 3 and directions is None and any(each.lower() not in SPACE_KINDS for each in kinds):
        raise InputError("The file is a 2-D picture with several numbers a pixel, not a volume.", path)
    size = checked_axes(sizes, part_axis, path)
    spacing, origin, axes = _geometry(header, directions, part_axis, path)
    scale, findings = in_millimetres(_units(header, directions, part_axis))
    spacing, origin = spacing * scale, origin * scale
    has_spacing = not np.isnan(spacing).any() or directions is not None
    if not has_spacing:
        spacing = np.where(np.isnan(spacing), 1.0, spacing)
    detached = header.get("data file", header.get("datafile"))
    data = path if detached is None else data_file(path, str(detached))
    offset = _past_lines(data, end if detached is None else 0, skip_lines, path)
    is_packed = encoding in ("deflate", "bzip2")
    if skip == -1 and encoding != "raw":
        raise damaged(path)
    return PictureFile(
        sizes, part_axis, dtype, encoding, data, -1 if skip == -1 else offset + (0 if is_packed else skip),
        skip if is_packed else 0, checked_grid(size, spacing, origin, axes, path), _texts(lines),
        has_spacing, directions is not None and _space(header) in TO_LPS, findings,
    )  # fmt: skip


def _lines(path: Path) -> tuple[list[str], int]:
    """The header's lines, and where the voxels begin; names in it may be of any language.

    Raises:
        InputError: the file does not begin with such a header.
    """
    lines: list[str] = []
    end = 0
    with path.open("rb") as stream:
        while line := stream.readline(MOST_HEADER_BYTES):
            end += len(line)
            if end > MOST_HEADER_BYTES or not (lines or line.startswith(b"NRRD")):
                raise damaged(path)
            if not line.strip():
                break
            lines.append(line.decode("utf-8", "replace"))
    if not lines:
        raise damaged(path)
    return lines, end


def _texts(lines: list[str]) -> dict[str, str]:
    """The header's own pairs of key and value, which describe a segmentation's objects."""
    pairs = (line.rstrip("\r\n").split(":=", 1) for line in lines if ":=" in line and not line.startswith("#"))
    return {key.strip(): _ESCAPED.sub(lambda found: _PLAIN[found[0]], value.strip()) for key, value in pairs}


def _units(header: Mapping[str, Any], directions: np.ndarray | None, part_axis: int | None) -> list[str]:
    """The unit of length along each of three axes of space; empty where there is none."""
    if directions is None:
        named = list(header.get("units") or [])
        named = [unit for axis, unit in enumerate(named) if axis != part_axis]
    else:
        named = list(header.get("space units") or [])
    return [str(unit) for unit in (*named, "", "", "")[:3]]


def _dtype(header: Mapping[str, Any], *, is_binary: bool) -> np.dtype:
    """The stored numbers' type; text needs no byte order.

    Raises:
        KeyError: the byte order or the type is missing, or unknown.
    """
    kind: np.dtype = np.dtype(TYPES[str(header["type"])])
    if kind.kind not in "iuf":
        raise KeyError
    if kind.itemsize == 1 or not is_binary:
        return kind
    return np.dtype({"little": "<", "big": ">"}[str(header["endian"])] + kind.str[1:])


def _directions(header: Mapping[str, Any], dimensions: int) -> np.ndarray | None:
    """Steps in space along each axis (dimensions, 3), rows of NaN for axes that are none of space; or None.

    ITK gives a fourth axis a dimension of space of its own; it is passed over.

    Raises:
        ValueError: there are not as many as axes, or space has fewer than three dimensions.
    """
    found = header.get("space directions")
    if found is None:
        return None
    steps = [np.full(3, np.nan) if row is None else np.asarray(row, float)[:3] for row in found]
    if len(steps) != dimensions or any(step.shape != (3,) for step in steps):
        raise ValueError
    return np.array(steps)


def _space(header: Mapping[str, Any]) -> str:
    """The space's name, of volumes in time (``RAST``, ``right-anterior-superior-time``) that of a single one."""
    name = str(header.get("space", "")).lower()
    return name[:3] if name in ("rast", "last", "lpst") else name.removesuffix("-time")


def _part_axis(kinds: list[str], directions: np.ndarray | None, dimensions: int) -> int | None:
    """Which of four axes counts volumes or numbers a voxel: the one that is none of space, else the last."""
    if dimensions != 4:
        return None
    if directions is not None and np.isnan(directions).all(axis=1).sum() == 1:
        return int(np.isnan(directions).all(axis=1).argmax())
    values = [axis for axis, kind in enumerate(kinds) if kind.lower() not in SPACE_KINDS]
    times = [axis for axis, kind in enumerate(kinds) if kind.lower() == "time"]
    return next((found[0] for found in (values, times) if len(found) == 1), 3)


def _check_numbers(lines: Sequence[str]) -> None:
    """Refuse ``2_5``, which Python, and pynrrd with it, takes for 25, and what else it alone reads.

    Raises:
        ValueError: there is such a number.
    """
    for line in lines:
        field, _, value = line.partition(":")
        if field.strip().lower() in _NUMBERS:
            plain_words(value)


def _geometry(
    header: Mapping[str, Any], directions: np.ndarray | None, part_axis: int | None, path: Path
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Spacing (3,), NaN where it is not stated, origin (3,) and axes as columns (3, 3), in LPS mm.

    Raises:
        InputError: they are damaged.
    """
    spatial = [axis for axis in range(int(header["dimension"])) if axis != part_axis]
    try:
        if directions is None:
            steps = np.asarray(header.get("spacings", np.full(len(spatial) + (part_axis is not None), np.nan)), float)
            steps = steps[spatial]
            return np.abs(steps), np.zeros(3), np.eye(3)
        turn = np.array(TO_LPS.get(_space(header), (1, 1, 1)), float)
        origin = np.asarray(header.get("space origin", np.zeros(3)), float)[:3]
        if origin.shape != (3,):
            raise ValueError
    except (IndexError, TypeError, ValueError):
        raise InputError("The file has a damaged geometry.", path) from None
    steps = directions[spatial] * turn
    spacing = np.linalg.norm(steps, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return spacing, origin * turn, (steps / spacing[:, None]).T


def _past_lines(data: Path, offset: int, count: int, path: Path) -> int:
    """Where the voxels begin after some lines that are to be skipped."""
    if not count:
        return offset
    with data.open("rb") as stream:
        stream.seek(offset)
        for _ in range(count):
            line = stream.readline(MOST_HEADER_BYTES)
            if not line.endswith(b"\n"):
                raise damaged(path)
            offset += len(line)
    return offset
