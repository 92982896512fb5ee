"""A scalar volume in the radiological index order, with the way back to its file's own grid."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np
import SimpleITK as sitk

from pqcomq.volumes.dicom.file_discovery import DicomFile, Opener
from pqcomq.volumes.grid import DISPLAY_ORIENTATION, Grid
from pqcomq.volumes.import_issues import ImportIssue

Modality = Literal["CT", "MR", "other"]
GUESSED = ("modality", "doubtful modality")
"""Kinds of findings that tell how a modality was guessed, or set in place of a guess."""


@dataclass(frozen=True)
class SourcePlane:
    """The DICOM image that one slice of a volume is.

    Attributes:
        path: of the file, or of the zip archive that it is in.
        frame: number of the frame in it; 0 in files with one image.
        member: its name in the archive; empty for files on the disk.
    """

    path: Path
    frame: int = 0
    member: str = ""

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """The DICOM file, to be read to and fro.

        Raises:
            InputError: it cannot be read any more.
        """
        with Opener() as opener, opener.seekable(DicomFile(self.path, self.member)) as stream:
            yield stream


@dataclass(frozen=True, repr=False)
class Volume:
    """Voxels with their place in the patient.

    ``voxels`` and ``grid`` are in LPS index order (``grid.orientation == "LPS"``, oblique volumes to the nearest
    axes), whatever order the file has; ``file_grid`` is the file's own, and masks are exported on it.

    Attributes:
        voxels: (z, y, x), integer or float32; Hounsfield units for CT.
        grid: geometry of ``voxels``.
        file_grid: geometry of the source file.
        modality: decides the intensity window that applies by default.
        name: short, free of patient data: the file's or series' name, for lists and reports.
        source: the file or folder that it came from; None for data made in memory.
        findings: what is worth telling the user, e.g. how the modality was guessed, and the remedies that were chosen
            where the geometry was not regular.
        planes: the DICOM images in the order of ``file_grid``'s last axis, to which DICOM objects made from the volume
            refer; empty for other files, and where the voxels are no longer those of the images (resampled).
    """

    voxels: np.ndarray
    grid: Grid
    file_grid: Grid
    modality: Modality
    name: str
    source: Path | None = None
    findings: tuple[ImportIssue, ...] = ()
    planes: tuple[SourcePlane, ...] = field(default=(), repr=False)

    @classmethod
    def of(
        cls,
        image: sitk.Image,
        modality: Modality,
        name: str,
        source: Path | None = None,
        findings: tuple[ImportIssue, ...] = (),
        planes: tuple[SourcePlane, ...] = (),
    ) -> Volume:
        """Take a 3-D SimpleITK image on its file's grid and reorient its axes to LPS (no resampling)."""
        shown = sitk.DICOMOrient(image, DISPLAY_ORIENTATION)
        voxels = sitk.GetArrayFromImage(shown)
        return cls(voxels, Grid.of(shown), Grid.of(image), modality, name, source, findings, planes)

    @classmethod
    def on(
        cls,
        voxels: np.ndarray,
        file_grid: Grid,
        modality: Modality,
        name: str,
        source: Path | None = None,
        findings: tuple[ImportIssue, ...] = (),
    ) -> Volume:
        """Take voxels (z, y, x) on their file's grid and reorient their axes to LPS (no resampling)."""
        turn = file_grid.shown()
        return cls(turn.shown(voxels), turn.grid, file_grid, modality, name, source, findings)

    def __repr__(self) -> str:
        size = " × ".join(map(str, self.grid.size))
        spacing = " × ".join(f"{step:.4g}" for step in self.grid.spacing)
        return f"Volume({self.name!r}, {self.modality}, {size} voxels of {spacing} mm)"

    def with_modality(self, modality: Modality) -> Volume:
        """The same voxels in the same place as of another modality, which replaces what was guessed.

        Examples:
            >>> from pqcomq.samples.synthetic_ct import synthetic_ct
            >>> synthetic_ct().volume.with_modality("MR").modality
            'MR'
        """
        kept = tuple(each for each in self.findings if each.kind not in GUESSED)
        told = ImportIssue("modality", f"Taken for {'neither CT nor MR' if modality == 'other' else modality}, as set.")
        return replace(self, modality=modality, findings=(*kept, told))

    @property
    def notes(self) -> tuple[str, ...]:
        """The findings as sentences."""
        return tuple(map(str, self.findings))

    @cached_property
    def sha256(self) -> str:
        """Hash of shape, type and voxels, hexadecimal: the volume's identity in caches and provenance."""
        digest = hashlib.sha256(f"{self.voxels.shape}{self.voxels.dtype.str}".encode())
        digest.update(np.ascontiguousarray(self.voxels).data)
        return digest.hexdigest()

    def to_file_grid(self, mask: np.ndarray) -> sitk.Image:
        """A label array (z, y, x) on ``grid`` as an image on ``file_grid``: the exact inverse of the reorientation.

        Raises:
            ValueError: ``mask`` does not have the volume's shape.
        """
        if mask.shape != self.grid.shape_zyx:
            raise ValueError(f"mask of shape {mask.shape} does not fit the volume's {self.grid.shape_zyx}")
        turned = self.file_grid.shown().as_before(mask)
        return self.file_grid.place(sitk.GetImageFromArray(np.ascontiguousarray(turned)))
