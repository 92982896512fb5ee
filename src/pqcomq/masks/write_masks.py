"""Writing masks as any kind of file, with the record of how they were made beside it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from pqcomq.atomic_files import check_target, replacing, together
from pqcomq.dicom_masks.rtstruct_writer import structure_set
from pqcomq.dicom_masks.seg_writer import segmentation
from pqcomq.errors import InputError
from pqcomq.masks.file_formats import MaskKind, mask_kind, sidecar
from pqcomq.masks.named_mask import NamedMask
from pqcomq.masks.provenance import provenance
from pqcomq.object_colours import object_colour, rgb_of
from pqcomq.staging import Staging
from pqcomq.volumes.labels.label_writer import mask_image, save_image
from pqcomq.volumes.labels.slicer_segmentation import is_slicer_segmentation, segment_fields
from pqcomq.volumes.volume import Volume

MOST_LABEL = 65535
"""The greatest number that a mask has in a file that holds one label a voxel."""


def check_mask_targets(path: Path, *, overwrite: bool) -> list[Path]:
    """Check before any long computation that a mask and its record can be written.

    Returns:
        The two files to be.

    Raises:
        InputError: the name has no known ending, a file exists and may not be replaced, or the folder cannot be
            written.
    """
    targets = [path, sidecar(path)]
    for target in targets:
        check_target(target, overwrite=overwrite)
    return targets


def export_masks(
    path: Path,
    masks: Mapping[int, NamedMask],
    volume: Volume,
    *,
    with_patient: bool = False,
    overwrite: bool = False,
) -> list[Path]:
    """Write masks and their record.

    Args:
        path: its ending tells the kind of file (:mod:`pqcomq.masks.file_formats`).
        masks: by label, from 1; DICOM objects number theirs from 1 without gaps, in the order of the labels.
        volume: that they lie on.
        with_patient: put the patient's and the study's data into a DICOM object and the record.
        overwrite: replace existing files.

    Returns:
        The mask's file and the record's.

    Raises:
        InputError: nothing to write, a file exists or cannot be written, masks overlap in a file that holds one label
            a voxel, or the volume is not made of DICOM images that an object could refer to.
    """
    if not masks:
        raise InputError("The file was not written: there is no mask.", path)
    targets = [path, sidecar(path)] if _in_a_set(path) else check_mask_targets(path, overwrite=overwrite)
    # DICOM numbers anew, and the colour is that of the number that the user knows.
    ordered = {number: _coloured(number, masks[number]) for number in sorted(masks)}
    if not mask_kind(path).is_dicom and not 0 < min(masks) <= max(masks) <= MOST_LABEL:
        raise InputError(f"The file was not written: labels are numbered from 1 to {MOST_LABEL}.", path)
    if mask_kind(path).is_dicom:
        ordered = dict(enumerate(ordered.values(), start=1))
    save = _saver(path, ordered, volume, with_patient=with_patient)
    with together(path.parent):  # neither exists without the other
        with replacing(path, overwrite=overwrite) as partial:
            save(partial)
            record = provenance(path, partial, ordered, volume, with_patient=with_patient)
        with replacing(targets[1], overwrite=overwrite) as partial:
            partial.write_text(json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False) + "\n", "utf-8")
    return targets


def _coloured(number: int, named: NamedMask) -> NamedMask:
    return named if named.colour is not None else replace(named, colour=object_colour(number))


def _in_a_set(path: Path) -> bool:
    """Whether a file is written with others, into a folder that may still have to be made."""
    of_set = Staging.current()
    return of_set is not None and of_set.holds(path)


def _saver(
    path: Path, masks: Mapping[int, NamedMask], volume: Volume, *, with_patient: bool
) -> Callable[[Path], object]:
    """A function that saves the masks under a given name; all checks are made before it is returned."""
    kind = mask_kind(path)
    if not kind.is_dicom:
        image = mask_image(_label_map(masks), volume)
        if is_slicer_segmentation(path):
            named = {number: (each.name, rgb_of(str(each.colour))) for number, each in masks.items()}
            for field, text in segment_fields(named, image.GetSize()).items():
                image.SetMetaData(field, text)
        return lambda partial: save_image(image, partial, path)
    make = structure_set if kind is MaskKind.structure_set else segmentation
    dataset = make([mask.as_object() for mask in masks.values()], volume, keep_identity=with_patient)
    return lambda partial: dataset.save_as(partial, enforce_file_format=True)


def _label_map(masks: Mapping[int, NamedMask]) -> np.ndarray:
    """One array (z, y, x) of labels.

    Raises:
        InputError: two masks share a voxel.
    """
    shape = next(iter(masks.values())).mask.shape
    labels = np.zeros(shape, np.uint8 if max(masks) <= np.iinfo(np.uint8).max else np.uint16)
    for number, named in masks.items():
        if (taken := labels[named.mask]).any():
            other = masks[int(taken.max())].name
            raise InputError(
                f"The masks '{other}' and '{named.name}' overlap, which this kind of file cannot hold; "
                "write a DICOM segmentation or structure set, or one file each."
            )
        labels[named.mask] = number
    return labels
