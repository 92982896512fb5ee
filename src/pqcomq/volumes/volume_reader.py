"""One door for every file and folder that may hold a volume."""

from __future__ import annotations

from collections.abc import Collection, Generator
from pathlib import Path

from pqcomq.errors import InputError
from pqcomq.progress import Progress, finished
from pqcomq.volumes.dicom.file_discovery import holds_dicom
from pqcomq.volumes.dicom.scan import scanning
from pqcomq.volumes.dicom.series import reading_series
from pqcomq.volumes.geometry_checks import geometry_findings
from pqcomq.volumes.import_issues import ImportIssue, Remedy
from pqcomq.volumes.modality_guess import guess_modality
from pqcomq.volumes.nifti.nifti_voxels import is_nifti_name, nifti_stem, read_nifti
from pqcomq.volumes.nrrd_metaimage.nrrd_metaimage_reader import is_picture_name, read_picture
from pqcomq.volumes.path_checks import is_folder
from pqcomq.volumes.value_checks import value_findings
from pqcomq.volumes.volume import Modality, Volume

KINDS = "a NIfTI (.nii, .nii.gz), NRRD or MetaImage (.mha, .mhd) file, a DICOM file or folder, or a zip of DICOM files"


def read_volume(
    path: Path,
    *,
    series: str | None = None,
    part: int | None = None,
    modality: Modality | None = None,
    remedies: Collection[Remedy] = (),
) -> Volume:
    """``reading_volume`` to its end."""
    return finished(reading_volume(path, series=series, part=part, modality=modality, remedies=remedies))


def reading_volume(
    path: Path,
    *,
    series: str | None = None,
    part: int | None = None,
    modality: Modality | None = None,
    remedies: Collection[Remedy] = (),
) -> Generator[Progress, None, Volume]:
    """Read a NIfTI, NRRD or MetaImage file, or DICOM: a folder, DICOMDIR, zip archive or file.

    Args:
        path: what the user named; folders are searched with their subfolders.
        series: which DICOM series: its UID, an unambiguous end of it, or its number.
        part: which volume of a series or file that holds several, counted from 1.
        modality: overrides what DICOM states, or what is guessed of a file that does not state it.
        remedies: what to do should the geometry not be regular; see ``import_issues.REMEDIES``.

    Yields:
        A step a file; closing the generator ends the reading.

    Returns:
        The volume in LPS index order, with voxels of type int16, int32 or float32. Its ``name`` is the file's stem,
        and the series' description or modality with its number for DICOM.

    Raises:
        SeriesChoiceNeeded: there are several series and ``series`` does not tell which.
        PartChoiceNeeded: there are several volumes and ``part`` does not tell which.
        RemedyNeeded: the geometry is not regular, and ``remedies`` holds no answer.
        InputError: nothing can be read there; the message says why.
    """
    path = Path(path)
    try:
        if is_folder(path) or (not is_nifti_name(path) and not is_picture_name(path) and holds_dicom(path)):
            scan = yield from scanning(path)
            return (yield from reading_series(scan, series, part, modality, remedies))
        if series is not None:
            raise InputError(f"No series '{series}' can be chosen in a single file.", path)
        return _read_file(path, part, modality, remedies)
    except MemoryError as error:
        raise InputError("The file is too large for this computer's memory.", path) from error


def _read_file(path: Path, part: int | None, modality: Modality | None, remedies: Collection[Remedy]) -> Volume:
    """A file that holds numbers on a grid and does not say of which modality."""
    if is_nifti_name(path):
        voxels, grid, findings = read_nifti(path, part, remedies)
        name = nifti_stem(path)
    elif is_picture_name(path):
        voxels, grid, findings = read_picture(path, part)
        name = path.stem
    else:
        raise InputError(f"The file is not {KINDS}.", path)
    findings = (*findings, *geometry_findings(grid))
    if modality is None:
        guess = guess_modality(voxels)
        modality = guess.modality
        findings = (*findings, ImportIssue("modality" if guess.is_sure else "doubtful modality", guess.sentence))
    return Volume.on(voxels, grid, modality, name, path, (*findings, *value_findings(voxels, modality)))
