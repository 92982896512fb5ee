"""DICOM headers: which files of a folder hold images, of which series, and where each slice lies.

Only pydicom and only headers here, so that a folder of thousands of slices is listed in seconds. Patient data are
never read: the tags below are all that leaves a file.
"""

from __future__ import annotations

import logging
import math
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pydicom
from pydicom.dataset import Dataset

from pqcomq.errors import InputError
from pqcomq.whole_files import why

logger = logging.getLogger(__name__)

TAGS = [
    "SOPInstanceUID", "SeriesInstanceUID", "SeriesNumber", "SeriesDescription", "Modality", "Rows", "Columns",
    "NumberOfFrames", "SamplesPerPixel", "PhotometricInterpretation", "ModalityLUTSequence", "PixelSpacing",
    "ImagerPixelSpacing", "ImagePositionPatient", "ImageOrientationPatient", "SliceThickness",
    "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence",
]  # fmt: skip
NOT_PICTURES = frozenset({"SEG", "RTDOSE", "RTSTRUCT", "RTPLAN", "SR", "PR", "KO", "REG", "ECG", "DOC"})
"""Modalities whose objects describe other images; some of them have rows and columns all the same."""

PREAMBLE_BYTES = 132
MOST_FILES = 50_000
"""Files looked at in one folder: more is a whole archive or a disk chosen by mistake."""


@dataclass(frozen=True)
class SliceHeader:
    """One image plane, a file or one frame of a file.

    Attributes:
        path, frame: where its pixels are.
        instance_uid, series_uid, series_number, description, modality: what the file says, ``""`` or None if nothing.
        rows, columns: size in pixels.
        frames: number of frames in the file.
        refusal: why its pixels cannot be one number a voxel, or None.
        position: LPS millimetres of the first pixel's centre.
        orientation: LPS cosines along a row (of increasing column), then along a column.
        pixel_spacing: millimetres between rows, between columns.
        thickness: millimetres.
        scale: slope and intercept where a frame has its own; None where the file has one.
    """

    path: Path
    frame: int
    frames: int
    instance_uid: str
    series_uid: str
    series_number: int | None
    description: str
    modality: str
    rows: int
    columns: int
    refusal: str | None
    position: tuple[float, ...] | None
    orientation: tuple[float, ...] | None
    pixel_spacing: tuple[float, ...] | None
    thickness: float | None
    scale: tuple[float, float] | None = None


@dataclass
class Scan:
    """What a folder holds: image planes, and DICOM files too damaged to tell."""

    slices: list[SliceHeader] = field(default_factory=list)
    damaged: list[Path] = field(default_factory=list)

    def add(self, path: Path) -> None:
        """Look at one file; anything that is not DICOM, or holds no image, leaves no trace."""
        try:
            if looks_like_dicom(path):
                self.slices += read_headers(path)
        except InputError as error:
            logger.warning("%s", error)
            self.damaged.append(path)
        except OSError as error:
            logger.warning("%s: %s", path, error)
            self.damaged.append(path)

    def series(self) -> dict[str, list[SliceHeader]]:
        """The slices by series UID."""
        found: dict[str, list[SliceHeader]] = {}
        for header in self.slices:
            found.setdefault(header.series_uid, []).append(header)
        return found


def scan_folder(folder: Path) -> Scan:
    """Look into every file below ``folder``.

    Raises:
        InputError: there are more than ``MOST_FILES``.
    """
    scan = Scan()
    for count, path in enumerate(_files_below(folder)):
        if count >= MOST_FILES:
            raise InputError(f"{folder} holds more than {MOST_FILES} files; choose the folder of one study.")
        scan.add(path)
    return scan


def _files_below(folder: Path) -> Iterator[Path]:
    # os.walk does not follow links to folders, so a ring of links ends.
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            yield Path(parent, name)


def looks_like_dicom(path: Path) -> bool:
    """Whether a regular file begins as DICOM does, with or without the preamble.

    Raises:
        OSError: it cannot be opened.
    """
    # A pipe would block, and the size also passes over the bottomless files of /proc.
    if not path.is_file() or path.stat().st_size <= PREAMBLE_BYTES:
        return False
    with path.open("rb") as file:
        head = file.read(PREAMBLE_BYTES)
    # Without a preamble the first tag's group is 0002 or 0008, in either byte order.
    return head[128:] == b"DICM" or head[:2] in (b"\x02\x00", b"\x08\x00", b"\x00\x08")


def read_headers(path: Path) -> list[SliceHeader]:
    """The image planes of one DICOM file: none, one, or one a frame.

    Raises:
        InputError: the file is damaged.
    """
    with _damage_told(path):
        return _planes(path, pydicom.dcmread(path, stop_before_pixels=True, specific_tags=TAGS, force=True))


def check_pixels_end(path: Path) -> None:
    """See that the pixel data of a file are all there, in a few milliseconds.

    GDCM searches a compressed file that was cut off for its end byte by byte, for many seconds, and decodes some as
    if they were whole. pydicom leaves out an element that does not end.

    Raises:
        InputError: the file has no pixel data, or was cut off in them.
    """
    with _damage_told(path):
        dataset = pydicom.dcmread(path, specific_tags=["PixelData"], force=True)
        if "PixelData" not in dataset:
            raise InputError(f"{path} was cut off, or holds no pixels that can be read.")


