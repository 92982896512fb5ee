"""DICOM headers: of which patient, study and series a file is, and where each of its planes lies.

Only pydicom and only headers here, so that a folder of thousands of slices is listed in seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from io import SEEK_END, BytesIO
from typing import Any, BinaryIO, TypeVar

from pydicom.dataset import Dataset
from pydicom.filereader import read_partial
from pydicom.tag import BaseTag, Tag
from pydicom.uid import DeflatedExplicitVRLittleEndian, ImplicitVRLittleEndian

from pqcomq.volumes.dicom.deflated import MOST_HEADER_BYTES, plain_stream
from pqcomq.volumes.dicom.elements import OddValueError, number_if_any, numbers, text, whole_number
from pqcomq.volumes.dicom.file_discovery import DicomFile, Opener, begins_like_dicom
from pqcomq.volumes.dicom.identity import IDENTITY_TAGS, SeriesHeader, series_header
from pqcomq.volumes.dicom.pixels.pixel_format import STORAGE_TAGS, PixelFormat, Scale
from pqcomq.volumes.dicom.pydicom_warnings import with_pydicom_errors
from pqcomq.volumes.dicom.ultrasound_regions import region_spacing

T = TypeVar("T")

MOST_FRAMES = 100_000
"""Frames in one file, for numbers that go on from file to file."""

UNDEFINED_LENGTH = 0xFFFFFFFF
HEAD_BYTES = 1 << 16
"""Read at first of each file: more than the header of any single slice, which spares a way through the file."""

MARKS = {
    "StackID": "stack", "EchoNumbers": "echo", "TemporalPositionIdentifier": "time", "DiffusionBValue": "b-value",
    "AcquisitionNumber": "acquisition", "TriggerTime": "trigger time", "EchoTime": "echo time",
    "InversionTime": "inversion time", "FlipAngle": "flip angle", "KVP": "tube voltage",
    "ConvolutionKernel": "kernel", "ImageType": "image type", "SeriesDescription": "description",
    "AcquisitionTime": "acquisition time", "ContentTime": "image time",
}  # fmt: skip
"""What tells several volumes of one series apart, the most telling first: tag and name for people."""
TIMES = ("AcquisitionTime", "ContentTime")
"""The last marks, which most often belong to each slice and not to the volume."""

AT_DETECTOR = "Pixels are as far apart as on the detector of an X-ray picture; in the patient they are less."

TAGS: list[BaseTag | int] = [int(Tag(keyword)) for keyword in (
    "SOPClassUID", "SOPInstanceUID", *IDENTITY_TAGS, "InstanceNumber", "Rows", "Columns", "NumberOfFrames",
    "SamplesPerPixel", "PhotometricInterpretation", "PixelSpacing", "ImagerPixelSpacing",
    "ImagePositionPatient", "ImageOrientationPatient", "SliceThickness",
    "SequenceOfUltrasoundRegions", "DetectorInformationSequence", "SpacingBetweenSlices", "SliceVector",
    "GridFrameOffsetVector", "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence",
    "ReferencedSeriesSequence",
    "ReferencedFrameOfReferenceSequence", "SegmentSequence", "StructureSetROISequence", *MARKS, *STORAGE_TAGS,
)]  # fmt: skip
_PIXELS = int(Tag("PixelData"))
_ENDS = frozenset(int(Tag(k)) for k in ("ROIContourSequence", "PixelData", "FloatPixelData", "DoubleFloatPixelData"))
"""Where reading ends: behind these is the bulk of a file."""

_SERIES_CODES = tuple(int(Tag(keyword)) for keyword in (*IDENTITY_TAGS, "SpecificCharacterSet"))
_MARK_CODES, _BINARY_MARK = tuple(int(Tag(keyword)) for keyword in MARKS), int(Tag("DiffusionBValue"))
_STORAGE_CODES = tuple(int(Tag(keyword)) for keyword in (*STORAGE_TAGS, "Modality"))

NOT_PICTURES = frozenset({"SEG", "RTDOSE", "RTSTRUCT", "RTPLAN", "SR", "PR", "KO", "REG", "ECG", "DOC"})
"""Modalities whose objects describe other images; some of them have rows and columns all the same."""


@dataclass(frozen=True)
class PlaneHeader:
    """One image plane, a file or one frame of a file.

    Attributes:
        file, frame: where its pixels are.
        frames: number of frames in the file.
        series: its series.
        instance_uid: SOPInstanceUID, with the frame's number where there are several.
        instance_number: its number in the series, None if it has none.
        rows, columns: size in pixels.
        refusal: why its pixels cannot be one number a voxel, or None.
        position: LPS millimetres of the first pixel's centre.
        orientation: LPS cosines along a row (of increasing column), then along a column.
        pixel_spacing: millimetres between rows, between columns.
        thickness: millimetres.
        scale: slope and intercept where a frame has its own; None where the file has one.
        marks: values of ``MARKS`` in their order, None where it does not say.
        storage: how the file stores its pixels.
    """

    file: DicomFile
    frame: int
    frames: int
    series: SeriesHeader
    instance_uid: str
    instance_number: int | None
    rows: int
    columns: int
    refusal: str | None
    position: tuple[float, ...] | None
    orientation: tuple[float, ...] | None
    pixel_spacing: tuple[float, ...] | None
    thickness: float | None
    scale: Scale | None
    marks: tuple[Any, ...]
    storage: PixelFormat

    @property
    def placed(self) -> bool:
        """Whether it says where it lies in the patient."""
        return None not in (self.position, self.orientation, self.pixel_spacing)


@dataclass(frozen=True)
class Header:
    """The tags of a file without its bulk, and where its pixels are.

    Attributes:
        dataset: the tags.
        place: offset and length in bytes of the pixels in the file; None if there are none of a stated length.
        is_whole: whether its end was reached, where the bulk of the file begins.
    """

    dataset: Dataset
    place: tuple[int, int] | None
    is_whole: bool


def header_of(file: DicomFile, opener: Opener) -> Header | None:
    """The header of a DICOM file; None for other files.

    Raises:
        InputError: the file is damaged or cannot be read.
    """
    # A pipe would block, and the size also passes over the bottomless files of /proc.
    if not file.member and not (file.path.is_file() and file.path.stat().st_size):
        return None
    head, is_whole = opener.head(file, HEAD_BYTES)
    if not begins_like_dicom(head):
        return None
    try:
        with with_pydicom_errors(file):
            header, ended = _header(BytesIO(head))
            # The header ended within the head if reading stopped before its end; else values were cut off.
            if is_whole or ended:
                return header
    except ValueError:
        if is_whole:
            raise
    with opener.seekable(file, MOST_HEADER_BYTES) as whole, with_pydicom_errors(file):
        return _header(whole)[0]


def _header(given: BinaryIO) -> tuple[Header, bool]:
    """A header, and whether reading it stopped before the stream's end."""
    stream = plain_stream(given, MOST_HEADER_BYTES)
    place: tuple[int, int] | None = None
    is_whole = False

    def is_bulk(tag: BaseTag, vr: str | None, length: int) -> bool:
        nonlocal place, is_whole
        code = int(tag)  # comparing pydicom's tags themselves takes many times as long
        if code == _PIXELS and length != UNDEFINED_LENGTH:
            place = stream.tell(), length  # pydicom stands before the value when it asks
        is_whole |= code in _ENDS
        return code in _ENDS

    dataset = read_partial(stream, is_bulk, force=True, specific_tags=TAGS)
    if stream is not given:  # the pixels' place is none in the file, which is to be inflated again for them
        dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    stopped = stream.tell()
    return Header(dataset, place, is_whole), stopped < stream.seek(0, SEEK_END)


