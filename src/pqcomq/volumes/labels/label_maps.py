"""Label maps that belong to a volume: ground truth to compare with."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pqcomq.errors import InputError
from pqcomq.volumes.import_issues import ImportIssue, Remedy
from pqcomq.volumes.labels.label_placement import laid_on
from pqcomq.volumes.labels.labels_present import labels_present
from pqcomq.volumes.labels.slicer_segmentation import Segment, is_slicer_segmentation, segments_of
from pqcomq.volumes.nifti.nifti_voxels import is_nifti_name, read_nifti
from pqcomq.volumes.nrrd_metaimage.nrrd_metaimage_reader import is_picture_name, picture_header, read_picture
from pqcomq.volumes.path_checks import is_folder
from pqcomq.volumes.volume import Volume

LABEL_TYPES = (np.uint8, np.uint16, np.uint32)
MOST_LABEL = (1 << 31) - 1
ROUNDING = 0.01
"""How far a label may be from a whole number: programs that save floats under an integer header leave less."""


@dataclass(frozen=True, eq=False)
class LabelFile:
    """What a label file holds, on a volume's voxels.

    Attributes:
        layers: labels (z, y, x), each of the smallest unsigned type that holds them; several where objects overlap.
        segments: the objects, where the file names them.
        findings: what was odd.
    """

    layers: tuple[np.ndarray, ...]
    segments: tuple[Segment, ...] = ()
    findings: tuple[ImportIssue, ...] = ()


def read_label_file(
    path: Path, volume: Volume, part: int | None = None, remedies: Collection[Remedy] = ()
) -> LabelFile:
    """Read labels that lie on a volume's voxels.

    The two may differ in the order and sense of their axes, and by less than a tenth of a voxel, as long as the voxels
    are the same in the patient. A segmentation of 3D Slicer holds only the part in which there are labels.

    Args:
        path: NIfTI, NRRD or MetaImage.
        volume: the volume that it labels.
        part: which volume of a file that holds several, counted from 1; all layers of a Slicer segmentation by default.
        remedies: ``"resample"`` to take the nearest label where the voxels are not the volume's, or a NIfTI file's
            axes not at right angles; ``"sform"`` or ``"qform"`` where these contradict each other.

    Raises:
        PartChoiceNeeded: there are several volumes and ``part`` does not tell which.
        RemedyNeeded: the labels lie elsewhere, and ``remedies`` holds no answer.
        InputError: the file cannot be read, or holds values other than 0, 1, 2, …
    """
    path = Path(path)
    if is_folder(path) or not (is_nifti_name(path) or is_picture_name(path)):
        raise InputError(
            "The file is not a NIfTI, NRRD or MetaImage file (.nii, .nii.gz, .nrrd, .mha), as labels must be.", path
        )
    segments: list[Segment] = []
    parts: list[int | None] = [part]
    if is_slicer_segmentation(path):
        count, fields = picture_header(path)
        segments = segments_of(fields, count)
        parts = list(range(1, count + 1)) if part is None else [part]
        first = 0 if part is None else part - 1  # of a single layer, only its own segments
        segments = [replace(each, layer=each.layer - first) for each in segments if part is None or each.layer == first]
    layers, findings = [], []
    for each in parts:
        values, grid, odd = (
            read_nifti(path, each, remedies, are_labels=True) if is_nifti_name(path) else read_picture(path, each)
        )
        whole, rounded = _whole_numbers(values, path)
        layers.append(whole)
        findings += [finding for finding in (*odd, *rounded) if finding.kind != "part" or len(parts) == 1]
    cropped = is_slicer_segmentation(path)
    what = f"{path} on {volume.name}"
    placed, beside = laid_on(layers, grid, volume.grid, remedies, what, cropped=cropped)
    return LabelFile(tuple(placed), tuple(segments), (*dict.fromkeys(findings), *beside))


def read_labels(path: Path, volume: Volume, part: int | None = None, remedies: Collection[Remedy] = ()) -> np.ndarray:
    """The labels of a file with a single layer.

    Args and errors as :func:`read_label_file`'s.

    Returns:
        Labels (z, y, x) in the volume's LPS order, as the smallest unsigned type that holds them.

    Raises:
        InputError: there are several layers, too.
    """
    layers = read_label_file(path, volume, part, remedies).layers
    if len(layers) > 1:
        raise InputError(f"The file holds {len(layers)} layers of labels; choose one as a part.", path)
    return layers[0]


def numbers_in(path: Path) -> set[int]:
    """The labels that occur in a file of a single layer, without 0, wherever it lies.

    Raises:
        PartChoiceNeeded, RemedyNeeded, InputError: as :func:`read_label_file`.
    """
    values, _grid, _odd = read_nifti(path, None, (), are_labels=True) if is_nifti_name(path) else read_picture(path)
    whole, _rounded = _whole_numbers(values, path)
    return set(labels_present(whole))


def _whole_numbers(values: np.ndarray, path: Path) -> tuple[np.ndarray, tuple[ImportIssue, ...]]:
    """Labels as the smallest unsigned type that holds them, and a note where they were rounded."""
    findings: tuple[ImportIssue, ...] = ()
    if values.dtype.kind == "f":
        if np.abs(values).max() > MOST_LABEL:  # whole, and too large for single precision to tell from the next one
            raise InputError(f"The file holds labels above {MOST_LABEL:,}, which cannot be told apart here.", path)
        whole = np.rint(values)
        most = float(np.abs(values - whole).max())
        if most > ROUNDING:
            raise InputError("The file holds values that are no labels (labels are whole numbers from 0).", path)
        findings = (
            ImportIssue("rounded labels", f"Labels are up to {most:.1g} off whole numbers; they were rounded."),
        )
        values = whole
    if values.min() < 0:
        raise InputError("The file holds values that are no labels (labels are whole numbers from 0).", path)
    smallest: np.ndarray = values.astype(next(t for t in LABEL_TYPES if values.max() <= np.iinfo(t).max))
    return smallest, findings
