"""Any mask to SEG, RTSTRUCT and polygons and back."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pqcomq.dicom_masks.contours import filled, outlines
from pqcomq.dicom_masks.mask_object import MaskObject
from pqcomq.dicom_masks.rtstruct_reader import read_structure_set
from pqcomq.dicom_masks.seg_reader import read_segmentation

from ..dicom_objects import write_segmentation, write_structure_set
from .conftest import SHAPE

MASKS = arrays(bool, SHAPE).filter(np.any)
NAMES = st.text(st.characters(codec="utf-8", categories=("L", "N")), min_size=1, max_size=12)
KINDS = [(write_segmentation, read_segmentation), (write_structure_set, read_structure_set)]


@pytest.mark.parametrize(("write", "read"), KINDS, ids=["SEG", "RTSTRUCT"])
@settings(max_examples=12)
@given(first=MASKS, second=MASKS, name=NAMES)
def test_any_two_masks_come_back_voxel_by_voxel_even_where_they_overlap(axial, write, read, first, second, name):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "m.dcm"
        write(path, [MaskObject(name, first), MaskObject(f"{name} 2", second)], axial)
        found = read(path, axial)
    assert found.names == {1: name, 2: f"{name} 2"}
    np.testing.assert_array_equal(found.mask(1), first)
    np.testing.assert_array_equal(found.mask(2), second)


@given(st.tuples(st.integers(1, 14), st.integers(1, 14)).flatmap(lambda shape: arrays(bool, shape)))
def test_any_slice_comes_back_from_its_outlines(mask):
    np.testing.assert_array_equal(filled(outlines(mask), mask.shape), mask)
