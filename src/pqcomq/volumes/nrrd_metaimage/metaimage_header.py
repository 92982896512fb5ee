"""Headers of MetaImage files (``.mha``, ``.mhd``), as ITK writes and reads them.

Source: the format's own documentation (https://itk.org/Wiki/MetaIO/Documentation): lines ``Key = Value``, of which
``ElementDataFile`` is the last; in a ``.mha`` the voxels follow it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pqcomq.errors import InputError
from pqcomq.volumes.import_issues import ImportIssue
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
from pqcomq.volumes.plain_numbers import plain_float, plain_int, plain_words

TYPES = {
    "MET_CHAR": "i1", "MET_UCHAR": "u1", "MET_SHORT": "i2", "MET_USHORT": "u2", "MET_INT": "i4", "MET_UINT": "u4",
    "MET_LONG": "i4", "MET_ULONG": "u4", "MET_LONG_LONG": "i8", "MET_ULONG_LONG": "u8", "MET_FLOAT": "f4",
    "MET_DOUBLE": "f8",
}  # fmt: skip
"""Numbers by their names; a MET_LONG has four bytes on every machine."""
_LAST = "ElementDataFile"
_BLANKS = " \t\n\v\f\r"
"""Round lines and values; Python would take away others, which to ITK belong to a name."""


def read_metaimage_header(path: Path) -> PictureFile:
    """Read and check a header.

    Args:
        path: an existing regular file.

    Raises:
        InputError: it is no such header, is damaged, or describes what cannot be read.
    """
    fields, end = _fields(path)
    turns, distances = ("TransformMatrix", "Rotation", "Orientation"), ("ElementSpacing", "ElementSize")
    try:
        dimensions = plain_int(fields["NDims"])
        sizes = tuple(plain_int(each) for each in plain_words(fields["DimSize"]))
        channels = plain_int(fields.get("ElementNumberOfChannels", "1"))
        skip = plain_int(fields.get("HeaderSize", "0"))
        if not 1 <= dimensions <= 5 or len(sizes) != dimensions or not 1 <= channels <= 1 << 16 or skip < -1:
            raise ValueError
        spacing = _numbers(fields, distances, dimensions, np.ones(dimensions))
        origin = _numbers(fields, ("Offset", "Position", "Origin"), dimensions, np.zeros(dimensions))
        turn = _numbers(fields, turns, dimensions**2, np.eye(dimensions).ravel())
    except (KeyError, ValueError, OverflowError):
        raise damaged(path) from None
    if channels == 3 and fields.get("ElementType") in ("MET_CHAR", "MET_UCHAR"):
        raise colours(path)
    if channels > 1:
        sizes = (channels, *sizes)
    part_axis = None if len(sizes) < 4 else 0 if channels > 1 else 3
    size = checked_axes(sizes, part_axis, path)
    axes = turn.reshape(dimensions, dimensions)[:3, :3].T  # each row of the file is an axis's direction
    data, offset = _place(path, fields[_LAST], end, skip)
    scale, findings = in_millimetres([fields.get("DistanceUnits", "")] * 3)
    findings += _intensity_function(fields)
    return PictureFile(
        sizes, part_axis, _dtype(fields, path), _encoding(fields, path), data, offset, 0,
        checked_grid(size, spacing[:3] * scale, origin[:3] * scale, axes, path), fields,
        any(key in fields for key in distances), any(key in fields for key in turns), findings,
    )  # fmt: skip


def _fields(path: Path) -> tuple[dict[str, str], int]:
    """The header's keys and values, and where it ends.

    Raises:
        InputError: the file does not begin with such a header.
    """
    fields: dict[str, str] = {}
    end = 0
    with path.open("rb") as stream:
        while line := stream.readline(MOST_HEADER_BYTES):
            end += len(line)
            text = line.decode("latin-1").strip(_BLANKS)
            key, separator, value = text.partition("=")
            key, value = key.rstrip(" \t"), value.strip(_BLANKS)
            if end > MOST_HEADER_BYTES or (text and not separator) or (not fields and not text):
                break
            if text and not (key and key.isascii() and key.isprintable()):
                break  # a damaged name: its value would be passed over, and another taken in its place
            if fields.setdefault(key, value) != value:
                break  # of two values other programs take another one
            if key == _LAST:
                return fields, end
    raise damaged(path)


def _intensity_function(fields: dict[str, str]) -> tuple[ImportIssue, ...]:
    """A note of a scale of the values that ITK reads over, so that nobody's values are other than everybody's."""
    scale = [fields.get(f"ElementToIntensityFunction{each}") for each in ("Slope", "Offset")]
    try:
        is_one = (float(scale[0] or 1), float(scale[1] or 0)) == (1, 0)
    except ValueError:
        is_one = False
    if is_one:
        return ()
    told = "The file states a scale for its values (ElementToIntensityFunction), which is left out, as others do."
    return (ImportIssue("values", told),)


def _numbers(fields: dict[str, str], keys: tuple[str, ...], count: int, otherwise: np.ndarray) -> np.ndarray:
    """The first of some fields that there is.

    Raises:
        ValueError: it does not hold ``count`` numbers.
    """
    found = next((fields[key] for key in keys if key in fields), None)
    if found is None:
        return otherwise
    numbers = np.array([plain_float(each) for each in plain_words(found)])
    if len(numbers) != count:
        raise ValueError
    return numbers


def _dtype(fields: dict[str, str], path: Path) -> np.dtype:
    kind = TYPES.get(fields.get("ElementType", ""))
    if kind is None:
        raise InputError("The file has voxels that are not one real number each.", path)
    order = fields.get("ElementByteOrderMSB", fields.get("BinaryDataByteOrderMSB", "False"))
    return np.dtype(f"{'>' if _is_true(order) else '<'}{kind}")


def _encoding(fields: dict[str, str], path: Path) -> str:
    is_packed, is_binary = _is_true(fields.get("CompressedData", "")), _is_true(fields.get("BinaryData", "False"))
    if is_packed and not is_binary:
        raise damaged(path)
    return "deflate" if is_packed else "raw" if is_binary else "text"


def _place(path: Path, name: str, end: int, skip: int) -> tuple[Path, int]:
    """The file with the voxels, and the bytes before them."""
    if name.upper() == "LOCAL":
        if skip not in (0, -1, end):  # which others take for bytes from the beginning of the file, or pass over
            raise damaged(path)
        return path, end
    return data_file(path, name), skip


def _is_true(text: str) -> bool:
    return text[:1].upper() in ("T", "1")