@contextmanager
def _damage_told(path: Path) -> Iterator[None]:
    """Turn whatever pydicom raises on a damaged file into one sentence, and keep its warnings off the terminal."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns about every odd value, in tags that do not matter here too
            yield
    except InputError:
        raise
    except Exception as error:  # damaged files end in exceptions of a dozen unrelated types
        logger.debug("pydicom on %s: %r", path, error)
        if isinstance(error, OSError) and error.errno is not None:  # pydicom raises OSError of its own, too
            raise InputError(f"{path} cannot be read: {why(error)}.") from error
        raise InputError(f"{path} is a damaged DICOM file.") from error


def _planes(path: Path, dataset: Dataset) -> list[SliceHeader]:
    modality = _text(dataset, "Modality")
    if modality in NOT_PICTURES or not dataset.get("Rows") or not dataset.get("Columns"):
        return []
    frames = int(dataset.get("NumberOfFrames") or 1)
    number = _numbers(dataset, "SeriesNumber", 1)
    thickness = _numbers(dataset, "SliceThickness", 1)
    first = SliceHeader(
        path=path,
        frame=0,
        frames=frames,
        instance_uid=_text(dataset, "SOPInstanceUID"),
        series_uid=_text(dataset, "SeriesInstanceUID"),
        series_number=None if number is None else int(number[0]),
        description=_text(dataset, "SeriesDescription"),
        modality=modality,
        rows=int(dataset.Rows),
        columns=int(dataset.Columns),
        refusal=_refusal(dataset),
        position=_numbers(dataset, "ImagePositionPatient", 3),
        orientation=_numbers(dataset, "ImageOrientationPatient", 6),
        pixel_spacing=_numbers(dataset, "PixelSpacing", 2) or _numbers(dataset, "ImagerPixelSpacing", 2),
        thickness=None if thickness is None else thickness[0],
    )
    groups = list(dataset.get("PerFrameFunctionalGroupsSequence") or [])
    if not groups:
        return [first]
    if len(groups) != frames:
        raise InputError(f"{path} is damaged: it has {frames} frames but describes {len(groups)}.")
    shared = next(iter(dataset.get("SharedFunctionalGroupsSequence") or []), Dataset())
    return [_frame(first, index, group, shared) for index, group in enumerate(groups)]


def _frame(first: SliceHeader, index: int, group: Dataset, shared: Dataset) -> SliceHeader:
    """The plane of one frame of an enhanced multi-frame object; what a frame does not say, all frames share."""

    def value(sequence: str, keyword: str, count: int) -> tuple[float, ...] | None:
        for source in (group, shared):
            for item in source.get(sequence) or []:
                if (found := _numbers(item, keyword, count)) is not None:
                    return found
        return None

    thickness = value("PixelMeasuresSequence", "SliceThickness", 1)
    slope = value("PixelValueTransformationSequence", "RescaleSlope", 1) or (1.0,)
    intercept = value("PixelValueTransformationSequence", "RescaleIntercept", 1) or (0.0,)
    return replace(
        first,
        frame=index,
        instance_uid=f"{first.instance_uid}#{index}",
        position=value("PlanePositionSequence", "ImagePositionPatient", 3) or first.position,
        orientation=value("PlaneOrientationSequence", "ImageOrientationPatient", 6) or first.orientation,
        pixel_spacing=value("PixelMeasuresSequence", "PixelSpacing", 2) or first.pixel_spacing,
        thickness=first.thickness if thickness is None else thickness[0],
        scale=(slope[0], intercept[0]),
    )


def _refusal(dataset: Dataset) -> str | None:
    photometric = _text(dataset, "PhotometricInterpretation")
    if int(dataset.get("SamplesPerPixel") or 1) != 1 or photometric not in ("MONOCHROME1", "MONOCHROME2", ""):
        return f"holds colour images ({photometric or 'several samples a pixel'}), but only grey ones can be read"
    if dataset.get("ModalityLUTSequence"):
        return "maps its values by a table (Modality LUT), but only slope and intercept can be applied"
    return None


def _text(dataset: Dataset, keyword: str) -> str:
    """A tag's text on one line, without control characters (they would reach a terminal)."""
    text = "".join(c if c.isprintable() else " " for c in str(dataset.get(keyword) or ""))
    return " ".join(text.split())


def _numbers(dataset: Dataset, keyword: str, count: int) -> tuple[float, ...] | None:
    """A tag's numbers; None if it is absent or empty, ValueError if they are not ``count`` finite ones."""
    value: Any = dataset.get(keyword)
    if value is None or value == "" or (not isinstance(value, (int, float)) and len(value) == 0):
        return None
    numbers = tuple(float(v) for v in (value if count > 1 else [value]))
    if len(numbers) != count or not all(map(math.isfinite, numbers)):
        raise ValueError(f"{keyword} is {value}")
    return numbers
