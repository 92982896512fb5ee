"""Series in any orientation, of any size and spacing: masks come back through DICOM objects voxel by voxel."""

from __future__ import annotations

import shutil
import subprocess

import numpy as np
import pydicom
import pytest
from pydicom.uid import NuclearMedicineImageStorage, generate_uid

from pqcomq.dicom_masks.mask_object import Algorithm, MaskObject
from pqcomq.dicom_masks.referenced_series import dicom_obstacle
from pqcomq.dicom_masks.rtstruct_reader import read_structure_set
from pqcomq.dicom_masks.seg_reader import read_segmentation
from pqcomq.errors import InputError
from pqcomq.volumes.volume_reader import read_volume

from ..dicom_objects import write_segmentation, write_structure_set
from .conftest import ORIENTATIONS, SHAPE, SPACING, image_header, item, voxels


def random_series(folder, rng):
    """A series as a scanner in any position would write it, decimals rounded to their field's 16 characters."""
    folder.mkdir()
    axes = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    normal = np.cross(axes[:, 0], axes[:, 1])
    slices, rows, columns = (int(n) for n in rng.integers(2, 12, 3))
    spacing, corner = rng.uniform(0.2, 4, 3), rng.uniform(-500, 500, 3)
    shared = {name: generate_uid() for name in ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID")}
    for index in range(slices):
        image_header(
            **shared,
            Rows=rows,
            Columns=columns,
            PixelSpacing=[round(float(v), 6) for v in spacing[:2]],
            SliceThickness=round(float(spacing[2]), 6),
            ImagePositionPatient=[round(float(v), 4) for v in corner + index * spacing[2] * normal],
            ImageOrientationPatient=[round(float(v), 6) for v in axes[:, :2].T.ravel()],
            InstanceNumber=index + 1,
            PixelData=rng.integers(-1000, 1000, (rows, columns)).astype(np.int16).tobytes(),
        ).save_as(folder / f"{rng.integers(10**9)}", enforce_file_format=True)


@pytest.mark.parametrize("seed", range(12))
def test_any_series(tmp_path, seed):
    rng = np.random.default_rng(seed)
    random_series(tmp_path / "series", rng)
    volume = read_volume(tmp_path / "series")
    first = rng.random(volume.grid.shape_zyx) < rng.uniform(0.1, 0.9)
    second = rng.random(volume.grid.shape_zyx) < rng.uniform(0.1, 0.9)
    things = [MaskObject("one", first), MaskObject("two", second)]
    for write, read in ((write_segmentation, read_segmentation), (write_structure_set, read_structure_set)):
        write(tmp_path / "m.dcm", things, volume)
        found = read(tmp_path / "m.dcm", volume)
        np.testing.assert_array_equal(found.mask(1), first)
        np.testing.assert_array_equal(found.mask(2), second)


@pytest.mark.parametrize(
    ("write", "read"), [(write_segmentation, read_segmentation), (write_structure_set, read_structure_set)]
)
def test_thin_slices_whose_places_are_rounded_to_a_decimal(make_series, tmp_path, write, read):
    folder = make_series()
    for path in folder.iterdir():
        image = pydicom.dcmread(path)
        image.SliceThickness = 0.35
        image.ImagePositionPatient = [0, 0, round(0.35 * image.InstanceNumber, 1)]
        image.save_as(path)
    volume = read_volume(folder)
    mask = np.random.default_rng(0).random(volume.grid.shape_zyx) < 0.5
    write(tmp_path / "m.dcm", [MaskObject("one", mask)], volume)
    np.testing.assert_array_equal(read(tmp_path / "m.dcm", volume).mask(1), mask)


@pytest.mark.parametrize("orientation", ["axial", "coronal", "oblique"])
@pytest.mark.parametrize(
    ("write", "read"), [(write_segmentation, read_segmentation), (write_structure_set, read_structure_set)]
)
def test_slices_that_drift_sideways_by_less_than_half_a_pixel(make_series, tmp_path, orientation, write, read):
    """From the first slice to the last, as rounded positions of an oblique stack do."""
    drift = 0.4 * SPACING[2] / (SHAPE[0] - 1) * ORIENTATIONS[orientation][:, 0]
    folder = make_series(orientation)
    for path in folder.iterdir():
        image = pydicom.dcmread(path)
        place = np.array(image.ImagePositionPatient, float) + image.InstanceNumber * drift
        image.ImagePositionPatient = [round(float(each), 6) for each in place]
        image.save_as(path)
    volume = read_volume(folder)
    assert volume.planes
    mask = np.random.default_rng(0).random(volume.grid.shape_zyx) < 0.5
    write(tmp_path / "m.dcm", [MaskObject("one", mask), MaskObject("rest", ~mask)], volume)
    np.testing.assert_array_equal(read(tmp_path / "m.dcm", volume).mask(1), mask)
    if write is write_segmentation:
        elsewhere = pydicom.dcmread(tmp_path / "m.dcm")
        for group in elsewhere.PerFrameFunctionalGroupsSequence:
            item = group.PlanePositionSequence[0]
            item.ImagePositionPatient = [str(round(float(each) + 0.3, 4)) for each in item.ImagePositionPatient]
        elsewhere.save_as(tmp_path / "elsewhere.dcm")
        with pytest.raises(InputError, match="its pixels lie between the voxels"):
            read(tmp_path / "elsewhere.dcm", volume)


@pytest.mark.parametrize("write", [write_segmentation, write_structure_set])
@pytest.mark.parametrize("keyword", ["SeriesInstanceUID", "FrameOfReferenceUID"])
def test_a_volume_joined_from_several_series_is_told_to_be_none_to_refer_to(make_series, tmp_path, write, keyword):
    folder = make_series()
    for path in folder.iterdir():
        image = pydicom.dcmread(path)
        setattr(image, keyword, generate_uid())
        image.save_as(path)
    volume = read_volume(folder, series="joined-1")
    mask = np.ones(volume.grid.shape_zyx, bool)
    with pytest.raises(InputError, match="put together from several series or frames of reference"):
        write(tmp_path / "m.dcm", [MaskObject("one", mask)], volume)
    assert "export it as NIfTI" in dicom_obstacle(volume)


def test_a_volume_of_one_series_under_two_numbers_can_be_referred_to(make_series, tmp_path):
    folder = make_series()
    for path in folder.iterdir():
        image = pydicom.dcmread(path)
        image.SeriesNumber = image.InstanceNumber
        image.save_as(path)
    volume = read_volume(folder, series="joined-1")
    assert dicom_obstacle(volume) == ""
    mask = np.ones(volume.grid.shape_zyx, bool)
    write_segmentation(tmp_path / "m.dcm", [MaskObject("one", mask)], volume)
    np.testing.assert_array_equal(read_segmentation(tmp_path / "m.dcm", volume).mask(1), mask)


@pytest.mark.parametrize("write", [write_segmentation, write_structure_set])
@pytest.mark.parametrize("places", ["offsets", "detector", "none"])
def test_images_that_do_not_say_one_by_one_where_they_lie_are_told_to_be_none_to_refer_to(tmp_path, write, places):
    """Their objects would have every contour on the first frame, or end in an error of a library."""
    tags = {name: generate_uid() for name in ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID")}
    where = {"ImagePositionPatient": [0, 0, 0], "ImageOrientationPatient": [1, 0, 0, 0, 1, 0]}
    frames = {"NumberOfFrames": SHAPE[0], "PixelData": voxels().tobytes()}
    if places == "offsets":
        tags |= where | frames | {"GridFrameOffsetVector": [SPACING[0] * index for index in range(SHAPE[0])]}
    elif places == "detector":
        tags |= frames | {
            "SOPClassUID": NuclearMedicineImageStorage, "Modality": "NM", "SpacingBetweenSlices": SPACING[0],
            "ImageType": ["ORIGINAL", "PRIMARY", "RECON TOMO"], "DetectorInformationSequence": [item(**where)],
        }  # fmt: skip
    else:
        tags |= {"PixelData": voxels()[0].tobytes()}
    image_header(**tags).save_as(tmp_path / "a.dcm", enforce_file_format=True)
    volume = read_volume(tmp_path / "a.dcm")
    with pytest.raises(InputError, match="do not say one by one where they lie"):
        write(tmp_path / "m.dcm", [MaskObject("one", np.ones(volume.grid.shape_zyx, bool))], volume)
    assert "export it as NIfTI" in dicom_obstacle(volume)


@pytest.mark.parametrize(
    ("write", "read"), [(write_segmentation, read_segmentation), (write_structure_set, read_structure_set)]
)
def test_a_place_that_all_frames_share_is_that_of_each(enhanced, tmp_path, write, read):
    image = pydicom.dcmread(enhanced)
    image.NumberOfFrames, image.PixelData = 1, voxels()[0].tobytes()
    place = image.PerFrameFunctionalGroupsSequence[2].PlanePositionSequence
    image.PerFrameFunctionalGroupsSequence = image.PerFrameFunctionalGroupsSequence[:1]
    del image.PerFrameFunctionalGroupsSequence[0].PlanePositionSequence
    image.SharedFunctionalGroupsSequence[0].PlanePositionSequence = place
    image.save_as(tmp_path / "one.dcm")
    volume = read_volume(tmp_path / "one.dcm")
    mask = np.random.default_rng(0).random(volume.grid.shape_zyx) < 0.5
    write(tmp_path / "m.dcm", [MaskObject("one", mask)], volume)
    np.testing.assert_array_equal(read(tmp_path / "m.dcm", volume).mask(1), mask)


@pytest.mark.parametrize(
    ("write", "read"), [(write_segmentation, read_segmentation), (write_structure_set, read_structure_set)]
)
@pytest.mark.parametrize("shared", ["empty", "missing"])
def test_frames_that_say_each_for_itself_how_they_run(enhanced, tmp_path, write, read, shared):
    image = pydicom.dcmread(enhanced)
    of_all = image.SharedFunctionalGroupsSequence[0]
    for group in image.PerFrameFunctionalGroupsSequence:
        group.PlaneOrientationSequence = of_all.PlaneOrientationSequence
        group.PixelMeasuresSequence = of_all.PixelMeasuresSequence
    del of_all.PlaneOrientationSequence, of_all.PixelMeasuresSequence
    if shared == "missing":
        del image.SharedFunctionalGroupsSequence
    image.save_as(tmp_path / "own.dcm")
    volume = read_volume(tmp_path / "own.dcm")
    mask = np.random.default_rng(0).random(volume.grid.shape_zyx) < 0.5
    write(tmp_path / "m.dcm", [MaskObject("one", mask)], volume)
    np.testing.assert_array_equal(read(tmp_path / "m.dcm", volume).mask(1), mask)


@pytest.mark.parametrize(
    ("write", "read"), [(write_segmentation, read_segmentation), (write_structure_set, read_structure_set)]
)
@pytest.mark.parametrize("odd", ["orientation", "spacing"])
def test_images_that_differ_in_a_last_digit_or_state_the_detector_s_spacing(make_series, tmp_path, write, read, odd):
    folder = make_series()
    for number, path in enumerate(sorted(folder.iterdir())):
        image = pydicom.dcmread(path)
        if odd == "orientation":
            image.ImageOrientationPatient = [1, 0, number * 1e-6, 0, 1, 0]
        else:
            image.ImagerPixelSpacing = image.PixelSpacing
            del image.PixelSpacing
        image.save_as(path)
    volume = read_volume(folder)
    mask = np.random.default_rng(0).random(volume.grid.shape_zyx) < 0.5
    write(tmp_path / "m.dcm", [MaskObject("one", mask)], volume)
    np.testing.assert_array_equal(read(tmp_path / "m.dcm", volume).mask(1), mask)


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dciodvfy (dicom3tools) is not installed")
@pytest.mark.parametrize("write", [write_segmentation, write_structure_set])
@pytest.mark.parametrize("keep_identity", [False, True])
def test_a_validator_finds_no_error(axial, tmp_path, write, keep_identity):
    mask = np.random.default_rng(2).random(axial.grid.shape_zyx) < 0.5
    things = [
        MaskObject("right kidney", mask, Algorithm("LiteMedSAM, 4-bit Permutation-COMQ", "0.1.0", {"bits": "4"})),
        MaskObject("something", ~mask),
    ]
    write(tmp_path / "m.dcm", things, axial, keep_identity=keep_identity)
    said = subprocess.run(["dciodvfy", tmp_path / "m.dcm"], capture_output=True, text=True, check=False).stderr
    assert "Error" not in said


@pytest.mark.skipif(shutil.which("plastimatch") is None, reason="plastimatch is not installed")
def test_plastimatch_fills_the_same_voxels(axial, tmp_path):
    """A program of another house, which radiotherapy departments use, holes included."""
    import SimpleITK as sitk

    mask = np.random.default_rng(2).random(axial.grid.shape_zyx) < 0.6
    write_structure_set(tmp_path / "rt.dcm", [MaskObject("liver", mask)], axial)
    arguments = ["--input", "rt.dcm", "--referenced-ct", "series", "--output-prefix", "out", "--prefix-format", "nrrd"]
    subprocess.run(["plastimatch", "convert", *arguments], cwd=tmp_path, capture_output=True, check=True)
    theirs = sitk.ReadImage(str(tmp_path / "out" / "liver.nrrd"))
    expected = axial.to_file_grid(mask.astype(np.uint8))
    np.testing.assert_allclose(theirs.GetOrigin(), expected.GetOrigin(), atol=1e-3)
    np.testing.assert_array_equal(sitk.GetArrayFromImage(theirs) > 0, sitk.GetArrayFromImage(expected) > 0)


def test_uids_are_new_for_every_object(axial, tmp_path):
    mask = np.ones(axial.grid.shape_zyx, bool)
    found = set()
    for write in (write_segmentation, write_structure_set) * 2:
        write(tmp_path / "m.dcm", [MaskObject("liver", mask)], axial)
        dataset = pydicom.dcmread(tmp_path / "m.dcm")
        found |= {dataset.SOPInstanceUID, dataset.SeriesInstanceUID}
    assert len(found) == 8
