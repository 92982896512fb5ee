"""Files beside the slices that look like slices and are none: empty, overwritten, or cut off before their pixels.

A slice that is lost at the end of a stack leaves no gap, so that nothing but its file tells of it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from pathlib import PurePath

from pydicom.dataset import Dataset
from pydicom.uid import UID

from pqcomq.volumes.dicom.elements import text
from pqcomq.volumes.dicom.file_discovery import DicomFile
from pqcomq.volumes.dicom.headers import NOT_PICTURES

ENDINGS = frozenset({".dcm", ".ima", ".dicom", ".dic"})
"""Endings of file names that promise a DICOM file, in small letters."""
STANDARD = "1.2.840.10008.5.1.4.1.1"
"""Root of the UIDs of the standard's own classes of objects."""
_CHANGING = re.compile(r"[0-9a-f]{8,}|\d+", re.IGNORECASE)
"""What changes in the names of a series from slice to slice: numbers, and the digits of random names."""


def is_cut_off(dataset: Dataset) -> bool:
    """Whether a header is that of an image that ends before it tells its size."""
    if text(dataset, "Modality") in NOT_PICTURES:
        return False
    stated = text(dataset, "SOPClassUID") or text(dataset.file_meta, "MediaStorageSOPClassUID")
    name = str(UID(stated).name)
    # Images have names like "CT Image Storage". Without a class nothing else is known of the file, and one of the
    # standard's that has no name was cut off, too; makers' own objects have classes of other roots.
    is_standard = STANDARD.startswith(stated) or stated.startswith(f"{STANDARD}.")
    return "Image Storage" in name or (name == stated and is_standard)


def looking_like(others: Iterable[DicomFile], slices: Collection[DicomFile]) -> list[DicomFile]:
    """Those of other files that are named as the slices beside them, or that promise to be DICOM.

    Args:
        others: files that are no DICOM images.
        slices: files that are.
    """
    patterns = {_pattern(file) for file in slices}
    return [file for file in others if _pattern(file) in patterns or _ending(file) in ENDINGS]


def _pattern(file: DicomFile) -> tuple[str, str]:
    """Folder and name, with a sign for whatever changes from slice to slice."""
    path = PurePath(str(file))
    return str(path.parent), _CHANGING.sub("#", path.name)


def _ending(file: DicomFile) -> str:
    return PurePath(file.name).suffix.lower()
