"""Masks out of the command line and in again, as a user types it, on a patient's DICOM series."""

from __future__ import annotations

import json

import numpy as np
import pydicom
import pytest
from pydicom.uid import generate_uid

from pqcomq.masks.named_mask import NamedMask
from pqcomq.masks.read_masks import read_masks
from pqcomq.masks.write_masks import export_masks
from pqcomq.volumes.volume_reader import read_volume

from ..dicom_masks.conftest import SECRETS, image_header

BOX = ["45", "25", "1", "76", "56", "2"]


@pytest.fixture
def series(phantom, tmp_path):
    """The phantom as a hospital would hand it over."""
    shared = {name: generate_uid() for name in ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID")}
    folder = tmp_path / "series"
    folder.mkdir()
    for z, plane in enumerate(phantom.voxels):
        image_header(
            **shared, Rows=96, Columns=96, PixelSpacing=[2, 2], SliceThickness=5, InstanceNumber=z + 1,
            ImagePositionPatient=[0, 0, 5 * z], ImageOrientationPatient=[1, 0, 0, 0, 1, 0], PixelData=plane.tobytes(),
        ).save_as(folder / f"IM{z}", enforce_file_format=True)  # fmt: skip
    return folder


@pytest.mark.parametrize("ending", [".nrrd", ".dcm", ".rtstruct.dcm"])
def test_segment_writes_every_kind_with_its_record(run, series, saved, tmp_path, ending):
    out = tmp_path / f"mask{ending}"
    arguments = ["segment", series, "--weights", saved, "--box", *BOX, "--out", out, "--name", "right kidney"]
    status, text, _ = run(*arguments)
    assert status == 0
    assert f"wrote {out}" in text
    (described,) = json.loads((tmp_path / "mask.json").read_text())["objects"]
    assert described["name"] == "right kidney"
    assert described["origin"]["quantization"]["settings"]["bits"] == 4
    assert described["origin"]["window"] == {"level": 40, "width": 400}
    assert described["voxels"] > 100
    content = out.read_bytes() + (tmp_path / "mask.json").read_bytes() + text.encode()
    assert not any(secret.encode() in content for secret in SECRETS.values() if len(secret) > 1)
    if ending.endswith("dcm"):
        assert read_masks(out, read_volume(series)).mask(1).sum() == described["voxels"]


@pytest.mark.slow
def test_with_patient_the_object_is_the_patient_s(run, series, tmp_path):
    out = tmp_path / "mask.dcm"
    arguments = ["--model", "lite-medsam", "--box", *BOX, "--out", out, "--with-patient", "--json"]
    status, text, _ = run("segment", series, *arguments)
    assert status == 0
    assert str(pydicom.dcmread(out).PatientName) == SECRETS["PatientName"]
    assert json.loads((tmp_path / "mask.json").read_text())["patient"]["PatientID"] == SECRETS["PatientID"]
    assert json.loads(text)["record"] == str(tmp_path / "mask.json")


def test_compare_writes_both_masks_when_asked(run, series, saved, tmp_path):
    out = tmp_path / "out"
    arguments = ["--weights", saved, "--box", *BOX, "--out", out, "--name", "liver\udcff"]
    assert run("compare", series, *arguments, "--masks", ".dcm")[0] == 0
    volume = read_volume(series)
    masks = [read_masks(out / f"{side}.dcm", volume).mask(1) for side in ("full_precision", "quantized")]
    assert json.loads((out / "full_precision.json").read_text())["objects"][0]["origin"]["quantization"] is None
    agreement = json.loads((out / "comparison.json").read_text())["agreement_between_models"]["dice"]
    compared = json.loads((out / "comparison.json").read_text())
    for side, model in (("full_precision", "reference"), ("quantized", "candidate")):
        (made,) = json.loads((out / f"{side}.json").read_text())["objects"]
        assert made["name"] == "liver?"
        assert made["origin"]["model"]["execution"] == compared[model]["execution"]
        assert made["origin"]["precision"] == compared[model]["precision"]
    inside = [mask[1:3] for mask in masks]
    assert 2 * np.count_nonzero(inside[0] & inside[1]) / sum(map(np.count_nonzero, inside)) == pytest.approx(agreement)
    status, text, error = run("compare", series, *arguments, "--masks", "png")
    assert status == 2
    assert text == ""
    assert "no ending that says what kind" in error


def test_dicom_objects_are_ground_truth_too(run, series, saved, phantom, tmp_path):
    z, y, x = np.indices(phantom.voxels.shape)
    truth = {3: NamedMask("liver", (y - 40) ** 2 + (x - 60) ** 2 < (8 + z) ** 2)}
    weights = ["--weights", saved, "--out"]
    volume = read_volume(series)
    export_masks(tmp_path / "seg.dcm", truth, volume)
    labels = ["--labels", tmp_path / "seg.dcm", "--label"]
    assert run("evaluate", "--volume", series, *labels, 1, *weights, tmp_path / "e", "--most-slices", 1)[0] == 0
    status, _text, error = run("evaluate", "--volume", series, *labels, 3, *weights, tmp_path / "f")
    assert status == 2
    assert "1 'liver'" in error
    export_masks(tmp_path / "s.rtstruct.dcm", truth, volume)
    labels = ["--labels", tmp_path / "s.rtstruct.dcm", "--label", 1]
    assert run("compare", series, *labels, "--box", *BOX, *weights, tmp_path / "c", "--json")[0] == 0
    compared = json.loads((tmp_path / "c" / "comparison.json").read_text())
    assert compared["reference"]["accuracy_against_ground_truth"]["dice"] > 0.9


def test_a_dicom_mask_of_a_file_that_is_none_is_refused_before_any_work(run, phantom, saved, tmp_path):
    from SimpleITK import WriteImage

    WriteImage(phantom.to_file_grid(phantom.voxels), str(tmp_path / "ct.nii.gz"))
    arguments = ["--weights", saved, "--box", *BOX, "--out", tmp_path / "mask.dcm"]
    status, text, error = run("segment", tmp_path / "ct.nii.gz", *arguments)
    assert (status, text) == (2, "")
    assert "export it as NIfTI, NRRD or MHA" in error
