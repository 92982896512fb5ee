"""One door for every file and folder that may hold a volume."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from pqcomq.errors import InputError
from pqcomq.volumes.dicom import read_dicom_file, read_series
from pqcomq.volumes.files import is_folder
from pqcomq.volumes.nifti import is_nifti_name, nifti_stem, read_nifti
from pqcomq.volumes.values import compact_image
from pqcomq.volumes.volume import Modality, Volume

CT_MINIMUM = (-3500, -300)
"""HU between which a CT's lowest voxel lies: lung, air (-1000) or the padding around the scan (down to -3024)."""


def read_volume(path: Path, *, series: str | None = None, modality: Modality | None = None) -> Volume:
    """Read a NIfTI file, a DICOM folder or one DICOM file.

    Args:
        path: ``.nii`` or ``.nii.gz``, a folder with DICOM files (searched with its subfolders), or a DICOM file.
        series: which DICOM series of a folder: its UID, an unambiguous end of it, or its number.
        modality: overrides what DICOM states, or what is guessed of a NIfTI file, which does not state it.

    Returns:
        The volume in LPS index order, with voxels of type int16, int32 or float32. Its ``name`` is the file's stem
        for NIfTI, and the series' description or modality with its number for DICOM.

    Raises:
        SeriesChoiceNeeded: the folder holds several series and ``series`` does not tell which.
        InputError: nothing can be read there; the message says why.
    """
    path = Path(path)
    try:
        if is_folder(path):
            return read_series(path, series, modality)
        if series is not None:
            raise InputError(f"{path} is a single file, so no series '{series}' can be chosen in it.")
        return _read_nifti_volume(path, modality) if is_nifti_name(path) else read_dicom_file(path, modality)
    except MemoryError as error:
        raise InputError(f"{path} is too large for this computer's memory.") from error


def _read_nifti_volume(path: Path, modality: Modality | None) -> Volume:
    image, notes = read_nifti(path)
    volume = Volume.of(compact_image(image, path), modality or "other", nifti_stem(path), path, notes)
    if modality is not None:
        return volume
    guess, reason = guess_modality(volume.voxels)
    return replace(volume, modality=guess, notes=(*notes, f"Taken for {guess}: {reason}."))


def guess_modality(voxels: np.ndarray) -> tuple[Modality, str]:
    """Tell CT from MR by the lowest voxel value, for files that do not state it.

    CT holds air or padding far below water, within ``CT_MINIMUM``; MR magnitudes are not negative, and filtered or
    normalized ones only slightly. A CT cropped to soft tissue alone is taken for MR, so the user is told.

    Args:
        voxels: (z, y, x), numbers.

    Returns:
        The modality, and the reason as the rest of a sentence.
    """
    lowest = float(voxels.min())
    low, high = CT_MINIMUM
    where = f"its lowest value is {lowest:g}"
    if low <= lowest <= high:
        return "CT", f"{where}, as of air in Hounsfield units"
    return "MR", f"{where}, and a CT's would lie between {low} and {high}"
