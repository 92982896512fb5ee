"""DICOM series: listed, chosen by the user, read as one volume.

Headers are pydicom's (it is lenient and safe on damaged files), pixels SimpleITK's: its GDCM decodes all the usual
compressed transfer syntaxes (JPEG lossless, JPEG-LS, JPEG 2000, RLE, deflated) that pydicom alone leaves to further
packages, applies slope and intercept and turns MONOCHROME1 round. Each file is read on its own, because ITK's series
reader fixes one pixel type by the first slice, and PET and MR change their slope from slice to slice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from pqcomq.errors import InputError
from pqcomq.volumes.dicom_headers import (
    Scan,
    SliceHeader,
    check_pixels_end,
    looks_like_dicom,
    read_headers,
    scan_folder,
)
from pqcomq.volumes.dicom_stack import Stack, stack_slices
from pqcomq.volumes.itk import read_image
from pqcomq.volumes.values import compact
from pqcomq.volumes.volume import Modality, SourcePlane, Volume

MOST_LISTED = 12
"""Series named in one message."""
MOST_PIXELS_PER_BYTE = 5000
"""No lossless or usual lossy compression goes further; a broken size would take all memory before GDCM notices."""


@dataclass(frozen=True)
class SeriesInfo:
    """What a user needs to choose a series; no patient data.

    Attributes:
        uid: SeriesInstanceUID.
        number: SeriesNumber, None if the files have none.
        description: SeriesDescription, may be empty.
        modality: as DICOM writes it, e.g. ``"CT"``, ``"MR"``, ``"PT"``.
        slices: number of image planes.
        size_xy: columns, rows of the first plane.
        spacing_xy: millimetres between columns, between rows; None if the files do not say.
    """

    uid: str
    number: int | None
    description: str
    modality: str
    slices: int
    size_xy: tuple[int, int]
    spacing_xy: tuple[float, float] | None

    @classmethod
    def of(cls, slices: Sequence[SliceHeader]) -> SeriesInfo:
        """Sum up the planes of one series."""
        first = slices[0]
        spacing = None if first.pixel_spacing is None else (first.pixel_spacing[1], first.pixel_spacing[0])
        return cls(
            first.series_uid, first.series_number, first.description, first.modality, len(slices),
            (first.columns, first.rows), spacing,
        )  # fmt: skip

    @property
    def name(self) -> str:
        """Short and free of patient data, e.g. ``"Abdomen 3 mm (series 4)"``."""
        title = self.description or self.modality or "DICOM"
        return title if self.number is None else f"{title} (series {self.number})"

    def __str__(self) -> str:
        number = "no number" if self.number is None else f"number {self.number}"
        title = f" '{self.description}'" if self.description else ""
        return f"{number}:{title} {self.modality or '?'}, {self.slices} slices, UID …{self.uid[-12:]}"


class SeriesChoiceNeeded(InputError):  # noqa: N818  # the plugin answers it with a choice
    """More than one series could be meant; ``series`` holds those to choose from."""

    def __init__(self, message: str, series: list[SeriesInfo]) -> None:
        super().__init__(message)
        self.series = series


def list_series(folder: Path) -> list[SeriesInfo]:
    """All image series in a folder and its subfolders, ordered by series number.

    Raises:
        InputError: there is no DICOM image.
    """
    return [SeriesInfo.of(slices) for slices in _ordered(_scan(folder))]


def read_series(folder: Path, series: str | None = None, modality: Modality | None = None) -> Volume:
    """Read one series of a folder.

    Args:
        folder: searched with its subfolders; files that are not DICOM images are passed over.
        series: series UID, an unambiguous end of it, or the series number; may be None if there is only one.
        modality: overrides what the files say.

    Raises:
        SeriesChoiceNeeded: ``series`` is None and there are several, or several fit it.
        InputError: no series fits, or its images do not make up one regular volume.
    """
    scan = _scan(folder)
    slices = _chosen(_ordered(scan), series, folder)
    info = SeriesInfo.of(slices)
    notes: tuple[str, ...] = ()
    if scan.damaged:
        names = ", ".join(path.name for path in scan.damaged[:3]) + (", …" if len(scan.damaged) > 3 else "")
        notes = (f"{len(scan.damaged)} damaged or unreadable DICOM files in the folder were left out: {names}.",)
    stack = stack_slices(slices, f"{folder}, series {info.name if info.number is None else info.number},")
    return _volume(stack, info, folder, modality, notes)


def read_dicom_file(path: Path, modality: Modality | None = None) -> Volume:
    """Read one DICOM file on its own: a single slice, or an enhanced multi-frame volume.

    Raises:
        InputError: it is not DICOM, holds no image, or not one regular grey volume.
    """
    if not looks_like_dicom(path):
        raise InputError(f"{path} is neither a NIfTI file (.nii, .nii.gz) nor DICOM.")
    slices = read_headers(path)
    if not slices:
        raise InputError(f"{path} is a DICOM file without an image that can be shown.")
    return _volume(stack_slices(slices, str(path)), SeriesInfo.of(slices), path, modality, ())


def _scan(folder: Path) -> Scan:
    scan = scan_folder(folder)
    if not scan.slices:
        damaged = f" ({len(scan.damaged)} DICOM files are damaged)" if scan.damaged else ""
        raise InputError(f"{folder} holds no DICOM images{damaged}.")
    return scan


def _ordered(scan: Scan) -> list[list[SliceHeader]]:
    def key(slices: list[SliceHeader]) -> tuple[bool, int, str]:
        number = slices[0].series_number
        return number is None, number or 0, slices[0].series_uid

    return sorted(scan.series().values(), key=key)


def _chosen(found: list[list[SliceHeader]], series: str | None, folder: Path) -> list[SliceHeader]:
    """The series meant: by its UID, else its number, else the end of its UID."""
    if series is None:
        fitting, asked = found, f"{folder} holds {len(found)} series; choose one"
    else:
        rules = (
            [s for s in found if s[0].series_uid == series],
            [s for s in found if s[0].series_number is not None and str(s[0].series_number) == series],
            [s for s in found if series and s[0].series_uid.endswith(series)],
        )
        fitting = next((rule for rule in rules if rule), [])
        asked = f"{len(fitting)} series in {folder} fit '{series}'; choose one by its UID"
    if len(fitting) == 1:
        return fitting[0]
    infos = [SeriesInfo.of(s) for s in fitting or found]
    listed = "; ".join(map(str, infos[:MOST_LISTED]))
    if len(infos) > MOST_LISTED:
        listed += f"; and {len(infos) - MOST_LISTED} more"
    if not fitting:
        raise InputError(f"{folder} holds no series '{series}', only: {listed}.")
    raise SeriesChoiceNeeded(f"{asked}: {listed}.", infos)


def _volume(stack: Stack, info: SeriesInfo, source: Path, modality: Modality | None, notes: tuple[str, ...]) -> Volume:
    voxels = compact(_pixels(stack.slices), source)
    image = stack.grid.place(sitk.GetImageFromArray(voxels))
    stated: Modality = "CT" if info.modality == "CT" else "MR" if info.modality == "MR" else "other"
    planes = tuple(SourcePlane(header.path, header.frame) for header in stack.slices)
    return Volume.of(image, modality or stated, info.name, source, notes + stack.notes, planes)


def _pixels(slices: Sequence[SliceHeader]) -> np.ndarray:
    """Pixels (slice, row, column) in the order given, in the modality's unit."""
    if len({s.scale for s in slices}) > 1:
        # GDCM applies the first frame's slope and intercept to all frames of a file.
        raise InputError(f"{slices[0].path} scales its frames differently, which cannot be read.")
    files: dict[Path, np.ndarray] = {}
    planes = []
    for header in slices:
        if header.path not in files:
            files.clear()  # the frames of one file lie together, so one open file is enough
            files[header.path] = _file_pixels(header)
        planes.append(files[header.path][header.frame])
    return np.stack(planes)


def _file_pixels(header: SliceHeader) -> np.ndarray:
    """All frames of a file (frame, row, column)."""
    size = header.path.stat().st_size
    if header.frames * header.rows * header.columns > MOST_PIXELS_PER_BYTE * size:
        raise InputError(f"{header.path} is damaged: it states more pixels than it can hold.")
    check_pixels_end(header.path)
    pixels = sitk.GetArrayFromImage(read_image(header.path, "GDCMImageIO"))
    if pixels.shape != (header.frames, header.rows, header.columns):
        raise InputError(f"{header.path} is damaged: its pixels are not those that its header states.")
    return compact(pixels, header.path)
