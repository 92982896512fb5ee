"""Masks of every kind out and in again, the record beside them, and nothing of the patient anywhere."""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import replace

import nibabel
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from pydicom.uid import generate_uid

from pqcomq.errors import InputError
from pqcomq.masks.file_formats import MaskKind, mask_kind, sidecar
from pqcomq.masks.named_mask import NamedMask
from pqcomq.masks.origin import Origin
from pqcomq.masks.read_masks import read_masks
from pqcomq.masks.write_masks import export_masks
from pqcomq.segmentation.box import Box3D
from pqcomq.volumes.grid import Grid
from pqcomq.volumes.import_issues import ImportIssue
from pqcomq.volumes.intensity_window import PRESETS
from pqcomq.volumes.volume_reader import read_volume

from ..dicom_masks.conftest import SECRETS

KINDS = [kind.value for kind in MaskKind]


def two_masks(volume):
    mask = np.random.default_rng(2).random(volume.grid.shape_zyx)
    return {2: NamedMask("right kidney", mask < 0.3), 5: NamedMask("liver", mask > 0.6)}


def labels_of(masks, dicom):
    return sum((number if not dicom else rank) * each.mask for rank, (number, each) in enumerate(masks.items(), 1))


@pytest.mark.parametrize("ending", KINDS)
def test_masks_of_every_kind_come_back_voxel_by_voxel(volume, tmp_path, ending):
    masks, path = two_masks(volume), tmp_path / f"mask{ending}"
    written = export_masks(path, masks, volume)
    assert written == [path, sidecar(path)]
    assert sorted(each.name for each in tmp_path.iterdir() if each.is_file()) == sorted(p.name for p in written)
    read = read_masks(path, volume)
    np.testing.assert_array_equal(read.single(path), labels_of(masks, mask_kind(path).is_dicom))
    if not mask_kind(path).is_dicom:
        image = sitk.ReadImage(str(path))
        expected = sitk.GetArrayFromImage(volume.to_file_grid(labels_of(masks, dicom=False)))
        np.testing.assert_array_equal(sitk.GetArrayFromImage(image), expected)
        exactly = 1e-12 if ending in (".nrrd", ".mha") else 1e-4
        for ours, theirs in zip(
            (volume.file_grid.origin, volume.file_grid.direction, volume.file_grid.spacing),
            (image.GetOrigin(), image.GetDirection(), image.GetSpacing()),
            strict=True,
        ):
            np.testing.assert_allclose(ours, theirs, atol=exactly)


@pytest.mark.parametrize("ending", [".nii.gz", ".dcm"])
def test_masks_of_numbers_are_written_as_masks_of_truth_values(volume, tmp_path, ending):
    kinds = (bool, np.uint8, np.float32)
    for kind in kinds:
        masks = {
            number: NamedMask(each.name, each.mask.astype(kind) * kind(1)) for number, each in two_masks(volume).items()
        }
        export_masks(tmp_path / f"{kind.__name__}{ending}", masks, volume)
    first, *rest = (read_masks(tmp_path / f"{kind.__name__}{ending}", volume).single(tmp_path) for kind in kinds)
    assert first.any()
    for each in rest:
        np.testing.assert_array_equal(each, first)


@pytest.mark.parametrize("seed", range(12))
def test_any_grid_comes_back_by_nibabel_and_simpleitk(tmp_path, seed):
    """Rotations of any angle, mirrored or not, spacings from 0.1 to 5 mm, origins up to a metre away."""
    rng = np.random.default_rng(seed)
    direction = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    image = sitk.GetImageFromArray(rng.integers(-9, 9, rng.integers(2, 7, 3)).astype(np.int16))
    image.SetDirection(direction.ravel().tolist())
    image.SetSpacing(rng.uniform(0.1, 5, 3).tolist())
    image.SetOrigin(rng.uniform(-1000, 1000, 3).tolist())
    sitk.WriteImage(image, str(tmp_path / "scan.nii.gz"))
    volume = read_volume(tmp_path / "scan.nii.gz", modality="CT")
    mask = rng.random(volume.grid.shape_zyx) < 0.5
    positions = volume.grid.to_patient(np.argwhere(mask)[:, ::-1])
    for ending in (".nii.gz", ".nii", ".nrrd", ".mha"):
        path = tmp_path / f"mask{ending}"
        export_masks(path, {1: NamedMask("object", mask)}, volume, overwrite=True)
        read = sitk.ReadImage(str(path))
        assert Grid.of(read).size == volume.file_grid.size
        theirs = np.argwhere(sitk.GetArrayFromImage(read))[:, ::-1]
        found = np.array([read.TransformContinuousIndexToPhysicalPoint(index.tolist()) for index in theirs + 0.0])
        np.testing.assert_allclose(in_order(found), in_order(positions), atol=1e-3)
    ours, scan = nibabel.load(tmp_path / "mask.nii.gz"), nibabel.load(tmp_path / "scan.nii.gz")
    np.testing.assert_allclose(ours.affine, scan.affine, atol=1e-5)
    ras = nibabel.affines.apply_affine(ours.affine, np.argwhere(np.asarray(ours.dataobj)))
    np.testing.assert_allclose(in_order(ras * [-1, -1, 1]), in_order(positions), atol=1e-3)


