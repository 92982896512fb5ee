"""An object's colour is that of its number in every kind of file that can tell one."""

from __future__ import annotations

import numpy as np
import pydicom
import pytest
from highdicom.color import CIELabColor
from skimage.color import rgb2lab

from pqcomq.masks.named_mask import NamedMask
from pqcomq.masks.read_masks import read_masks
from pqcomq.masks.write_masks import export_masks
from pqcomq.object_colours import hex_of, object_colour, rgb_of

NUMBERS = (1, 3, 7)


@pytest.fixture
def masks(axial):
    """Objects 1, 3 and 7; those between were removed."""
    place = np.arange(axial.voxels.size).reshape(axial.voxels.shape) % 9
    return {number: NamedMask(f"object {number}", place == number) for number in NUMBERS}


def test_a_segmentation_s_colours_are_those_of_the_numbers(axial, masks, tmp_path):
    path = tmp_path / "masks.dcm"
    export_masks(path, masks, axial)
    segments = pydicom.dcmread(path).SegmentSequence
    assert [int(each.SegmentNumber) for each in segments] == [1, 2, 3], "DICOM numbers without gaps"
    for number, segment in zip(NUMBERS, segments, strict=True):
        found = CIELabColor.from_dicom_value(tuple(segment.RecommendedDisplayCIELabValue))
        wanted = np.array(rgb_of(object_colour(number)), dtype=float) / 255
        expected = rgb2lab(wanted.reshape(1, 1, 3))[0, 0]  # scikit-image, as a second opinion
        assert np.linalg.norm(np.array(found.lab) - expected) < 3, "no difference that an eye would see"
        np.testing.assert_allclose(found.to_rgb(), rgb_of(object_colour(number)), atol=1)


def test_a_structure_set_s_colours_are_those_of_the_numbers(axial, masks, tmp_path):
    path = tmp_path / "masks.rtstruct.dcm"
    export_masks(path, masks, axial)
    contours = pydicom.dcmread(path).ROIContourSequence
    assert [tuple(map(int, each.ROIDisplayColor)) for each in contours] == [rgb_of(object_colour(n)) for n in NUMBERS]


def test_a_slicer_segmentation_tells_names_and_colours(axial, masks, tmp_path):
    path = tmp_path / "masks.seg.nrrd"
    export_masks(path, masks, axial)
    read = read_masks(path, axial)
    assert dict(read.names) == {place: f"object {number}" for place, number in enumerate(NUMBERS, 1)}
    assert [hex_of(read.colours[place]) for place in (1, 2, 3)] == [object_colour(number) for number in NUMBERS]
    for place, number in enumerate(NUMBERS, 1):
        np.testing.assert_array_equal(read.mask(place), masks[number].mask)


@pytest.mark.parametrize("name", [r"a\nb", r"lobe\left", "\\", r"c:\\new", "ä:=b"])
def test_a_slicer_segmentation_gives_names_back_to_the_letter(axial, masks, tmp_path, name):
    path = tmp_path / "masks.seg.nrrd"
    export_masks(path, {1: NamedMask(name, masks[1].mask)}, axial)
    assert read_masks(path, axial).names == {1: name}


def test_a_colour_that_a_file_gave_is_kept(axial, masks, tmp_path):
    path = tmp_path / "masks.rtstruct.dcm"
    export_masks(path, {1: NamedMask("liver", masks[1].mask, colour="#102030")}, axial)
    (contours,) = pydicom.dcmread(path).ROIContourSequence
    assert tuple(map(int, contours.ROIDisplayColor)) == (16, 32, 48)
