"""A DICOM structure set (RTSTRUCT) of a series: closed planar contours in the planes of its images.

Written with pydicom: highdicom makes no structure sets, and rt-utils, which does, outlines masks through pixel centres
and so loses pixels. What is written here gives the same voxels back (:mod:`pqcomq.dicom_masks.contours`). Implicit
VR, as long contours would not fit the two-byte lengths of the explicit one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
import SimpleITK as sitk
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ImplicitVRLittleEndian, RTStructureSetStorage, generate_uid

import pqcomq
from pqcomq.dicom_masks.attributes import CHARACTER_SET, MAKER, SERIES_OFFSET, generation, long_string, short_string
from pqcomq.dicom_masks.contours import outlines
from pqcomq.dicom_masks.mask_object import MaskObject, check_not_empty
from pqcomq.dicom_masks.referenced_series import IDENTITY_TAGS, SourceSeries, source_series
from pqcomq.dicom_masks.snomed_anatomy import coded_anatomy
from pqcomq.object_colours import object_colour, rgb_of
from pqcomq.volumes.grid import Grid
from pqcomq.volumes.volume import Volume

LONGEST_DECIMAL = 16
"""Characters in DICOM's decimal strings."""
_STUDY_COMPONENT = "1.2.840.10008.3.1.2.3.1"
"""Detached Study Management, retired; the standard still names no other class for the referenced study."""


def structure_set(objects: Sequence[MaskObject], volume: Volume, *, keep_identity: bool) -> Dataset:
    """Make a structure set of objects.

    Args:
        objects: one or more, of which one has a voxel at least; they may overlap.
        volume: that they lie on, read from DICOM.
        keep_identity: take the patient's and the study's data along.

    Raises:
        InputError: the volume is not made of DICOM images, or the objects are empty.
    """
    check_not_empty(objects)
    source = source_series(volume, keep_identity=keep_identity)
    dataset = _head(source, objects)
    dataset.ReferencedFrameOfReferenceSequence = [_frame_of_reference(source)]
    frame = str(source.first.FrameOfReferenceUID)
    dataset.StructureSetROISequence = [_region(number, thing, frame) for number, thing in enumerate(objects, start=1)]
    dataset.ROIContourSequence = [
        _contours(number, thing, volume, source) for number, thing in enumerate(objects, start=1)
    ]
    dataset.RTROIObservationsSequence = [_observation(number, thing) for number, thing in enumerate(objects, start=1)]
    return dataset


def _head(source: SourceSeries, objects: Sequence[MaskObject]) -> Dataset:
    """Patient, study, series, equipment and the structure set's own name."""
    dataset, now = Dataset(), datetime.now()
    for keyword in IDENTITY_TAGS:
        if keyword in source.first:
            dataset[keyword] = source.first[keyword]
    _fill(
        dataset,
        SpecificCharacterSet=CHARACTER_SET,
        SOPClassUID=RTStructureSetStorage,
        SOPInstanceUID=generate_uid(),
        InstanceCreationDate=now.strftime("%Y%m%d"),
        InstanceCreationTime=now.strftime("%H%M%S"),
        StudyInstanceUID=source.first.StudyInstanceUID,
        SeriesInstanceUID=generate_uid(),
        SeriesNumber=SERIES_OFFSET + max(0, int(source.first.get("SeriesNumber") or 0)),
        SeriesDescription=long_string(
            next((thing.algorithm.name for thing in objects if thing.algorithm), "Masks drawn by hand")
        ),
        Modality="RTSTRUCT",
        OperatorsName="",
        Manufacturer=MAKER,
        ManufacturerModelName=MAKER,
        SoftwareVersions=pqcomq.__version__,
        FrameOfReferenceUID=source.first.FrameOfReferenceUID,
        PositionReferenceIndicator=source.first.get("PositionReferenceIndicator"),
        InstanceNumber=1,
        StructureSetLabel="MASKS",
        StructureSetDescription="Research use only: not for diagnosis or treatment.",
        StructureSetDate=now.strftime("%Y%m%d"),
        StructureSetTime=now.strftime("%H%M%S"),
        ApprovalStatus="UNAPPROVED",
    )
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    return dataset


