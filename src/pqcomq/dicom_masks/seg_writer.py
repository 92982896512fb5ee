"""A DICOM segmentation (SEG) of a series, by highdicom.

Binary and uncompressed, which every viewer reads; one segment an object, numbered from 1 in the order given, since
binary segmentations number their segments without gaps. Frames take position, orientation and spacing from the source
images themselves, so that no rounding comes in.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import highdicom
import numpy as np
import SimpleITK as sitk
from highdicom import AlgorithmIdentificationSequence, PlanePositionSequence
from highdicom.color import CIELabColor
from highdicom.seg import Segmentation, SegmentDescription
from highdicom.sr.coding import CodedConcept
from pydicom.sequence import Sequence as Items
from pydicom.sr.codedict import codes
from pydicom.uid import UID, ExplicitVRLittleEndian

import pqcomq
from pqcomq.dicom_masks.attributes import CHARACTER_SET, MAKER, SERIES_OFFSET, generation, long_string
from pqcomq.dicom_masks.mask_object import MaskObject, check_not_empty
from pqcomq.dicom_masks.referenced_series import SourceSeries, source_series
from pqcomq.dicom_masks.snomed_anatomy import coded_anatomy
from pqcomq.errors import InputError
from pqcomq.object_colours import object_colour, rgb_of
from pqcomq.volumes.volume import Volume

NO_SERIAL_NUMBER = "none"
"""Software has none, but the standard asks for a text."""


def segmentation(objects: Sequence[MaskObject], volume: Volume, *, keep_identity: bool) -> Segmentation:
    """Make a segmentation of objects.

    Args:
        objects: one or more, of which one has a voxel at least; they may overlap.
        volume: that they lie on, read from DICOM.
        keep_identity: take the patient's and the study's data along.

    Raises:
        InputError: the volume is not made of DICOM images, or the objects are empty.
    """
    check_not_empty(objects)
    source = source_series(volume, keep_identity=keep_identity)
    if UID(source.first.SOPClassUID).type != "SOP Class":
        raise InputError(
            f"{volume.name} is made of images of a private or unknown kind, to which no SEG can refer; export it as "
            "RTSTRUCT, NIfTI, NRRD or MHA."
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of values in the source that were good enough to show it
        return _segmentation(objects, volume, source)


def _segmentation(objects: Sequence[MaskObject], volume: Volume, source: SourceSeries) -> Segmentation:
    pixels = _frames(objects, volume)
    positions = None
    if source.is_multiframe:
        if len(source.headers) > 1:
            raise InputError(f"{volume.name} is spread over several multi-frame files, which a SEG cannot refer to.")
        items = (source.plane_position(index) for index in range(len(source.places)))
        positions = [PlanePositionSequence.from_sequence(Items([item])) for item in items]
    return Segmentation(
        source_images=source.headers,
        pixel_array=pixels,
        segmentation_type="BINARY",
        segment_descriptions=[_description(number, thing) for number, thing in enumerate(objects, start=1)],
        series_instance_uid=highdicom.UID(),
        series_number=SERIES_OFFSET + max(0, int(source.first.get("SeriesNumber") or 0)),
        sop_instance_uid=highdicom.UID(),
        instance_number=1,
        manufacturer=MAKER,
        manufacturer_model_name=MAKER,
        software_versions=pqcomq.__version__,
        device_serial_number=NO_SERIAL_NUMBER,
        transfer_syntax_uid=ExplicitVRLittleEndian,
        plane_positions=positions,
        specific_character_set=CHARACTER_SET,
        content_label="MASKS",
        content_description="Research use only: not for diagnosis or treatment.",
        series_description=long_string(next((t.algorithm.name for t in objects if t.algorithm), "Masks drawn by hand")),
    )


def _frames(objects: Sequence[MaskObject], volume: Volume) -> np.ndarray:
    """The objects by the file's slices: (slice, row, column) numbered from 1; with a channel each if they overlap."""
    kind = np.uint8 if len(objects) <= np.iinfo(np.uint8).max else np.uint16
    numbered = np.zeros(volume.grid.shape_zyx, kind)
    for number, thing in enumerate(objects, start=1):
        if (numbered[thing.mask] > 0).any():
            return np.stack([_on_file(each.mask.astype(np.uint8), volume) for each in objects], axis=-1)
        numbered[thing.mask] = number
    return _on_file(numbered, volume)


def _on_file(labels: np.ndarray, volume: Volume) -> np.ndarray:
    placed: np.ndarray = sitk.GetArrayFromImage(volume.to_file_grid(labels))
    return placed


def _description(number: int, thing: MaskObject) -> SegmentDescription:
    anatomy = coded_anatomy(thing.name)
    described = SegmentDescription(
        segment_number=number,
        segment_label=long_string(thing.name) or f"Object {number}",
        segmented_property_category=anatomy.category,
        segmented_property_type=anatomy.kind,
        algorithm_type=generation(thing),
        algorithm_identification=_algorithm(thing),
        tracking_uid=highdicom.UID(),
        tracking_id=long_string(thing.name) or f"Object {number}",
        display_color=CIELabColor.from_rgb(*rgb_of(thing.colour or object_colour(number))),
    )
    if anatomy.side is not None:
        kind = described.SegmentedPropertyTypeCodeSequence[0]
        kind.SegmentedPropertyTypeModifierCodeSequence = [CodedConcept.from_code(anatomy.side)]
    return described


def _algorithm(thing: MaskObject) -> AlgorithmIdentificationSequence | None:
    if thing.algorithm is None:
        return None
    return AlgorithmIdentificationSequence(
        name=long_string(thing.algorithm.name),
        family=codes.CID7162.ArtificialIntelligence,
        version=long_string(thing.algorithm.version),
        source=MAKER,
        parameters=dict(thing.algorithm.parameters),
    )
