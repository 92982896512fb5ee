"""The images that a DICOM object refers to, with or without the patient's identity.

Without it (the default) name, ID, birth date, sex, dates, accession number and all free text of the source are left
out, and the object says so (Patient Identity Removed). The UIDs of study, series, images and frame of reference are
kept: they are all that ties a mask to its images, and no viewer shows it in its place without them. This is DICOM's
"Retain UIDs" option of de-identification (PS3.15, Annex E); UIDs name no person, but whoever has the archive can look
the patient up by them. An archive that checks identity takes only objects made with it.
"""

from __future__ import annotations

import warnings
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pydicom
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError

from pqcomq.atomic_files import why
from pqcomq.dicom_masks.taken_over import completed, is_uid, leave_out_odd_identity, leave_out_odd_numbers
from pqcomq.errors import InputError
from pqcomq.volumes.dicom.deflated import MOST_HEADER_BYTES, plain_stream
from pqcomq.volumes.dicom.elements import OddValueError, numbers
from pqcomq.volumes.dicom.identity import series_header
from pqcomq.volumes.volume import SourcePlane, Volume

REFERENCE_TAGS = [
    "SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "SeriesNumber", "Modality", "Rows",
    "Columns", "NumberOfFrames", "FrameOfReferenceUID", "PositionReferenceIndicator", "ImagePositionPatient",
    "ImageOrientationPatient", "PixelSpacing", "SliceThickness", "SpacingBetweenSlices", "LossyImageCompression",
    "LossyImageCompressionRatio", "LossyImageCompressionMethod", "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
]  # fmt: skip
"""Where the images lie and how they are found; nothing of the patient."""

_REQUIRED = ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID")

_COMMON = ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID")
"""What all images that one object refers to must have in common."""

_EMPTY_UNLESS_KNOWN = (
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "StudyID",
    "AccessionNumber", "ReferringPhysicianName",
)  # fmt: skip
"""Identity that every object has, if only as an empty field."""
IDENTITY_TAGS = [
    *_EMPTY_UNLESS_KNOWN, "SpecificCharacterSet", "IssuerOfPatientID", "PatientAge", "PatientSize", "PatientWeight",
    "StudyDescription", "PatientIdentityRemoved", "DeidentificationMethod",
]  # fmt: skip
METHOD = "Patient and study data left out, UIDs kept (napari-pqcomq)"


@dataclass(frozen=True)
class SourceSeries:
    """The images behind a volume's slices.

    Attributes:
        headers: one data set a file, without pixels.
        places: for each slice of the volume's ``file_grid``, the number of its header and its frame in that file.
    """

    headers: tuple[Dataset, ...]
    places: tuple[tuple[int, int], ...]

    @property
    def first(self) -> Dataset:
        """The header that stands for what all have in common."""
        return self.headers[0]

    def plane_position(self, index: int) -> Dataset:
        """What holds the ImagePositionPatient of a slice: an item of its frame's groups, or the header itself."""
        number, frame = self.places[index]
        groups = self.headers[number].get("PerFrameFunctionalGroupsSequence") or []
        items = [item for group in groups[frame : frame + 1] for item in group.get("PlanePositionSequence") or []]
        return items[0] if items else self.headers[number]

    @property
    def is_multiframe(self) -> bool:
        """Whether the slices are frames of files and not files of their own."""
        return "PerFrameFunctionalGroupsSequence" in self.first


def source_series(volume: Volume, *, keep_identity: bool) -> SourceSeries:
    """Read the headers of the images that a volume was made of.

    Args:
        volume: with ``planes``.
        keep_identity: take the patient's and the study's data along.

    Raises:
        InputError: the volume is not made of DICOM images of one series, they are gone, lack what an object must refer
            to, or share a UID; or their patient is to be named, and they are of several.
    """
    if not volume.planes:
        raise InputError(
            f"{volume.name} is not made of DICOM images as they are, so a DICOM object has nothing to refer to; "
            "export it as NIfTI, NRRD or MHA."
        )
    files = [replace(plane, frame=0) for plane in volume.planes]
    frames = {file: plane.frame for file, plane in zip(files, volume.planes, strict=True)}
    order = {file: number for number, file in enumerate(frames)}
    headers = tuple(
        completed(_header(file, keep_identity=keep_identity), volume.file_grid, frame) for file, frame in frames.items()
    )
    for header in headers:  # which may differ in their last digits, and highdicom asks for one orientation
        if orientation := headers[0].get("ImageOrientationPatient"):
            header.ImageOrientationPatient = orientation
    if len({header.SOPInstanceUID for header in headers}) < len(headers):
        raise InputError(_shared(volume))
    if any(len({str(header.get(keyword)) for header in headers}) > 1 for keyword in _COMMON):
        raise InputError(_joined(volume))
    if keep_identity:
        _check_one_patient(volume, headers)
    places = ((order[file], plane.frame) for file, plane in zip(files, volume.planes, strict=True))
    source = SourceSeries(headers, tuple(places))
    _check_places(volume, source)
    return source


def source_identity(volume: Volume) -> dict[str, str]:
    """Whose images a volume is made of, for a record; they may be of several series, to which no object could refer.

    Returns:
        What the images say by keyword, UIDs only where all say the same; empty for a volume that is made of none.

    Raises:
        InputError: they are of several patients, or can no longer be read.
    """
    files = dict.fromkeys(replace(plane, frame=0) for plane in volume.planes)
    headers = [_read(file, [*IDENTITY_TAGS, *_COMMON]) for file in files]
    if not headers:
        return {}
    _check_one_patient(volume, headers)
    common = [keyword for keyword in _COMMON if len({str(header.get(keyword)) for header in headers}) == 1]
    return {keyword: str(headers[0][keyword].value) for keyword in (*IDENTITY_TAGS, *common) if headers[0].get(keyword)}


