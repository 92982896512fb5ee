"""From stored to real numbers: slope and intercept or a table, padding, and which end is bright."""

from __future__ import annotations

import numpy as np

from pqcomq.errors import InputError
from pqcomq.volumes.dicom.pixels.pixel_format import PixelFormat, Scale


class TooNarrowError(Exception):
    """The values do not fit the array; ``dtype`` would hold them."""

    def __init__(self, dtype: type[np.int32] | type[np.float32]) -> None:
        self.dtype = dtype


def put_real(stored: np.ndarray, storage: PixelFormat, own: Scale | None, target: np.ndarray, what: object) -> int:
    """Write a frame's real numbers into an array.

    Args:
        stored: (rows, columns) as in the file; may be changed, and may lie in the memory of ``target``.
        storage: what the file says they mean.
        own: the frame's own scale, in place of the file's.
        target: (rows, columns) int16, int32 or float32.
        what: the file, for messages.

    Returns:
        How many pixels are no part of the picture.

    Raises:
        TooNarrowError: ``target`` cannot hold the numbers.
        InputError: they are not finite.
    """
    outside, padded = None, 0
    if storage.padding is not None:
        outside = (stored >= storage.padding[0]) & (stored <= storage.padding[1])
        padded = int(np.count_nonzero(outside))
    if padded and outside is not None:
        # A number far off must not decide which type is needed.
        stored[outside] = stored[~outside].min() if padded < stored.size else 0
    if storage.turned:
        bits = storage.bits_stored
        stored = (-1 if storage.signed else (1 << bits) - 1) - stored.astype(np.int64)
    scale = own or storage.scale
    if storage.table is not None:
        table = np.array(storage.table)
        _put(table[np.clip(stored.astype(np.int64) - storage.table_from, 0, len(table) - 1)], target, what)
    elif scale is None or scale.is_whole:
        _put_whole(stored, scale or Scale(1.0, 0.0), target, what)
    else:
        _put(_scaled(stored, scale), target, what)
    if padded and outside is not None:
        target[outside] = storage.fill
    return padded


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
        target *= np.int64(slope).astype(target.dtype)
    if intercept != 0:
        target += np.int64(intercept).astype(target.dtype)


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
