"""The kind of file that a mask is written to, by its name."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from msgspec import Struct

from pqcomq.errors import InputError
from pqcomq.json_schema import Damaged, Text, read_json

STRUCTURE_SET_ENDING = "rtstruct.dcm"


class _File(Struct):
    kind: Text


class _Record(Struct):
    """All that is looked at of a record."""

    file: _File


class MaskKind(StrEnum):
    """Kinds of files that hold masks; the value is the ending that a new file gets."""

    nifti = ".nii.gz"
    plain_nifti = ".nii"
    nrrd = ".nrrd"
    metaimage = ".mha"
    structure_set = ".rtstruct.dcm"
    segmentation = ".dcm"

    @property
    def is_dicom(self) -> bool:
        """Whether it refers to DICOM images, which the volume must then be made of."""
        return self in (MaskKind.structure_set, MaskKind.segmentation)

    @property
    def words(self) -> str:
        """For people."""
        return _WORDS[self]


_WORDS = {
    MaskKind.nifti: "NIfTI",
    MaskKind.plain_nifti: "NIfTI, not compressed",
    MaskKind.nrrd: "NRRD",
    MaskKind.metaimage: "MetaImage",
    MaskKind.structure_set: "DICOM structure set (RTSTRUCT)",
    MaskKind.segmentation: "DICOM segmentation (SEG)",
}


def mask_kind(path: Path) -> MaskKind:
    """The kind of file that a name stands for: ``.dcm`` is a segmentation unless it ends in ``rtstruct.dcm``.

    Raises:
        InputError: the name ends otherwise.
    """
    if path.name.endswith(STRUCTURE_SET_ENDING):
        return MaskKind.structure_set
    for kind in MaskKind:
        if path.name.endswith(kind.value):
            return kind
    endings = ", ".join(kind.value for kind in MaskKind)
    raise InputError(f"The file has no ending that says what kind of file to write; choose one of {endings}.", path)


def sidecar(path: Path) -> Path:
    """The record's file beside a mask's: ``mask.nii.gz`` → ``mask.json``.

    Where that is the record of another kind of file with the same stem, ``mask.dcm`` → ``mask.dcm.json``.
    """
    kind = mask_kind(path)
    ending = kind.value
    stem = path.name[: -len(ending)] if path.name.endswith(ending) else path.stem
    record = path.with_name(f"{stem}.json")
    return path.with_name(f"{path.name}.json") if _is_of_another_kind(record, kind) else record


def _is_of_another_kind(record: Path, kind: MaskKind) -> bool:
    """Whether a file is the record of a mask of another kind."""
    try:
        told = read_json(record, _Record)["file"]["kind"]
    except (OSError, InputError, Damaged):  # none there, or no record of ours
        return False
    return told in _WORDS.values() and told != kind.words