def is_picture(dataset: Dataset) -> bool:
    """Whether a header is that of an image rather than of something about images."""
    return bool(text(dataset, "Modality") not in NOT_PICTURES and dataset.get("Rows") and dataset.get("Columns"))


class Repeated:
    """What the files of a series have in common, decoded once for all of them."""

    def __init__(self) -> None:
        self._known: dict[tuple[object, ...], Any] = {}

    def of(self, dataset: Dataset, tags: tuple[int, ...], decode: Callable[[], T], more: str = "") -> T:
        """``decode()``, or what it gave for an earlier data set with the same bytes under ``tags``, and ``more``."""
        key = (tags, more, *(_bytes(dataset, tag) for tag in tags))
        try:
            if key not in self._known:
                self._known[key] = decode()
        except TypeError:  # a sequence among the values, which has no hash
            return decode()
        found: T = self._known[key]
        return found


def _mark(dataset: Dataset, code: int) -> str | None:
    element = dataset.get_item(code) if code in dataset else None
    if element is None or not element.value:
        return None
    if isinstance(element.value, bytes) and code != _BINARY_MARK:  # text, which pydicom need not look into
        return element.value.decode("ascii", "replace").strip(" \0") or None
    return text(dataset, dataset[code].keyword) or None


def _bytes(dataset: Dataset, tag: int) -> object:
    element = dataset.get_item(tag) if tag in dataset else None
    return None if element is None else (element.value, getattr(element, "is_little_endian", None))


