"""DICOM segmentations and structure sets as files, without the record that an export puts beside them."""

from __future__ import annotations

from pqcomq.dicom_masks.rtstruct_writer import structure_set
from pqcomq.dicom_masks.seg_writer import segmentation


def write_segmentation(path, objects, volume, *, keep_identity=False):
    segmentation(objects, volume, keep_identity=keep_identity).save_as(path, enforce_file_format=True)


def write_structure_set(path, objects, volume, *, keep_identity=False):
    structure_set(objects, volume, keep_identity=keep_identity).save_as(path, enforce_file_format=True)
