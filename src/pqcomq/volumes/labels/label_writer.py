"""Masks out: whole files on the source's own grid, or nothing at all."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from pqcomq.atomic_files import replacing, why
from pqcomq.errors import InputError
from pqcomq.volumes.itk_warnings import quiet_itk
from pqcomq.volumes.nifti.nifti_voxels import NIFTI_SUFFIXES, holds_voxels
from pqcomq.volumes.volume import Volume

logger = logging.getLogger(__name__)

WRITTEN_SUFFIXES = (*NIFTI_SUFFIXES, ".nrrd", ".mha")
"""In lower case alone: ITK writes no .NII.GZ, though it reads it."""


def write_mask(path: Path, mask: np.ndarray, volume: Volume, *, overwrite: bool = False) -> None:
    """Write a mask or label map as NIfTI, NRRD or MetaImage on the grid of the volume's file.

    NRRD and MetaImage keep the grid's numbers to the last digit of a double. NIfTI has room for single precision,
    some thousandths of a millimetre at most; a NIfTI file's own grid comes back as it was.

    The file is written into a folder of its own beside ``path``, checked, and moved, so that ``path`` is never half a
    file.

    Args:
        path: ends in ``.nii.gz``, ``.nii``, ``.nrrd`` or ``.mha``; its folder exists.
        mask: (z, y, x) on ``volume.grid``, boolean or whole numbers 0 to 65535; uint8 in the file, or uint16.
        volume: where the mask lies.
        overwrite: replace an existing file.

    Raises:
        InputError: the name, the mask or the folder is unfit, the file exists, or the disk is full.
    """
    path = Path(path)
    if not path.name.endswith(WRITTEN_SUFFIXES):
        raise InputError("The file must end in .nii.gz, .nii, .nrrd or .mha.", path)
    image = mask_image(mask, volume)
    with replacing(path, overwrite=overwrite) as partial:
        save_image(image, partial, path)


def mask_image(mask: np.ndarray, volume: Volume) -> sitk.Image:
    """A mask or label map on the grid of the volume's file.

    Args:
        mask: (z, y, x) on ``volume.grid``, boolean or whole numbers 0 to 65535; uint8 in the image, or uint16.
        volume: where the mask lies.

    Raises:
        InputError: the mask is unfit.
    """
    return volume.to_file_grid(_labels(mask, volume))


def save_image(image: sitk.Image, partial: Path, path: Path) -> None:
    """Save a mask's image under a temporary name, and see that all of it got there.

    Args:
        image: of :func:`mask_image`.
        partial: the temporary name, with the ending of the kind of file.
        path: the file's name to be, for messages.

    Raises:
        InputError: it could not be written.
    """
    try:
        partial.touch()  # tells the exact reason where the folder is not writable; ITK would not
        with quiet_itk():
            sitk.WriteImage(image, str(partial), useCompression=True)
        # ITK does not notice a disk that fills up while it writes; the file itself tells.
        if not _is_whole(partial, image):
            raise InputError("The file could not be written; the disk is probably full.", path)
    except OSError as error:  # a folder on the way that may not be entered
        raise InputError(f"The file cannot be written: {why(error)}.", path) from error
    except RuntimeError as error:
        logger.debug("writing %s: %s", path, error)
        raise InputError("The file could not be written; the disk is probably full.", path) from error


def _is_whole(path: Path, image: sitk.Image) -> bool:
    """Whether a file that was just written holds the image."""
    wanted = sitk.GetArrayViewFromImage(image)
    if path.name.endswith(NIFTI_SUFFIXES):  # ITK fills up a NIfTI file that was cut off with zeros
        try:
            return holds_voxels(path, wanted)
        except InputError:
            return False
    with quiet_itk():
        read = sitk.ReadImage(str(path))  # a RuntimeError is told by the caller
    found = sitk.GetArrayViewFromImage(read)
    return found.shape == wanted.shape and all(map(np.array_equal, found, wanted))


def _labels(mask: np.ndarray, volume: Volume) -> np.ndarray:
    """The mask as uint8, or uint16 where its labels need it."""
    if mask.shape != volume.grid.shape_zyx:
        fitting = f"{volume.name} of {volume.grid.shape_zyx} (z, y, x)"
        raise InputError(f"A mask of shape {mask.shape} does not fit {fitting}.")
    if mask.dtype.kind not in "bui":
        raise InputError(f"A mask must hold whole numbers, not {mask.dtype}.")
    if mask.dtype.kind == "b":
        return mask.view(np.uint8)
    low, high = int(mask.min()), int(mask.max())
    if low < 0 or high > np.iinfo(np.uint16).max:
        raise InputError(f"A mask must hold numbers from 0 to 65535, not {low} to {high}.")
    return mask.astype(np.uint8 if high <= np.iinfo(np.uint8).max else np.uint16, copy=False)
