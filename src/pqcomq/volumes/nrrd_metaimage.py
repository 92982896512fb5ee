"""NRRD and MetaImage files, by SimpleITK, which checks them itself."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from pqcomq.errors import InputError
from pqcomq.volumes.grid import PLAUSIBLE_SPACING, Grid
from pqcomq.volumes.import_issues import ImportIssue
from pqcomq.volumes.itk_warnings import quiet_itk
from pqcomq.volumes.volume_choice import PartChoiceNeeded, checked_part
from pqcomq.volumes.voxel_types import compact

logger = logging.getLogger(__name__)

READERS = {
    ".nrrd": "NrrdImageIO",
    ".nhdr": "NrrdImageIO",
    ".mha": "MetaImageIO",
    ".mhd": "MetaImageIO",
}
"""SimpleITK's readers by the name's ending; the second of each pair keeps its voxels in a file of their own."""
_SCALARS = frozenset({
    sitk.sitkUInt8, sitk.sitkInt8, sitk.sitkUInt16, sitk.sitkInt16, sitk.sitkUInt32, sitk.sitkInt32, sitk.sitkUInt64,
    sitk.sitkInt64, sitk.sitkFloat32, sitk.sitkFloat64,
})  # fmt: skip
SAME_ANGLE = 1e-4
"""Largest cosine between two axes that is still rounding."""


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
        InputError: the file holds no volume, or is damaged or cut off.
    """
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    reader.SetImageIO(READERS[path.suffix.lower()])
    try:
        with quiet_itk():
            reader.ReadImageInformation()
            count = _volumes(reader, path)
            index = _index(count, part, path)
            image = _image(reader, index)
    except (RuntimeError, MemoryError) as error:
        logger.debug("SimpleITK on %s: %s", path, error)
        if "allocate" in str(error) or isinstance(error, MemoryError):
            raise InputError(f"{path} is too large for this computer's memory.") from error
        raise InputError(f"{path} is damaged, was cut off, or is no file of this kind.") from error
    _check_grid(image, path)
    told = f"The file holds {count} volumes; this is number {index + 1}."
    findings = (ImportIssue("part", told),) if count > 1 else ()
    return compact(sitk.GetArrayFromImage(image), path), Grid.of(image), findings


def picture_header(path: Path) -> tuple[int, dict[str, str]]:
    """How many 3-D volumes a file holds, and the header's own fields.

    Raises:
        InputError: it is damaged, or holds no volume.
    """
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    reader.SetImageIO(READERS[path.suffix.lower()])
    try:
        with quiet_itk():
            reader.ReadImageInformation()
            return _volumes(reader, path), {key: reader.GetMetaData(key) for key in reader.GetMetaDataKeys()}
    except RuntimeError as error:
        logger.debug("SimpleITK on %s: %s", path, error)
        raise InputError(f"{path} is damaged, was cut off, or is no file of this kind.") from error


def _volumes(reader: sitk.ImageFileReader, path: Path) -> int:
    """How many 3-D volumes there are: along a fourth axis, or as several numbers a voxel."""
    size, components = reader.GetSize(), reader.GetNumberOfComponents()
    shape = " x ".join(map(str, size))
    if len(size) < 3:
        raise InputError(f"{path} is a {len(size)}-D picture ({shape}), not a volume.")
    if len(size) > 4 or (len(size) == 4 and components > 1):
        raise InputError(f"{path} has {len(size)} dimensions ({shape}) and {components} numbers a voxel.")
    scalar = reader.GetPixelID()
    if components == 1 and scalar not in _SCALARS:
        raise InputError(f"{path} has voxels that are not one real number each.")
    if components == 3 and size[2:] and "8-bit" in sitk.GetPixelIDValueAsString(scalar):
        raise InputError(f"{path} has colour voxels, but only real numbers can be read.")
    return int(size[3]) if len(size) == 4 else components


def _index(count: int, part: int | None, path: Path) -> int:
    if part is not None:
        return checked_part(part, count, str(path))
    if count > 1:
        raise PartChoiceNeeded(str(path), f"holds {count} volumes", [f"volume {n}" for n in range(1, count + 1)])
    return 0


def _image(reader: sitk.ImageFileReader, index: int) -> sitk.Image:
    size = list(reader.GetSize())
    if len(size) == 4:
        reader.SetExtractSize([*size[:3], 0])
        reader.SetExtractIndex([0, 0, 0, index])
        return reader.Execute()
    image = reader.Execute()
    return sitk.VectorIndexSelectionCast(image, index) if reader.GetNumberOfComponents() > 1 else image


def _check_grid(image: sitk.Image, path: Path) -> None:
    low, high = PLAUSIBLE_SPACING
    spacing, axes = image.GetSpacing(), np.array(image.GetDirection()).reshape(3, 3)
    if not all(low <= s <= high for s in spacing):
        raise InputError(f"{path} has implausible voxel spacing ({' x '.join(f'{s:g}' for s in spacing)} mm).")
    if not np.isfinite(image.GetOrigin()).all() or not np.isfinite(axes).all():
        raise InputError(f"{path} has a damaged geometry (it holds numbers that are not finite).")
    if np.abs(axes.T @ axes - np.eye(3)).max() > SAME_ANGLE:
        raise InputError(f"{path} has axes that are not at right angles to one another.")