def plane_header(file: DicomFile, header: Header, repeated: Repeated) -> PlaneHeader:
    """The plane that a header describes: the file's only one, or what all its frames share."""
    dataset = header.dataset
    syntax = str(dataset.file_meta.get("TransferSyntaxUID") or ImplicitVRLittleEndian)
    stored = repeated.of(dataset, _STORAGE_CODES, lambda: PixelFormat.of(dataset, syntax), syntax)
    instance = number_if_any(dataset, "InstanceNumber")
    frames = whole_number(dataset, "NumberOfFrames") or 1
    rows, columns = whole_number(dataset, "Rows") or 0, whole_number(dataset, "Columns") or 0
    spacing, is_at_detector = _pixel_spacing(dataset)
    return PlaneHeader(
        file=file,
        frame=0,
        frames=frames,
        series=repeated.of(dataset, _SERIES_CODES, lambda: series_header(dataset)),
        instance_uid=text(dataset, "SOPInstanceUID"),
        instance_number=None if instance is None else int(instance),
        rows=rows,
        columns=columns,
        refusal=_refusal(dataset) or stored.refusal,
        position=numbers(dataset, "ImagePositionPatient", 3),
        orientation=numbers(dataset, "ImageOrientationPatient", 6),
        pixel_spacing=spacing,
        thickness=number_if_any(dataset, "SliceThickness"),
        scale=None,
        marks=tuple(_mark(dataset, code) for code in _MARK_CODES),
        storage=(stored.noting(AT_DETECTOR) if is_at_detector else stored).at(header.place, (rows, columns), frames),
    )


def _pixel_spacing(dataset: Dataset) -> tuple[tuple[float, ...] | None, bool]:
    """Distance of rows and of columns, mm; and whether it is that on a detector, which lies behind the patient."""
    at_patient = numbers(dataset, "PixelSpacing", 2)
    try:
        at_detector = numbers(dataset, "ImagerPixelSpacing", 2)
    except OddValueError:
        if at_patient is None:
            raise
        at_detector = None
    is_at_detector = at_detector is not None and at_patient in (None, at_detector)  # the same twice: not corrected
    return at_patient or at_detector or region_spacing(dataset), is_at_detector


def _refusal(dataset: Dataset) -> str | None:
    photometric = text(dataset, "PhotometricInterpretation")
    if int(dataset.get("SamplesPerPixel") or 1) != 1 or photometric not in ("MONOCHROME1", "MONOCHROME2", ""):
        return f"holds colour images ({photometric or 'several samples a pixel'}), but only grey ones can be read"
    if "MOSAIC" in text(dataset, "ImageType").split("\\"):
        return "holds mosaics (all slices of a volume tiled in one picture), which are not taken apart"
    return None
