"""Opening volumes."""

from __future__ import annotations

from collections.abc import Sequence

from pqcomq.api.arguments import StrPath, modality_of, path_of
from pqcomq.progress import ProgressCallback, reported
from pqcomq.volumes.import_issues import remedy_named
from pqcomq.volumes.volume import Modality, Volume
from pqcomq.volumes.volume_reader import reading_volume


def read_volume(
    path: StrPath,
    *,
    series: str | None = None,
    part: int | None = None,
    modality: Modality | None = None,
    remedies: Sequence[str] = (),
    progress: ProgressCallback | None = None,
) -> Volume:
    """Read a CT, MR or other scalar volume.

    Args:
        path: a NIfTI (``.nii``, ``.nii.gz``), NRRD or MetaImage file, or DICOM: a file, a folder with its subfolders, a
            ``DICOMDIR`` or a zip archive.
        series: which DICOM series: its UID, an unambiguous end of it, or its number.
        part: which volume of a series or file that holds several, counted from 1.
        modality: ``"CT"``, ``"MR"`` or ``"other"``, where a file does not say so or says something else.
        remedies: what to do should the geometry not be regular: ``"resample"`` to a regular grid, take the
            ``"largest"`` consistent stack, believe the ``"sform"`` or the ``"qform"``. Nothing is resampled unasked.
        progress: called after every DICOM file; an exception that it raises ends the reading.

    Returns:
        The volume: ``voxels`` (z, y, x) of int16, int32 or float32, in Hounsfield units for CT, in LPS order (x from
        the patient's right, y from the front, z from the feet); ``grid`` with spacing in mm; ``notes``, sentences
        worth reading, such as how the modality was guessed.

    Raises:
        InputError: nothing can be read there, or a choice (series, part, remedy) is needed; the sentence says which.

    Examples:
        >>> import numpy as np
        >>> import pqcomq
        >>> import SimpleITK as sitk
        >>> body = np.full((8, 64, 64), -1000, np.int16)
        >>> body[:, 16:48, 16:48] = 40
        >>> image = sitk.GetImageFromArray(body)
        >>> image.SetSpacing([2.0, 2.0, 5.0])
        >>> sitk.WriteImage(image, "body.nii.gz")
        >>> volume = pqcomq.read_volume("body.nii.gz")
        >>> volume
        Volume('body', CT, 64 × 64 × 8 voxels of 2 × 2 × 5 mm)
        >>> volume.voxels.shape
        (8, 64, 64)
        >>> volume.notes
        ('Taken for CT: 75% of its values are those of air in Hounsfield units.',)
    """
    work = reading_volume(
        path_of(path, "a volume"),
        series=series,
        part=part,
        modality=modality_of(modality),
        remedies=[remedy_named(remedy) for remedy in remedies],
    )
    return reported(work, progress)
