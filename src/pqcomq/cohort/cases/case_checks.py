"""What can be told of a case from its files' headers, before hours of work."""

from __future__ import annotations

import re
from pathlib import Path

from pqcomq.cohort.cases.case import Case
from pqcomq.dicom_masks.object_loading import object_kind
from pqcomq.errors import InputError, short_path, with_short_paths
from pqcomq.volumes.labels.slicer_segmentation import is_slicer_segmentation
from pqcomq.volumes.nifti.nifti_voxels import is_nifti_name, nifti_sizes, nifti_stem
from pqcomq.volumes.nrrd_metaimage.nrrd_metaimage_reader import is_picture_name, picture_sizes
from pqcomq.volumes.path_checks import is_folder

_SHORTEST_NUMBER = 4
"""Digits that may be a patient's number where a file is called by nothing else; fewer are a size or a count."""


def fault_of(case: Case) -> str | None:
    """Why a case cannot be scored, as far as headers tell; None where they raise no doubt.

    Sizes are compared up to the order of their axes, which may differ. What lies in the voxels, and labels of the right
    size elsewhere in the patient, is found when the case is read, and is then told in the same list.
    """
    if case.image is None or case.labels is None:
        return None
    for what, path in (("image", case.image), ("label file", case.labels)):
        if not path.exists():
            return f"its {what} is not there"
    try:
        if not is_folder(case.labels) and object_kind(case.labels) is not None:
            return None
        if not _is_file_of_ours(case.labels):
            return "its label file is no NIfTI, NRRD, MetaImage, DICOM SEG or RTSTRUCT"
        if not _is_file_of_ours(case.image):
            return None  # DICOM: what it holds is told by reading it
        return _sizes_differ(case.image, case.labels)
    except InputError as fault:
        return without_paths(fault, case)


def _is_file_of_ours(path: Path) -> bool:
    return not is_folder(path) and (is_nifti_name(path) or is_picture_name(path))


def _sizes_differ(image: Path, labels: Path) -> str | None:
    if is_slicer_segmentation(labels):
        return None  # holds the labelled part alone
    sizes = []
    for what, path in (("image", image), ("label file", labels)):
        size = _size(path)
        if size is None:
            return f"its {what} is damaged or cut off"
        sizes.append(size)
    one, other = sizes
    if len(one) > 3:
        return f"its image holds several volumes ({' × '.join(map(str, one))}); each case needs one alone"
    if len(one) == len(other) == 3 and sorted(one) != sorted(other):
        a, b = (" × ".join(map(str, size)) for size in sizes)
        return f"its labels lie on another grid, of {b} voxels and not {a}"
    return None


def _size(path: Path) -> tuple[int, ...] | None:
    """Voxels along each axis; None where the header cannot be read."""
    try:
        size = nifti_sizes(path) if is_nifti_name(path) else picture_sizes(path)
    except InputError:
        return None
    while len(size) > 3 and size[-1] == 1:
        size = size[:-1]
    return size


def without_paths(problem: Exception, case: Case) -> str:
    """A problem as a sentence for results, which name neither a place on this machine nor, by a file's name, a patient.

    Args:
        problem: what went wrong with the case; a place behind the sentence is told as one of the case's two, or not.
        case: whose files may be named in it, also by a volume that is named after its file.
    """
    files = [(what, path) for what, path in (("the image", case.image), ("the label file", case.labels)) if path]
    sentence = str(problem)
    if isinstance(problem, InputError):
        about = next((what for what, path in files if Path(problem.place or "").is_relative_to(path)), None)
        sentence = problem.reason if about is None else f"{problem.reason.removesuffix('.')} ({about})."
    for what, path in files:
        # Messages shorten long paths; what is left of one still tells a folder's name.
        for written in (str(path), short_path(str(path)), with_short_paths(str(path))):
            sentence = sentence.replace(written, what)
        for name in (path.name, nifti_stem(path), path.stem):
            if name not in ("image", "label", "labels") and (len(name) >= _SHORTEST_NUMBER or not name.isdecimal()):
                sentence = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", what, sentence)
    return sentence
