"""Voxel values: finite, and in one of three types whatever the file's.

Files come in ten number types and whole-number CT is often stored as floating point. The rest of the engine meets
only int16, int32 and float32; the values themselves never change by that, save for float64's last digits.
"""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

from pqcomq.errors import InputError

NOT_FINITE = "The file has {count} voxels that are not finite numbers (NaN or infinity)."


def compact(values: np.ndarray, what: object) -> np.ndarray:
    """Bring values to int16, else int32, where all are whole numbers in range; to float32 otherwise.

    Args:
        values: any shape, real numbers of any type.
        what: the file or folder, for the message.

    Returns:
        An array of the same shape; the argument itself if its type already fits.

    Raises:
        InputError: some values are not finite, or are too large for float32.
    """
    if values.dtype.kind == "f":
        # One sum is cheap and is finite only if all values are (or overflows, which the count then settles).
        with np.errstate(over="ignore", invalid="ignore"):
            suspicious = not np.isfinite(values.sum(dtype=np.float64))
        if suspicious and (count := int(np.count_nonzero(~np.isfinite(values)))):
            raise InputError(NOT_FINITE.format(count=count), what)
    low, high = (values.min(), values.max()) if values.size else (0, 0)
    if values.dtype.kind != "f" or np.array_equal(values, np.rint(values)):
        for whole in (np.int16, np.int32):
            if np.iinfo(whole).min <= low and high <= np.iinfo(whole).max:
                return values.astype(whole, copy=False)
    if (largest := max(abs(float(low)), abs(float(high)))) > float(np.finfo(np.float32).max):
        raise InputError(f"The file has voxel values up to {largest:.3g}, too large for single precision.", what)
    return values.astype(np.float32, copy=False)


def compact_image(image: sitk.Image, what: object) -> sitk.Image:
    """``compact`` for a SimpleITK image, on the same grid."""
    view = sitk.GetArrayViewFromImage(image)
    values = compact(view, what)
    if values.dtype == view.dtype:
        return image
    result = sitk.GetImageFromArray(values)
    result.CopyInformation(image)
    return result