def image_corners(volume: Volume) -> np.ndarray | None:
    """LPS millimetres of the first pixel of each image that a volume is made of, (n, 3) in the order of ``planes``.

    Returns:
        None where it is made of none, or they do not say or can no longer be read.
    """
    headers: dict[SourcePlane, Dataset] = {}
    corners = []
    try:
        for plane in volume.planes:
            file = replace(plane, frame=0)
            if file not in headers:
                headers[file] = _read(file, ["ImagePositionPatient", "PerFrameFunctionalGroupsSequence"])
            header = headers[file]
            if frames := header.get("PerFrameFunctionalGroupsSequence"):
                header = frames[plane.frame].PlanePositionSequence[0]
            corners.append(numbers(header, "ImagePositionPatient", 3))
    except (InputError, OddValueError, AttributeError, IndexError):
        return None
    return np.array(corners) if corners and None not in corners else None


def dicom_obstacle(volume: Volume) -> str:
    """Why no DICOM object can be made on a volume, as a sentence; empty where nothing is known to stand in the way.

    Looks at two of its files alone, unless it was joined from several series, so that it can be asked before anything
    is written; :func:`source_series` looks at all.

    Args:
        volume: any.
    """
    kinds = {finding.kind for finding in volume.findings}
    looked_at = volume.planes if "joined" in kinds else (*volume.planes[:1], *volume.planes[-1:])
    try:
        files = dict.fromkeys(replace(plane, frame=0) for plane in looked_at)
        source_series(replace(volume, planes=tuple(files)), keep_identity=False)
    except InputError as error:
        return str(error)
    return _shared(volume) if "uid" in kinds else ""


def _joined(volume: Volume) -> str:
    return (
        f"{volume.name} is put together from several series or frames of reference, to which no single DICOM object "
        "can refer; export it as NIfTI, NRRD or MHA."
    )


def _check_one_patient(volume: Volume, headers: Sequence[Dataset]) -> None:
    """See that images are of one patient, who can be named.

    Raises:
        InputError: they are not.
    """
    if len({series_header(header).study.patient for header in headers}) > 1:
        raise InputError(
            f"The images of {volume.name} are of several patients, so none can be named; export it without the patient."
        )


def _check_places(volume: Volume, source: SourceSeries) -> None:
    """See that each image says by itself where it lies, as an object's contours and frames repeat it.

    Frames that a list of offsets or a detector places do not, nor does an image whose place was assumed.

    Raises:
        InputError: one does not.
    """
    is_assumed = any(finding.kind == "place" for finding in volume.findings)
    for index, (number, _frame) in enumerate(source.places):
        is_single = source.is_multiframe or int(source.headers[number].get("NumberOfFrames") or 1) == 1
        if is_assumed or not is_single or numbers(source.plane_position(index), "ImagePositionPatient", 3) is None:
            raise InputError(
                f"The images of {volume.name} do not say one by one where they lie (ImagePositionPatient), which a "
                "DICOM object has to repeat; export it as NIfTI, NRRD or MHA."
            )


def _shared(volume: Volume) -> str:
    return (
        f"Images of {volume.name} share a SOPInstanceUID, so a DICOM object cannot say on which it lies; "
        "export it as NIfTI, NRRD or MHA."
    )


def frame_of_reference(volume: Volume) -> str | None:
    """UID of the frame of reference that a volume lies in; None where its files do not say.

    Raises:
        InputError: its files can no longer be read.
    """
    if not volume.planes:
        return None
    header = _read(volume.planes[0], ["FrameOfReferenceUID"])
    return str(header.get("FrameOfReferenceUID") or "") or None


def _header(plane: SourcePlane, *, keep_identity: bool) -> Dataset:
    header = _read(plane, [*REFERENCE_TAGS, *(IDENTITY_TAGS if keep_identity else [])])
    for keyword in _REQUIRED:
        if not header.get(keyword):
            raise InputError(
                f"There is no {keyword} in {plane.path.name}, without which no DICOM object can refer to it; "
                "export as NIfTI, NRRD or MHA."
            )
        if not is_uid(header[keyword].value):
            raise InputError(
                f"The {keyword} in {plane.path.name} is none that DICOM knows, so no DICOM object can refer to it; "
                "export as NIfTI, NRRD or MHA."
            )
    if keep_identity:
        leave_out_odd_identity(header, plane.path)
    for keyword in _EMPTY_UNLESS_KNOWN:
        if keyword not in header:
            setattr(header, keyword, None)
    if not keep_identity:
        header.PatientIdentityRemoved, header.DeidentificationMethod = "YES", METHOD
    return header


def _read(plane: SourcePlane, tags: list[str]) -> Dataset:
    try:
        with plane.open() as stream, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd values that were good enough to show the image
            plain = plain_stream(stream, MOST_HEADER_BYTES)
            header = pydicom.dcmread(plain, stop_before_pixels=True, specific_tags=tags, force=True)
            leave_out_odd_numbers(header)
            header.decode()
            return header
    except InputError as error:
        reason = why(error.__cause__) if isinstance(error.__cause__, OSError) else "it is damaged"
        raise InputError(f"An image of the volume can no longer be read: {reason}.", plane.path) from error
    except OSError as error:
        raise InputError(f"An image of the volume can no longer be read: {why(error)}.", plane.path) from error
    except (InvalidDicomError, ValueError, KeyError, AttributeError, NotImplementedError, zlib.error) as error:
        raise InputError("An image of the volume is damaged.", plane.path) from error
