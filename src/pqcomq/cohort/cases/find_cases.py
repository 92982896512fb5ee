"""Which cases a data set holds, whatever its layout."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from pqcomq.cohort.cases.asked_labels import check_asked
from pqcomq.cohort.cases.case import Case, CaseList, NotScored
from pqcomq.cohort.cases.case_checks import fault_of
from pqcomq.cohort.cases.layouts import CASE_FOLDERS, case_folders, is_nnunet, nnunet_cases
from pqcomq.cohort.cases.manifest import MANIFEST_SUFFIXES, manifest_cases
from pqcomq.errors import InputError
from pqcomq.volumes.path_checks import is_folder

LAYOUTS = (
    "an nnU-Net data set (dataset.json, imagesTr, labelsTr), a folder of case folders with image.* and labels.*, "
    "a folder of DICOM case folders with a SEG or RTSTRUCT each, or a manifest (.csv, .parquet)"
)


def find_cases(dataset: Path, labels: Collection[str] = ()) -> CaseList:
    """List a data set's cases and check what their files' headers tell.

    Voxels are read only to look for a label's number that nothing names.

    Args:
        dataset: folder or manifest.
        labels: names or numbers of the labels to score; all by default.

    Returns:
        The cases in the order of their names, and those that cannot be scored with the reason.

    Raises:
        InputError: there is no case that can be scored, two cases have one name, or none can have one of the labels.
    """
    found = _listed(Path(dataset))
    repeated = sorted(name for name, count in Counter(each.name for each in found.cases).items() if count > 1)
    if repeated:
        raise InputError(f"Two cases have one name, '{repeated[0]}'; every case needs its own.", dataset)
    asked = tuple(labels)
    chosen = [replace(each, asked=asked) for each in sorted(found.cases, key=lambda case: case.name)]
    kept, left_out = [], list(found.not_scored)
    for case in chosen:
        fault = fault_of(case)
        if fault is None:
            kept.append(case)
        else:
            left_out.append(NotScored(case.name, "", fault))
    if not kept:
        why = f" ({left_out[0].case}: {left_out[0].reason})" if left_out else ""
        wanted = f"; it must be {LAYOUTS}" if found.layout == CASE_FOLDERS and not found.cases else ""
        raise InputError(f"The {found.layout} holds no case that can be scored{why}{wanted}.", dataset)
    check_asked(kept)
    return CaseList(tuple(kept), tuple(left_out), found.layout)


def _listed(dataset: Path) -> CaseList:
    if is_folder(dataset):
        return nnunet_cases(dataset) if is_nnunet(dataset) else case_folders(dataset)
    if dataset.suffix.lower() in MANIFEST_SUFFIXES:
        return manifest_cases(dataset)
    raise InputError(f"This is no data set; it must be {LAYOUTS}.", dataset)


def synthetic_cases(count: int, labels: Collection[str] = ()) -> CaseList:
    """A cohort that is drawn, not read: synthetic patients 1 to ``count``.

    Raises:
        InputError: there would be none, or none has one of the labels.
    """
    if count < 1:
        raise InputError("A synthetic cohort needs at least one case.")
    names = [f"synthetic {number:05d}" for number in range(1, count + 1)]
    cases = tuple(
        Case(name, None, None, asked=tuple(labels), synthetic_seed=number) for number, name in enumerate(names, start=1)
    )
    check_asked(cases[:1])
    return CaseList(cases, (), "synthetic patients")
