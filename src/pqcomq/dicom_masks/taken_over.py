"""Values that an object takes over from the images' headers: odd ones are left out, or refused where one needs them.

Headers that are good enough to show an image hold what no object may hold: texts for numbers, years for dates.
"""

from __future__ import annotations

import math
import re
from pathlib import Path

from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.valuerep import DA, TM, DSfloat

from pqcomq.errors import InputError
from pqcomq.volumes.grid import Grid
from pqcomq.volumes.plain_numbers import plain_float

_UID = re.compile(r"[0-9.]{1,64}")
_SEXES = ("", "M", "F", "O")
_TIMES = {"DA": DA, "TM": TM}


def is_uid(value: object) -> bool:
    """Whether a value can be a UID; leading zeros, which the standard forbids and some makers write, do no harm."""
    return isinstance(value, str) and _UID.fullmatch(value) is not None


def leave_out_odd_numbers(dataset: Dataset) -> None:
    """Take away decimal and integer strings that are no finite numbers.

    Nothing hangs on them: where the slices lie was checked when they were read as a volume.

    Args:
        dataset: as it was read, its values not looked at yet (looking at odd ones is an error in pydicom).
    """
    for tag in list(dataset.keys()):
        element = dataset.get_item(tag)
        kind = element.VR or (dictionary_VR(tag) if dictionary_has_tag(tag) else "UN")
        if kind == "SQ":
            for item in dataset[tag].value:
                leave_out_odd_numbers(item)
        elif kind in ("DS", "IS") and isinstance(element, RawDataElement) and not _are_numbers(element.value, kind):
            del dataset[tag]


def _are_numbers(content: bytes | None, kind: str) -> bool:
    text = (content or b"").decode("ascii", "replace").strip(" \0")
    if not text:
        return True
    try:
        values = [plain_float(each.strip(" \0")) for each in text.split("\\")]
    except ValueError:
        return False
    return all(math.isfinite(each) and (kind == "DS" or each.is_integer()) for each in values)


def completed(header: Dataset, grid: Grid, frame: int) -> Dataset:
    """A header that says what every object takes from it, where the images say it elsewhere or not at all.

    Deidentified images state no thickness, which is that of slices without gaps then; X-ray pictures state the spacing
    of their detector. Frames of one volume run alike: what one of them says of its rows and columns holds for all.

    Args:
        header: of an image, changed in place.
        grid: of the volume's file.
        frame: of the file that is in the volume.
    """
    columns_apart, rows_apart, distance = (DSfloat(each, auto_format=True) for each in grid.spacing)
    groups = header.get("PerFrameFunctionalGroupsSequence")
    if not groups:
        if not header.get("SliceThickness"):
            header.SliceThickness = distance
        if not header.get("PixelSpacing"):
            header.PixelSpacing = [rows_apart, columns_apart]
        return header
    if not header.get("SharedFunctionalGroupsSequence"):
        header.SharedFunctionalGroupsSequence = [Dataset()]
    shared, own = header.SharedFunctionalGroupsSequence[0], groups[frame]
    for keyword in ("PlaneOrientationSequence", "PixelMeasuresSequence"):
        if not shared.get(keyword) and own.get(keyword):
            setattr(shared, keyword, own[keyword].value)
    if not own.get("PlanePositionSequence") and shared.get("PlanePositionSequence"):
        own.PlanePositionSequence = shared["PlanePositionSequence"].value
    return header


def leave_out_odd_identity(header: Dataset, path: Path) -> None:
    """Empty dates, times and a sex that are none, as deidentified images have them.

    Args:
        header: with the patient's data, changed in place.
        path: of the image.

    Raises:
        InputError: the patient has several names or numbers.
    """
    for keyword in ("PatientName", "PatientID"):
        if isinstance(header[keyword].value if keyword in header else None, MultiValue):
            raise InputError(
                f"{path.name} has several values as {keyword}, so the patient cannot be named; export it without the "
                "patient."
            )
    if str(header.get("PatientSex") or "") not in _SEXES:
        header.PatientSex = ""
    for element in list(header):
        known = _TIMES.get(element.VR)
        if known is not None and not element.is_empty:
            try:
                known(element.value)
            except (ValueError, TypeError):
                header[element.tag].value = ""
