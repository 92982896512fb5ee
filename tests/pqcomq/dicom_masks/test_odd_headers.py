"""Series whose headers hold what the standard does not allow: masks on them are written, or refused in one sentence."""

from __future__ import annotations

import warnings

import numpy as np
import pydicom
import pytest
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.tag import Tag

from pqcomq.dicom_masks.mask_object import MaskObject
from pqcomq.dicom_masks.referenced_series import IDENTITY_TAGS, REFERENCE_TAGS
from pqcomq.errors import InputError
from pqcomq.volumes.volume_reader import read_volume

from ..dicom_objects import write_segmentation, write_structure_set

ODD = (b"Kunigunde ", b"1.5\\Kunigunde", b"1e400 ", b"9" * 90)
TAGS = [each for each in {*REFERENCE_TAGS, *IDENTITY_TAGS} if dictionary_VR(tag_for_keyword(each)) not in ("SQ", "US")]


def with_value(folder, keyword, value):
    """The same series, in each file one value as bytes."""
    tag = Tag(tag_for_keyword(keyword))
    for path in folder.iterdir():
        dataset = pydicom.dcmread(path)
        dataset._dict[tag] = RawDataElement(tag, dictionary_VR(tag), len(value), value, 0, False, True)
        dataset.save_as(path)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")  # of pydicom, on what is tried here
@pytest.mark.parametrize("keyword", sorted(TAGS))
def test_no_odd_value_ends_in_an_error_of_a_library(make_series, tmp_path, keyword):
    for number, value in enumerate(ODD):
        folder = make_series(folder=f"series{number}")
        with_value(folder, keyword, value)
        try:
            volume = read_volume(folder)
        except InputError:  # no slice could be placed
            continue
        objects = [MaskObject("liver", np.ones(volume.grid.shape_zyx, bool))]
        for write in (write_segmentation, write_structure_set):
            for keep in (False, True):
                path = tmp_path / f"{number}{write.__name__}{keep}.dcm"
                try:
                    write(path, objects, volume, keep_identity=keep)
                except InputError as refused:
                    assert "\n" not in str(refused)
                    assert b"Kunigunde" not in str(refused).encode()


@pytest.mark.parametrize("thickness", [None, "", "5mm"])
def test_a_series_without_thickness_gets_that_of_slices_without_gaps(make_series, tmp_path, thickness):
    folder = make_series(SliceThickness=None)
    if thickness is not None:
        with_value(folder, "SliceThickness", thickness.encode())
    volume = read_volume(folder)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        write_segmentation(tmp_path / "s.dcm", [MaskObject("liver", np.ones(volume.grid.shape_zyx, bool))], volume)
    measures = pydicom.dcmread(tmp_path / "s.dcm").SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
    assert measures.SliceThickness == 2.5


def test_a_year_of_birth_and_another_sex_are_left_empty_and_the_name_is_kept(make_series, tmp_path):
    folder = make_series()
    with_value(folder, "PatientBirthDate", b"1933")
    with_value(folder, "PatientSex", b"U ")
    volume = read_volume(folder)
    objects = [MaskObject("liver", np.ones(volume.grid.shape_zyx, bool))]
    write_segmentation(tmp_path / "s.dcm", objects, volume, keep_identity=True)
    written = pydicom.dcmread(tmp_path / "s.dcm")
    assert (written.PatientBirthDate, written.PatientSex) == ("", "")
    assert str(written.PatientName) == "Zwetschge^Kunigunde"


def test_a_private_kind_of_image_is_told(make_series, tmp_path):
    folder = make_series()
    with_value(folder, "SOPClassUID", b"1.3.12.2.1107.5.9.1\0")
    volume = read_volume(folder)
    objects = [MaskObject("liver", np.ones(volume.grid.shape_zyx, bool))]
    with pytest.raises(InputError, match=r"to which no SEG can refer; export it as RTSTRUCT"):
        write_segmentation(tmp_path / "s.dcm", objects, volume)
    write_structure_set(tmp_path / "r.dcm", objects, volume)
