"""Reading the voxels that a checked header describes, no more of them than it states and the file holds."""

from __future__ import annotations

import binascii
import bz2
import zlib
from collections.abc import Iterator
from math import prod
from pathlib import Path
from typing import BinaryIO

import numpy as np
import psutil

from pqcomq.atomic_files import why
from pqcomq.errors import InputError
from pqcomq.volumes.deflation import MOST_DEFLATION
from pqcomq.volumes.nrrd_metaimage.picture_file import PictureFile

CHUNK = 1 << 20
ZLIB_OR_GZIP = 32 + zlib.MAX_WBITS
MOST_CHARACTERS = 64
"""Of one number as text, with the space before it."""


def read_voxels(picture: PictureFile, index: int, path: Path) -> np.ndarray:
    """One volume of a file.

    Args:
        picture: the checked header.
        index: of the volume, from 0.
        path: that the user named, for messages.

    Returns:
        (z, y, x) in the file's order and type.

    Raises:
        InputError: the file was cut off, is damaged, or does not fit into memory.
    """
    shape = picture.sizes[::-1]  # numpy's order, the slowest axis first
    whole_shape, first = shape, 0
    if picture.part_axis == len(shape) - 1 and picture.encoding != "text":
        whole_shape, first = shape[1:], index * prod(shape[1:]) * picture.dtype.itemsize
    wanted = prod(whole_shape) * picture.dtype.itemsize
    _check_size(picture, first + wanted, path)
    if wanted > psutil.virtual_memory().available:
        raise InputError("The file is too large for this computer's memory.", path)
    try:
        with picture.data.open("rb") as stream:
            values = _filled(picture, stream, first, np.empty(whole_shape, picture.dtype))
    except MemoryError:
        raise InputError("The file is too large for this computer's memory.", path) from None
    except OSError as error:
        raise InputError(f"The file cannot be read: {why(error)}.", path) from error
    except (EOFError, ValueError, zlib.error) as error:
        raise InputError("The file is damaged or was cut off before its last voxel.", path) from error
    if picture.part_axis is None or whole_shape != shape:
        return values
    part: np.ndarray = np.take(values, index, axis=len(shape) - 1 - picture.part_axis)
    return part


def _check_size(picture: PictureFile, wanted: int, path: Path) -> None:
    """See before memory is taken that the file can be long enough."""
    size = picture.data.stat().st_size - max(picture.offset, 0)
    most = {"raw": size, "deflate": size * MOST_DEFLATION, "hex": size, "text": size * picture.dtype.itemsize}
    if most.get(picture.encoding, wanted) < wanted or size <= 0:
        raise InputError(
            f"The file was cut off: fewer voxels are there than the {picture.nbytes} bytes that it states.", path
        )


def _filled(picture: PictureFile, stream: BinaryIO, first: int, values: np.ndarray) -> np.ndarray:
    """Fill an array from byte ``first`` of the voxels on.

    Raises:
        EOFError: there are fewer.
        ValueError, OSError, zlib.error: they are damaged.
    """
    if picture.offset < 0:
        stream.seek(picture.data.stat().st_size - picture.nbytes)
    else:
        stream.seek(picture.offset)
    if picture.encoding == "text":
        count = values.size
        text = stream.read(count * MOST_CHARACTERS).decode("ascii")
        numbers = text.replace(",", " ").split(maxsplit=count)[:count]
        if len(numbers) < count:
            raise EOFError
        read = np.array(numbers, np.float64 if values.dtype.kind == "f" else np.int64)
        values.reshape(-1)[:] = read
        if values.dtype.kind != "f" and (values.reshape(-1) != read).any():
            raise ValueError("a number that the type of the voxels does not hold")
        return values
    if picture.encoding == "raw":
        stream.seek(first, 1)
        if stream.readinto(values.reshape(-1).view(np.uint8).data) < values.nbytes:  # type: ignore[attr-defined]
            raise EOFError
        return values
    buffer, before, filled = values.reshape(-1).view(np.uint8), picture.skip + first, 0
    pieces = {"deflate": _inflated, "bzip2": _unzipped, "hex": _from_hex}[picture.encoding](stream)
    for piece in pieces:
        passed = min(before, len(piece))
        before -= passed
        taken = np.frombuffer(piece, np.uint8)[passed : passed + buffer.size - filled]
        buffer[filled : filled + taken.size] = taken
        filled += taken.size
        if filled == buffer.size:
            return values
    raise EOFError


def _inflated(stream: BinaryIO) -> Iterator[bytes]:
    """Pieces of a zlib or gzip stream, of several one after the other too."""
    unpacker, packed = zlib.decompressobj(ZLIB_OR_GZIP), b""
    while packed := packed or stream.read(CHUNK):
        yield unpacker.decompress(packed, CHUNK)
        packed = unpacker.unconsumed_tail
        if unpacker.eof:
            packed, unpacker = unpacker.unused_data, zlib.decompressobj(ZLIB_OR_GZIP)


def _unzipped(stream: BinaryIO) -> Iterator[bytes]:
    unpacker, packed = bz2.BZ2Decompressor(), b""
    while not unpacker.eof:
        if unpacker.needs_input and not packed:
            packed = stream.read(CHUNK)
            if not packed:
                return
        yield unpacker.decompress(packed, CHUNK)
        packed = b""


def _from_hex(stream: BinaryIO) -> Iterator[bytes]:
    rest = b""
    while chunk := stream.read(CHUNK):
        digits = rest + b"".join(chunk.split())
        even = len(digits) - len(digits) % 2
        rest = digits[even:]
        yield binascii.unhexlify(digits[:even])