def in_order(points):
    """Positions in an order that rounding does not change."""
    key = np.round(points, 2)
    return points[np.lexsort(key.T)]


def test_what_the_record_says(axial, tmp_path, lite_medsam, quantized):
    mask = two_masks(axial)[2].mask
    box = Box3D(1, 2, 1, 5, 7, 3)
    origin = Origin.of(quantized, box, "propagate", PRESETS["abdomen"], mask)
    edited = mask.copy()
    edited[0, 0, 0] ^= True
    full = Origin.of(lite_medsam, box, "same", PRESETS["lung"], mask)
    masks = {
        1: NamedMask("liver", mask, origin),
        4: NamedMask("spleen", edited & ~mask, full),
        6: NamedMask("drawn", ~(mask | edited)),
    }
    path, record_path = export_masks(tmp_path / "mask.nii.gz", masks, axial)
    record = json.loads(record_path.read_text())
    assert record["file"] == {"kind": "NIfTI", "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    assert record["volume"]["voxels_sha256"] == axial.sha256
    assert record["versions"].keys() >= {"napari-pqcomq", "python", "torch", "highdicom"}
    assert record["patient"] is None
    liver, spleen, drawn = record["objects"]
    assert (liver["number"], liver["name"], liver["voxels"]) == (1, "liver", int(mask.sum()))
    assert liver["volume_ml"] == pytest.approx(mask.sum() * 0.75 * 1.25 * 2.5 / 1000)
    assert (liver["edited_since"], spleen["edited_since"], drawn["edited_since"]) == (False, True, None)
    made = liver["origin"]
    assert made["model"]["checkpoint_sha256"] == lite_medsam.checkpoint_sha256
    assert made["model"]["weights_sha256"] == quantized.segmenter.fingerprint
    assert made["quantization"]["settings"]["bits"] == 4
    assert made["quantization"]["effective_bits"] == quantized.effective_bits
    assert made["quantization"]["calibration"]["slice_count"] == 1
    assert made["prompt"]["box_voxels_x0y0z0x1y1z1"] == [1, 2, 1, 5, 7, 3]
    assert (made["prompt"]["first_slice"], made["prompt"]["other_slices"]) == (2, "propagate")
    low = np.array(axial.grid.origin) + np.array([1 * 0.75, 2 * 1.25, 1 * 2.5])
    np.testing.assert_allclose(made["prompt"]["box_corners_lps_mm"][0], low, atol=1e-3)
    assert made["window"] == {"level": 40, "width": 400}
    assert spleen["origin"]["quantization"] is None
    assert drawn["made_by"] == "hand, or not recorded"


@pytest.mark.parametrize("ending", KINDS)
def test_nothing_of_the_patient_is_written_or_logged(axial, tmp_path, ending, caplog):
    caplog.set_level(logging.DEBUG)
    written = export_masks(tmp_path / f"mask{ending}", two_masks(axial), axial)
    content = b"".join(path.read_bytes() for path in written) + caplog.text.encode()
    if ending == ".nii.gz":
        content += nibabel.load(written[0]).header.binaryblock
    assert not [keyword for keyword, secret in SECRETS.items() if len(secret) > 1 and secret.encode() in content]
    assert b"Zwetschge" not in content
    assert axial.source.name.encode() not in content


def test_the_record_tells_which_remedy_the_geometry_needed(axial, tmp_path):
    uneven = ImportIssue("gap", "A slice is missing.", ("resample", "largest"), "largest")
    volume = replace(axial, findings=(ImportIssue("modality", "Taken for CT."), uneven))
    _mask, record = export_masks(tmp_path / "mask.mha", two_masks(volume), volume)
    assert json.loads(record.read_text())["volume"]["remedies"] == [{"for": "gap", "chosen": "largest"}]


def test_the_record_names_the_patient_when_asked(axial, tmp_path):
    _mask, record = export_masks(tmp_path / "mask.nrrd", two_masks(axial), axial, with_patient=True)
    patient = json.loads(record.read_text())["patient"]
    assert patient["PatientName"] == SECRETS["PatientName"]
    assert patient["AccessionNumber"] == SECRETS["AccessionNumber"]
    assert patient["source"] == str(axial.source)


def test_the_record_of_a_joined_volume_names_its_patient_and_no_series(make_series, tmp_path):
    """Some scanners give each slice a series: no DICOM object could refer to them, but a NIfTI file need not."""
    folder = make_series()
    for path in folder.iterdir():
        image = pydicom.dcmread(path)
        image.SeriesInstanceUID = generate_uid()
        image.save_as(path)
    volume = read_volume(folder, series="joined-1")
    _mask, record = export_masks(tmp_path / "mask.nii.gz", two_masks(volume), volume, with_patient=True)
    patient = json.loads(record.read_text())["patient"]
    assert patient["PatientName"] == SECRETS["PatientName"]
    assert patient["StudyInstanceUID"] == str(image.StudyInstanceUID)
    assert "SeriesInstanceUID" not in patient
    image.PatientName = "Other^One"
    image.save_as(path)
    with pytest.raises(InputError, match="are of several patients"):
        export_masks(tmp_path / "other.nii.gz", two_masks(volume), volume, with_patient=True)
    assert not (tmp_path / "other.nii.gz").exists()


def test_nothing_is_replaced_unless_told_and_nothing_left_behind(axial, tmp_path):
    record = tmp_path / "mask.json"
    record.write_text("precious")
    with pytest.raises(InputError, match=r"exists already.*mask\.json"):
        export_masks(tmp_path / "mask.nii.gz", two_masks(axial), axial)
    assert record.read_text() == "precious"
    assert not (tmp_path / "mask.nii.gz").exists()
    export_masks(tmp_path / "mask.nii.gz", two_masks(axial), axial, overwrite=True)
    assert json.loads(record.read_text())["format"] == 2
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("ending", [".nii.gz", ".nrrd", ".mha"])
def test_overlapping_masks_need_a_file_that_can_hold_them(axial, tmp_path, ending):
    mask = two_masks(axial)[2].mask
    masks = {1: NamedMask("liver", mask), 2: NamedMask("lesion", mask & (np.cumsum(mask).reshape(mask.shape) < 5))}
    with pytest.raises(InputError, match="'liver' and 'lesion' overlap"):
        export_masks(tmp_path / f"mask{ending}", masks, axial)
    assert [each.name for each in tmp_path.iterdir()] == ["series"]
    read = read_masks(export_masks(tmp_path / "mask.dcm", masks, axial)[0], axial)
    assert read.mask(2).sum() == 4


@pytest.mark.parametrize("ending", [".dcm", ".rtstruct.dcm"])
def test_dicom_objects_need_dicom_images(image_in_memory, tmp_path, ending):
    with pytest.raises(InputError, match="in memory is not made of DICOM images"):
        export_masks(tmp_path / f"mask{ending}", two_masks(image_in_memory), image_in_memory)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "kind", "record"),
    [
        ("m.nii.gz", MaskKind.nifti, "m.json"),
        ("m.v1.nii", MaskKind.plain_nifti, "m.v1.json"),
        ("a.dcm", MaskKind.segmentation, "a.json"),
        ("a.rtstruct.dcm", MaskKind.structure_set, "a.json"),
        ("rtstruct.dcm", MaskKind.structure_set, "rtstruct.json"),
    ],
)
def test_names_tell_the_kind(tmp_path, name, kind, record):
    assert mask_kind(tmp_path / name) is kind
    assert sidecar(tmp_path / name) == tmp_path / record


def test_unknown_endings_are_told(axial, tmp_path):
    with pytest.raises(InputError, match=r"has no ending that says what kind.*\.nii\.gz.*mask\.png"):
        export_masks(tmp_path / "mask.png", two_masks(axial), axial)
    with pytest.raises(InputError, match="there is no mask"):
        export_masks(tmp_path / "mask.nii", {}, axial)


@pytest.mark.parametrize("number", [-1, 0, 65536])
def test_a_number_that_no_label_has_is_refused_and_nothing_is_written(volume, tmp_path, number):
    mask = np.ones(volume.grid.shape_zyx, bool)
    with pytest.raises(InputError, match="labels are numbered from 1 to 65535"):
        export_masks(tmp_path / "m.nii.gz", {number: NamedMask("liver", mask)}, volume)
    assert not [each for each in tmp_path.iterdir() if each.is_file()]
    export_masks(tmp_path / "m.dcm", {number: NamedMask("liver", mask)}, volume)  # numbered anew
    assert read_masks(tmp_path / "m.dcm", volume).names == {1: "liver"}
