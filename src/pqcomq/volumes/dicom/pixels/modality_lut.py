"""From stored to real numbers: slope and intercept or a table, padding, and which end is bright."""

from __future__ import annotations

import numpy as np

from pqcomq.errors import InputError
from pqcomq.volumes.dicom.pixels.pixel_format import PixelFormat, Scale


class TooNarrowError(Exception):
    """The values do not fit the array; ``dtype`` would hold them."""

    def __init__(self, dtype: type[np.int32] | type[np.float32]) -> None:
        self.dtype = dtype


def put_real(
    stored: np.ndarray, storage: PixelFormat, own: Scale | None, target: np.ndarray, what: object
) -> tuple[int, bool]:
    """Write a frame's real numbers into an array.

    Args:
        stored: (rows, columns) as in the file; may be changed, and may lie in the memory of ``target``.
        storage: what the file says they mean.
        own: the frame's own scale, in place of the file's.
        target: (rows, columns) int16, int32 or float32.
        what: the file, for messages.

    Returns:
        How many pixels are no part of the picture, and whether they may be one all the same, for others lie below and
        above them.

    Raises:
        TooNarrowError: ``target`` cannot hold the numbers.
        InputError: they are not finite.
    """
    outside, padded, is_amid = None, 0, False
    if storage.padding is not None:
        outside = (stored >= storage.padding[0]) & (stored <= storage.padding[1])
        padded = int(np.count_nonzero(outside))
    if padded and outside is not None:
        low, high = _ends(stored[~outside])
        is_amid = _may_be_picture(storage, own, low, high)
        # A number far off must not decide which type is needed.
        stored[outside] = low
    scale = own or storage.scale
    if storage.table is not None:
        table = np.array(storage.table)
        if storage.turned:  # what it gives and not what it takes, for it need be neither straight nor as long
            table = table.max() + table.min() - table
        _put(table[np.clip(stored.astype(np.int64) - storage.table_from, 0, len(table) - 1)], target, what)
    else:
        if storage.turned:
            stored = (-1 if storage.signed else (1 << storage.bits_stored) - 1) - stored.astype(np.int64)
        if scale is None or scale.is_whole:
            _put_whole(stored, scale or Scale(1.0, 0.0), target, what)
        else:
            _put(_scaled(stored, scale), target, what)
    if padded and outside is not None:
        target[outside] = storage.fill
    return padded, is_amid


def _ends(values: np.ndarray) -> tuple[int, int]:
    return (int(values.min()), int(values.max())) if values.size else (0, 0)


def _may_be_picture(storage: PixelFormat, own: Scale | None, low: int, high: int) -> bool:
    """Whether what is marked as padding lies amid all other numbers, and stands for more than nothing."""
    first, last = storage.padding or (0, 0)
    scale = own or storage.scale or Scale(1.0, 0.0)
    return low < first <= last < high and scale.slope * last + scale.intercept > storage.fill


def _scaled(stored: np.ndarray, scale: Scale) -> np.ndarray:
    """In single precision; infinite where that cannot hold a number."""
    with np.errstate(over="ignore", invalid="ignore"):
        values: np.ndarray = (stored * scale.slope + scale.intercept).astype(np.float32)
    return values


def _put_whole(stored: np.ndarray, scale: Scale, target: np.ndarray, what: object) -> None:
    slope, intercept = int(scale.slope), int(scale.intercept)
    ends = sorted(int(end) * slope + intercept for end in (stored.min(), stored.max()))
    _check_fits(ends[0], ends[1], target)
    if target.dtype.kind == "f":
        _put(_scaled(stored, scale), target, what)
        return
    # The result fits, so that what wraps round on the way comes back.
    if not np.may_share_memory(stored, target):
        target[...] = stored.astype(target.dtype, copy=False)
    if slope != 1:
        target *= _wrapped(slope, target.dtype)
    if intercept != 0:
        target += _wrapped(intercept, target.dtype)


def _wrapped(number: int, dtype: np.dtype) -> np.ndarray:
    """The lowest bits of a number of any size."""
    wrapped: np.ndarray = np.array(number & ((1 << 64) - 1), np.uint64).astype(dtype)
    return wrapped


def _put(values: np.ndarray, target: np.ndarray, what: object) -> None:
    if values.dtype.kind == "f":
        if not np.isfinite(values).all():
            raise InputError("The file has values that are not finite numbers (NaN or infinity).", what)
        if target.dtype.kind != "f":
            raise TooNarrowError(np.float32)
    else:
        _check_fits(int(values.min()), int(values.max()), target)
    target[...] = values


def _check_fits(low: int, high: int, target: np.ndarray) -> None:
    if target.dtype.kind == "f":
        return
    for kind in (target.dtype.type, np.int32):
        info = np.iinfo(kind)
        if info.min <= low and high <= info.max:
            if kind is not target.dtype.type:
                raise TooNarrowError(np.int32)
            return
    raise TooNarrowError(np.float32)
