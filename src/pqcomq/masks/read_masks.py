"""Reading labels for a volume from any kind of file that holds masks."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from pqcomq.dicom_masks.label_box import LabelBox, LabelMapBuilder, Part
from pqcomq.dicom_masks.mask_object import LabelledObjects
from pqcomq.dicom_masks.object_loading import (
    SEGMENTATION,
    STRUCTURE_SET,
    object_header,
    object_kind,
    with_pydicom_errors,
)
from pqcomq.dicom_masks.rtstruct_reader import read_structure_set, region_names
from pqcomq.dicom_masks.seg_reader import read_segmentation, segment_names
from pqcomq.volumes.import_issues import Remedy
from pqcomq.volumes.labels.label_maps import LabelFile, read_label_file
from pqcomq.volumes.labels.labels_present import labels_present
from pqcomq.volumes.labels.slicer_segmentation import Segment, is_slicer_segmentation, segments_of
from pqcomq.volumes.nrrd_metaimage.nrrd_metaimage_reader import picture_header
from pqcomq.volumes.volume import Volume


def read_masks(
    path: Path,
    volume: Volume,
    only: Collection[int] | None = None,
    part: int | None = None,
    remedies: Collection[Remedy] = (),
) -> LabelledObjects:
    """Read labels that lie on a volume's voxels.

    Args:
        path: a DICOM segmentation or structure set, or a label map of any kind that :func:`read_label_file` takes.
        volume: that they belong to.
        only: labels to read, by their numbers; all by default.
        part: which volume of a label map that holds several, counted from 1.
        remedies: ``"resample"`` to take the nearest label where a label map's voxels are not the volume's.

    Returns:
        The objects; those of a label map are named by their numbers unless it names them itself.

    Raises:
        PartChoiceNeeded, RemedyNeeded: as :func:`read_label_file` does.
        InputError: the file is none of these, is damaged, lies elsewhere, or is a DICOM object and lacks one asked for;
            a label map has each label whose number it shows nowhere, with no voxel.
    """
    path = Path(path)
    kind = object_kind(path)
    if kind == SEGMENTATION:
        return read_segmentation(path, volume, only)
    if kind == STRUCTURE_SET:
        return read_structure_set(path, volume, only)
    return _labelled(read_label_file(path, volume, part, remedies), only, path)


def names_in(path: Path) -> dict[int, str] | None:
    """Number and name of each object that a file describes, from its header; None where it describes none.

    Args:
        path: as :func:`read_masks`'.

    Raises:
        InputError: the file is damaged, or not there.
    """
    path = Path(path)
    kind = object_kind(path)
    if kind is not None:
        with with_pydicom_errors(path):
            return (segment_names if kind == SEGMENTATION else region_names)(object_header(path), path)
    if not is_slicer_segmentation(path):
        return None
    layers, fields = picture_header(path)
    return {each.number: each.name for each in segments_of(fields, layers)} or None


def _labelled(file: LabelFile, only: Collection[int] | None, path: Path) -> LabelledObjects:
    """The objects of a label file; several layers, or segments that it names, are numbered anew in their order."""
    notes = tuple(map(str, file.findings))
    if not file.segments and len(file.layers) == 1:
        (labels,) = file.layers
        present = [number for number in labels_present(labels) if only is None or number in only]
        return LabelledObjects((LabelBox.of(labels),), {number: f"label {number}" for number in present}, notes)
    segments = file.segments or tuple(_unnamed(file))
    chosen = [each for each in segments if (only is None or each.number in only) and each.layer < len(file.layers)]
    depth, rows, columns = file.layers[0].shape
    shape = (depth, rows, columns)
    builder = LabelMapBuilder(shape, max((each.number for each in chosen), default=1), path)
    for each in chosen:
        part = Part.at((slice(None),) * 3, file.layers[each.layer] == each.value, shape)
        builder.add(each.number, [] if part is None else [part])
    notes += _undescribed(file)
    colours = {each.number: each.colour for each in chosen if each.colour is not None}
    return LabelledObjects(builder.maps(), {each.number: each.name for each in chosen}, notes, colours)


def _undescribed(file: LabelFile) -> tuple[str, ...]:
    """A note of what lies in a file and is none of the segments that it names."""
    if not file.segments:
        return ()
    described = {(each.layer, each.value) for each in file.segments}
    left_out = sorted(
        {
            (layer, value)
            for layer, labels in enumerate(file.layers)
            for value in labels_present(labels)
            if (layer, value) not in described
        }
    )
    listed = ", ".join(f"{value} in layer {layer + 1}" for layer, value in left_out)
    return (f"Labels that the file holds and does not describe were left out: {listed}.",) if left_out else ()


def _unnamed(file: LabelFile) -> Iterator[Segment]:
    """A segment for each label of each layer."""
    number = 0
    for layer, labels in enumerate(file.layers):
        for value in labels_present(labels):
            number += 1
            yield Segment(number, layer, value, f"layer {layer + 1}, label {value}")
