"""Reading labels for a volume from any kind of file that holds masks."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import numpy as np

from pqcomq.dicom_masks.mask_object import LabelledObjects
from pqcomq.dicom_masks.object_loading import SEGMENTATION, STRUCTURE_SET, object_kind
from pqcomq.dicom_masks.rtstruct_reader import read_structure_set
from pqcomq.dicom_masks.seg_reader import read_segmentation
from pqcomq.volumes.labels import read_labels
from pqcomq.volumes.volume import Volume


def read_masks(path: Path, volume: Volume, only: Collection[int] | None = None) -> LabelledObjects:
    """Read labels that lie on a volume's voxels.

    Args:
        path: a DICOM segmentation or structure set, or a label map of any kind that :func:`read_labels` takes.
        volume: that they belong to.
        only: labels to read, by their numbers; all by default.

    Returns:
        The objects; those of a label map are named by their numbers.

    Raises:
        InputError: the file is none of these, is damaged, lies elsewhere, or lacks an object asked for.
    """
    path = Path(path)
    kind = object_kind(path)
    if kind == SEGMENTATION:
        return read_segmentation(path, volume, only)
    if kind == STRUCTURE_SET:
        return read_structure_set(path, volume, only)
    labels = read_labels(path, volume)
    present = [number for number in np.unique(labels).tolist() if number and (only is None or number in only)]
    names = {number: f"label {number}" for number in present}
    return LabelledObjects((labels,), names)
