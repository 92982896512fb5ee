"""Data sets that are folders: nnU-Net's layout, and a folder for each case."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pydicom
from msgspec import Struct

from pqcomq.cohort.cases.case import Case, CaseList, NotScored
from pqcomq.dicom_masks.object_loading import object_kind
from pqcomq.errors import InputError
from pqcomq.json_schema import Damaged, read_json
from pqcomq.volumes.dicom.deflated import MOST_HEADER_BYTES, plain_stream
from pqcomq.volumes.dicom.file_discovery import looks_like_dicom
from pqcomq.volumes.dicom.pydicom_warnings import with_pydicom_errors
from pqcomq.volumes.labels.slicer_segmentation import ENDING as SLICER_ENDING
from pqcomq.volumes.nifti.nifti_voxels import is_nifti_name
from pqcomq.volumes.nrrd_metaimage.nrrd_metaimage_reader import is_picture_name
from pqcomq.volumes.volume import Modality

LABEL_NAMES = "labels.json"
"""Beside the cases or in one's folder: label numbers with their names, e.g. ``{"1": "spleen"}``."""

CASE_FOLDERS = "folder of case folders"

_MR_CHANNELS = ("mr", "t1", "t2", "flair", "adc", "dwi")
"""What names of MR channels begin with."""
_MARK = "_0000."
"""nnU-Net's number of the first channel in an image's name."""
_CHANNEL = re.compile(r"_\d{4}\.")


def is_nnunet(dataset: Path) -> bool:
    """Whether a folder has the layout of an nnU-Net data set."""
    return (dataset / "imagesTr").is_dir()


def nnunet_cases(dataset: Path) -> CaseList:
    """The training cases of an nnU-Net data set (version 1 or 2), its first channel each.

    Raises:
        InputError: ``dataset.json`` is there but cannot be read, there are no images or labels, or two files are of
            one case.
    """
    path = dataset / "dataset.json"
    described = _json(path, _NnunetDescription) if path.is_file() else {}
    names = _nnunet_names(described.get("labels", {}))
    modality = _nnunet_modality(described)
    shown = [path for path in _shown(dataset / "imagesTr") if _is_volume(path)]
    if not shown:
        raise InputError("imagesTr holds no NIfTI, NRRD or MetaImage file.", dataset)
    marked = [path for path in shown if _MARK in path.name]
    # Version 1 also knows images of one channel without its number.
    images = _by_name(marked, _nnunet_name) if marked else _by_name(shown, _stem)
    unmarked = {_stem(path) for path in shown if marked and not _CHANNEL.search(path.name)}
    folder = dataset / "labelsTr"
    if not folder.is_dir():
        raise InputError("The images have no labels: there is no folder labelsTr.", dataset)
    labels = _by_name([path for path in _shown(folder) if _is_volume(path)], _stem)
    cases = [
        Case(name, image, labels[name], modality=modality, label_names=names)
        for name, image in images.items()
        if name in labels
    ]
    lost = [NotScored(name, "", "there is no label file of this name in labelsTr") for name in images.keys() - labels]
    lost += [NotScored(name, "", "its image lacks the channel's number _0000, which others have") for name in unmarked]
    no_image = "there is no image of this name in imagesTr"
    lost += [NotScored(name, "", no_image) for name in labels.keys() - images - unmarked]
    return CaseList(tuple(cases), tuple(sorted(lost, key=lambda each: each.case)), "nnU-Net data set")


def case_folders(dataset: Path) -> CaseList:
    """A folder of case folders: ``image.*`` and ``labels.*``, or a DICOM series with a SEG or RTSTRUCT.

    DICOM cases with one PatientID are of one patient, who is called by the first of them.

    Raises:
        InputError: the folder holds no folders, or its ``labels.json`` cannot be read.
    """
    shared = _named_labels(dataset)
    cases, lost = [], []
    first_of: dict[str, str] = {}  # of the cases of one patient, whose number gets into no result
    for folder in filter(Path.is_dir, _shown(dataset)):
        names = _named_labels(folder) or shared
        try:
            image, labels, patient_id = _files(folder)
        except InputError as fault:
            lost.append(NotScored(folder.name, "", fault.reason))
        else:
            patient = first_of.setdefault(patient_id, folder.name) if patient_id else ""
            cases.append(Case(folder.name, image, labels, patient, label_names=names))
    if not cases and not lost:
        raise InputError("The folder is empty, or holds no folder for each case.", dataset)
    lost += [
        NotScored(path.name, "", "it lies beside the cases' folders, and not in one of its own")
        for path in _shown(dataset)
        if path.is_file() and _is_volume(path)
    ]
    return CaseList(tuple(cases), tuple(lost), CASE_FOLDERS)


