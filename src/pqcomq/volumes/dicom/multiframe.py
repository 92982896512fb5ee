"""The planes of a multi-frame file: each frame has its own place, scale and time in the functional groups."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pydicom.dataset import Dataset

from pqcomq.errors import InputError
from pqcomq.volumes.dicom.elements import number, numbers, text
from pqcomq.volumes.dicom.file_discovery import DicomFile
from pqcomq.volumes.dicom.frame_offsets import missing_places, placed_frames
from pqcomq.volumes.dicom.headers import MARKS, MOST_FRAMES, Header, PlaneHeader, Repeated, is_picture, plane_header
from pqcomq.volumes.dicom.pixels.pixel_format import LOST_SLOPE, NO_INTERCEPT, NO_SLOPE, Scale, unit_notes

_MARKS_IN_FRAMES = {
    "TemporalPositionIdentifier": ("FrameContentSequence", "TemporalPositionIndex"),
    "AcquisitionNumber": ("FrameContentSequence", "FrameAcquisitionNumber"),
    "EchoTime": ("MREchoSequence", "EffectiveEchoTime"),
    "DiffusionBValue": ("MRDiffusionSequence", "DiffusionBValue"),
    "TriggerTime": ("CardiacSynchronizationSequence", "NominalCardiacTriggerDelayTime"),
    "InversionTime": ("MRModifierSequence", "InversionTimes"),
    "FlipAngle": ("MRTimingAndRelatedParametersSequence", "FlipAngle"),
    "KVP": ("CTXRayDetailsSequence", "KVP"),
    "ConvolutionKernel": ("CTReconstructionSequence", "ConvolutionKernel"),
    "ImageType": ("MRImageFrameTypeSequence", "FrameType"),
    "AcquisitionTime": ("FrameContentSequence", "FrameAcquisitionDateTime"),
    "ContentTime": ("FrameContentSequence", "FrameReferenceDateTime"),
}
"""Where a frame states what a single-frame file states in a tag of its own."""

OTHER_SCALE = "The frames have rescale slopes and intercepts of their own, which are used, and not the file's."


def planes_of(file: DicomFile, header: Header, repeated: Repeated) -> list[PlaneHeader]:
    """The image planes that a header describes: none, one, or one a frame.

    Raises:
        InputError: it has other frames than it describes.
    """
    dataset = header.dataset
    if not is_picture(dataset):
        return []
    first = plane_header(file, header, repeated)
    groups = list(dataset.get("PerFrameFunctionalGroupsSequence") or [])
    if not groups and first.frames == 1:
        return [first]
    if not groups:
        told = "is a multi-frame image that does not say where each frame lies, so it is no volume: "
        told += missing_places(first, dataset)
        return placed_frames(first, dataset) or [replace(first, refusal=first.refusal or told)]
    if len(groups) != first.frames:
        raise InputError(f"The file is damaged: it has {first.frames} frames but describes {len(groups)}.", file)
    shared = next(iter(dataset.get("SharedFunctionalGroupsSequence") or []), Dataset())
    own = [number(dataset, keyword) for keyword in ("RescaleSlope", "RescaleIntercept")]
    planes = [_frame(first, index, (group, shared)) for index, group in enumerate(groups)]
    stated = Scale(1.0 if own[0] is None else own[0], own[1] or 0.0)
    if own != [None, None] and any(plane.scale not in (None, stated) for plane in planes):
        planes = [replace(plane, storage=plane.storage.noting(OTHER_SCALE)) for plane in planes]
    return planes


def _frame(first: PlaneHeader, index: int, groups: tuple[Dataset, Dataset]) -> PlaneHeader:
    """The plane of one frame; what a frame does not say, all frames share."""

    def value(sequence: str, keyword: str, count: int) -> tuple[float, ...] | None:
        found = (numbers(item, keyword, count) for item in _items(groups, sequence))
        return next((v for v in found if v is not None), None)

    def mark(keyword: str) -> Any:  # noqa: ANN401 (whatever the tag holds)
        sequence, inner = _MARKS_IN_FRAMES.get(keyword, ("FrameContentSequence", keyword))
        return next((text(item, inner) for item in _items(groups, sequence) if text(item, inner)), None)

    thickness = value("PixelMeasuresSequence", "SliceThickness", 1)
    slope = value("PixelValueTransformationSequence", "RescaleSlope", 1)
    intercept = value("PixelValueTransformationSequence", "RescaleIntercept", 1)
    scale, storage = None, first.storage  # without a scale of its own a frame has the file's
    if slope or intercept:
        scale = Scale((slope or (1.0,))[0], (intercept or (0.0,))[0])
        if scale.slope == 0:
            scale, storage = Scale(1.0, scale.intercept), storage.noting(NO_SLOPE)
        if slope is None and scale.intercept:
            storage = storage.noting(LOST_SLOPE)
    if intercept:
        storage = storage.without(NO_INTERCEPT)
    units = (text(item, "RescaleType") for item in _items(groups, "PixelValueTransformationSequence"))
    for note in unit_notes(first.series.modality, next(units, "")):
        storage = storage.noting(note)
    return replace(
        first,
        frame=index,
        instance_uid=f"{first.instance_uid}#{index}",
        instance_number=(first.instance_number or 0) * MOST_FRAMES + index,
        position=value("PlanePositionSequence", "ImagePositionPatient", 3) or first.position,
        orientation=value("PlaneOrientationSequence", "ImageOrientationPatient", 6) or first.orientation,
        pixel_spacing=value("PixelMeasuresSequence", "PixelSpacing", 2) or first.pixel_spacing,
        thickness=first.thickness if thickness is None else thickness[0],
        scale=scale,
        storage=storage,
        marks=tuple(mark(keyword) for keyword in MARKS),
    )


def _items(groups: tuple[Dataset, Dataset], sequence: str) -> list[Dataset]:
    return [item for group in groups for item in group.get(sequence) or []]