def _frame_of_reference(source: SourceSeries) -> Dataset:
    """The series whose images the contours lie on, image by image."""
    first = source.first
    series = _item(
        SeriesInstanceUID=first.SeriesInstanceUID,
        ContourImageSequence=[
            _item(ReferencedSOPClassUID=header.SOPClassUID, ReferencedSOPInstanceUID=header.SOPInstanceUID)
            for header in source.headers
        ],
    )
    study = _item(
        ReferencedSOPClassUID=_STUDY_COMPONENT,
        ReferencedSOPInstanceUID=first.StudyInstanceUID,
        RTReferencedSeriesSequence=[series],
    )
    return _item(FrameOfReferenceUID=first.FrameOfReferenceUID, RTReferencedStudySequence=[study])


def _region(number: int, thing: MaskObject, frame: str) -> Dataset:
    region = _item(
        ROINumber=number,
        ReferencedFrameOfReferenceUID=frame,
        ROIName=long_string(thing.name) or f"Object {number}",
        ROIGenerationAlgorithm=generation(thing),
    )
    if thing.algorithm is not None:
        region.ROIGenerationDescription = long_string(f"{thing.algorithm.name}, {MAKER} {thing.algorithm.version}")
    return region


def _observation(number: int, thing: MaskObject) -> Dataset:
    anatomy = coded_anatomy(thing.name)
    kind = _code(anatomy.kind)
    if anatomy.side is not None:
        kind.SegmentedPropertyTypeModifierCodeSequence = [_code(anatomy.side)]
    return _item(
        ObservationNumber=number,
        ReferencedROINumber=number,
        ROIObservationLabel=short_string(thing.name) or f"Object {number}",
        RTROIInterpretedType="ORGAN" if anatomy.category.meaning == "Anatomical Structure" else "",
        ROIInterpreter="",
        RTROIIdentificationCodeSequence=[kind],
    )


def _code(code: Any) -> Dataset:  # noqa: ANN401 (pydicom's Code, which mypy does not see)
    return _item(CodeValue=code.value, CodingSchemeDesignator=code.scheme_designator, CodeMeaning=code.meaning)


def _contours(number: int, thing: MaskObject, volume: Volume, source: SourceSeries) -> Dataset:
    """All contours of one object, slice by slice of the file."""
    on_file = sitk.GetArrayFromImage(volume.to_file_grid(thing.mask.astype(np.uint8)))  # (slice, row, column)
    items = []
    for index in np.flatnonzero(on_file.any(axis=(1, 2))).tolist():
        header_number, frame = source.places[index]
        header = source.headers[header_number]
        image = _item(ReferencedSOPClassUID=header.SOPClassUID, ReferencedSOPInstanceUID=header.SOPInstanceUID)
        if source.is_multiframe:
            image.ReferencedFrameNumber = frame + 1
        # The image's own, which may be rounded otherwise than the volume's grid.
        corner = np.array([float(v) for v in source.plane_position(index).ImagePositionPatient])
        for polygon in outlines(on_file[index] > 0):
            points = corner + _in_plane(volume.file_grid, polygon)  # (n, 3) LPS mm
            items.append(
                _item(
                    ContourImageSequence=[image],
                    ContourGeometricType="CLOSED_PLANAR",
                    NumberOfContourPoints=len(points),
                    ContourData=_decimals(points, volume.file_grid),
                )
            )
    colour = rgb_of(thing.colour or object_colour(number))
    return _item(ReferencedROINumber=number, ROIDisplayColor=list(colour), ContourSequence=items)


def _in_plane(grid: Grid, polygon: np.ndarray) -> np.ndarray:
    """Millimetres (n, 3) from a slice's first pixel to points (n, 2) of row and column numbers."""
    across, down = grid.axes[:, 0] * grid.spacing[0], grid.axes[:, 1] * grid.spacing[1]
    return np.outer(polygon[:, 1], across) + np.outer(polygon[:, 0], down)


def _decimals(points: np.ndarray, grid: Grid) -> list[str]:
    """Coordinates as decimal strings, to a thousandth of a pixel or finer."""
    places = max(3, 3 - math.floor(math.log10(min(grid.spacing))))
    return [f"{value:.{places}f}"[:LONGEST_DECIMAL] for value in points.ravel().tolist()]


def _item(**values: Any) -> Dataset:  # noqa: ANN401 (whatever DICOM fields hold)
    return _fill(Dataset(), **values)


def _fill(dataset: Dataset, **values: Any) -> Dataset:  # noqa: ANN401
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    return dataset
