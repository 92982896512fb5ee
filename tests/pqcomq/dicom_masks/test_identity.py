"""No patient in any object unless asked for, and all of the patient when asked."""

from __future__ import annotations

import logging

import numpy as np
import pydicom
import pytest

from pqcomq.dicom_masks.mask_object import MaskObject
from pqcomq.dicom_masks.referenced_series import IDENTITY_TAGS
from pqcomq.errors import InputError
from pqcomq.volumes.volume_reader import read_volume

from ..dicom_objects import write_segmentation, write_structure_set
from .conftest import SECRETS

WRITERS = {"SEG": write_segmentation, "RTSTRUCT": write_structure_set}


@pytest.fixture(params=["series", "enhanced"])
def volume(request, make_series, enhanced):
    return read_volume(enhanced if request.param == "enhanced" else make_series())


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
def test_nothing_of_the_patient_by_default(volume, write, tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    mask = np.ones(volume.grid.shape_zyx, bool)
    write(tmp_path / "m.dcm", [MaskObject("liver", mask)], volume)
    written = (tmp_path / "m.dcm").read_bytes() + caplog.text.encode()
    found = [keyword for keyword, secret in SECRETS.items() if len(secret) > 1 and secret.encode() in written]
    assert not found
    assert b"Zwetschge" not in written
    dataset = pydicom.dcmread(tmp_path / "m.dcm")
    assert dataset.PatientIdentityRemoved == "YES"
    assert dataset.PatientSex == ""  # one letter cannot be searched for


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
def test_all_that_an_archive_asks_for_when_told(volume, write, tmp_path):
    mask = np.ones(volume.grid.shape_zyx, bool)
    write(tmp_path / "m.dcm", [MaskObject("liver", mask)], volume, keep_identity=True)
    dataset, source = pydicom.dcmread(tmp_path / "m.dcm"), pydicom.dcmread(volume.planes[0].path)
    kept = [keyword for keyword in IDENTITY_TAGS if keyword in source and keyword != "SpecificCharacterSet"]
    assert {"PatientName", "PatientID", "StudyDate", "AccessionNumber"} <= set(kept)
    for keyword in kept:
        assert dataset.get(keyword) == source.get(keyword), keyword
    assert "PatientIdentityRemoved" not in dataset
    assert "PatientComments" not in dataset  # free text is of no use to an archive


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
def test_names_in_other_alphabets_stay_whole(make_series, write, tmp_path):
    volume = read_volume(make_series(SpecificCharacterSet="ISO_IR 100", PatientName="Müller^Jörg"))
    write(tmp_path / "m.dcm", [MaskObject("肝", np.ones(volume.grid.shape_zyx, bool))], volume, keep_identity=True)
    assert str(pydicom.dcmread(tmp_path / "m.dcm").PatientName) == "Müller^Jörg"


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
def test_no_patient_is_named_where_images_are_of_several(make_series, write, tmp_path):
    """Files change after a volume was read; what is read as one volume is one patient's."""
    volume = read_volume(make_series())
    image = pydicom.dcmread(volume.planes[-1].path)
    image.PatientID = "PID-4712"
    image.save_as(volume.planes[-1].path)
    things = [MaskObject("liver", np.ones(volume.grid.shape_zyx, bool))]
    with pytest.raises(InputError, match="are of several patients, so none can be named"):
        write(tmp_path / "m.dcm", things, volume, keep_identity=True)
    write(tmp_path / "m.dcm", things, volume)
    assert pydicom.dcmread(tmp_path / "m.dcm").PatientIdentityRemoved == "YES"