def _files(folder: Path) -> tuple[Path, Path, str]:
    """Image and labels of a case's folder, and of DICOM the patient's ID.

    Raises:
        InputError: one of them is missing, or there are several.
    """
    files = list(filter(Path.is_file, _shown(folder)))
    patient_id = ""
    images = [path for path in files if _stem(path) == "image" and _is_volume(path)]
    labels = [path for path in files if _stem(path) in ("labels", "label") and path.name != LABEL_NAMES]
    if not images:
        inside = [path for path in sorted(folder.rglob("*")) if path.is_file() and looks_like_dicom(path)]
        objects = [path for path in inside if object_kind(path) is not None]
        if len(inside) == len(objects):
            raise InputError("there is neither image.* nor a DICOM series in its folder")
        patient_id = _patient_id(next(path for path in inside if path not in objects))
        # A folder of its own for the series, so that the masks beside it are not searched for images.
        series = {path.parent for path in inside if path not in objects}
        images, labels = [series.pop() if len(series) == 1 else folder], labels or objects
    for what, found in (("image", images), ("label file", labels)):
        if len(found) != 1:
            raise InputError(f"there is no {what} in its folder" if not found else f"there are several {what}s")
    return images[0], labels[0], patient_id


def _patient_id(image: Path) -> str:
    """As the header says; empty where it says nothing."""
    with with_pydicom_errors(image), image.open("rb") as stream:
        plain = plain_stream(stream, MOST_HEADER_BYTES)
        header = pydicom.dcmread(plain, stop_before_pixels=True, specific_tags=["PatientID"], force=True)
    return str(header.get("PatientID") or "").strip()


def _shown(folder: Path) -> list[Path]:
    """What lies in a folder, by name, without hidden files; macOS leaves ``._NAME`` beside each file that it packs."""
    return [path for path in sorted(folder.iterdir()) if not path.name.startswith(".")]


def _is_volume(path: Path) -> bool:
    return is_nifti_name(path) or is_picture_name(path)


def _stem(path: Path) -> str:
    """The name without its endings."""
    name = path.name
    for ending in (".nii.gz", ".gz", SLICER_ENDING):
        if name.lower().endswith(ending):
            return name[: -len(ending)]
    return path.stem


def _by_name(paths: Sequence[Path], name_of: Callable[[Path], str]) -> dict[str, Path]:
    """Files by their cases' names.

    Raises:
        InputError: two are of one case.
    """
    found: dict[str, Path] = {}
    for path in paths:
        name = name_of(path)
        if name in found:
            raise InputError(f"Two files are of one case, '{name}': {found[name].name} and {path.name}.", path.parent)
        found[name] = path
    return found


def _nnunet_name(path: Path) -> str:
    return path.name.partition(_MARK)[0]


def _nnunet_names(labels: Mapping[str, Any]) -> dict[int, str]:
    """Names by number: version 2 gives numbers by name, version 1 names by number; regions of several are left out."""
    names = {}
    for one, other in labels.items():
        pair = (other, one) if isinstance(other, int) else (one, other)
        if _is_number(str(pair[0])) and int(pair[0]) > 0 and isinstance(pair[1], str):
            names[int(pair[0])] = pair[1]
    return names


def _nnunet_modality(described: Mapping[str, Any]) -> Modality | None:
    channels = described.get("channel_names") or described.get("modality") or {}
    first = str(channels.get("0", "")).casefold()
    if first == "ct":
        return "CT"
    return "MR" if first.startswith(_MR_CHANNELS) else None


def _named_labels(folder: Path) -> dict[int, str]:
    path = folder / LABEL_NAMES
    if not path.is_file():
        return {}
    return {int(number): str(name) for number, name in _json(path, dict[str, Any]).items() if _is_number(number)}


def _is_number(text: str) -> bool:
    """Whether text is a label's number: digits, as many as a label may have."""
    return text.isdecimal() and len(text) < 10


class _NnunetDescription(Struct):
    """What is taken from ``dataset.json``."""

    labels: dict[str, Any] = {}
    channel_names: dict[str, Any] = {}
    modality: dict[str, Any] = {}


def _json(path: Path, schema: Any) -> dict[str, Any]:  # noqa: ANN401 (any type that msgspec knows)
    try:
        return read_json(path, schema)
    except (OSError, Damaged) as problem:
        raise InputError(f"The file cannot be read as JSON ({problem}).", path) from problem
