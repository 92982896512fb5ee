"""Masks to RTSTRUCT and back: the same voxels at the same millimetres."""

from __future__ import annotations

import copy

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from skimage.draw import polygon2mask

from pqcomq.dicom_masks.mask_object import Algorithm, MaskObject
from pqcomq.dicom_masks.rtstruct_reader import read_structure_set
from pqcomq.errors import InputError
from pqcomq.volumes.volume_reader import read_volume

from ..dicom_objects import write_structure_set

MODEL = Algorithm("LiteMedSAM 4-bit Permutation-COMQ", "0.1.0", {"bits": "4"})


def blobs(volume, seed=2, share=0.5):
    return np.random.default_rng(seed).random(volume.grid.shape_zyx) < share


def test_every_orientation_comes_back_voxel_by_voxel(volume, tmp_path):
    mask = blobs(volume)
    write_structure_set(tmp_path / "r.dcm", [MaskObject("liver", mask, MODEL), MaskObject("rest", ~mask)], volume)
    read = read_structure_set(tmp_path / "r.dcm", volume)
    assert read.names == {1: "liver", 2: "rest"}
    assert read.notes == ()
    np.testing.assert_array_equal(read.single("r.dcm"), np.where(mask, 1, 2))


def test_pydicom_and_skimage_find_the_same_voxels(volume, tmp_path):
    """Read without any of our code: points to pixels of the image that each contour names, filled by skimage."""
    mask = blobs(volume)
    write_structure_set(tmp_path / "r.dcm", [MaskObject("liver", mask)], volume)
    images = {image.SOPInstanceUID: image for image in (pydicom.dcmread(plane.path) for plane in volume.planes)}
    found = {uid: np.zeros((image.Rows, image.Columns), bool) for uid, image in images.items()}
    for contour in pydicom.dcmread(tmp_path / "r.dcm").ROIContourSequence[0].ContourSequence:
        assert contour.ContourGeometricType == "CLOSED_PLANAR"
        image = images[contour.ContourImageSequence[0].ReferencedSOPInstanceUID]
        points = np.array(contour.ContourData, float).reshape(-1, 3) - np.array(image.ImagePositionPatient, float)
        assert len(points) == contour.NumberOfContourPoints
        across, down = np.array(image.ImageOrientationPatient, float).reshape(2, 3)
        np.testing.assert_allclose(points @ np.cross(across, down), 0, atol=1e-3)  # in the image's own plane
        polygon = np.stack([points @ down / image.PixelSpacing[0], points @ across / image.PixelSpacing[1]], axis=1)
        found[image.SOPInstanceUID] ^= polygon2mask((image.Rows, image.Columns), polygon)
    expected = sitk.GetArrayFromImage(volume.to_file_grid(mask.astype(np.uint8)))
    for plane, uid in zip(expected, (pydicom.dcmread(p.path).SOPInstanceUID for p in volume.planes), strict=True):
        np.testing.assert_array_equal(found[uid], plane > 0)


def test_regions_are_named_coded_and_ascribed(axial, tmp_path):
    mask = blobs(axial)
    write_structure_set(
        tmp_path / "r.dcm", [MaskObject("kidney_right", mask, MODEL), MaskObject("ö" * 50, ~mask)], axial
    )
    dataset = pydicom.dcmread(tmp_path / "r.dcm")
    image = pydicom.dcmread(axial.planes[0].path)
    kidney, unknown = dataset.StructureSetROISequence
    assert (kidney.ROIName, unknown.ROIName) == ("kidney_right", "ö" * 32)
    assert (kidney.ROIGenerationAlgorithm, unknown.ROIGenerationAlgorithm) == ("SEMIAUTOMATIC", "MANUAL")
    assert MODEL.name in kidney.ROIGenerationDescription
    observed = dataset.RTROIObservationsSequence[0]
    assert observed.RTROIInterpretedType == "ORGAN"
    assert observed.RTROIIdentificationCodeSequence[0].CodeValue == "64033007"
    assert dataset.StudyInstanceUID == image.StudyInstanceUID
    frame = dataset.ReferencedFrameOfReferenceSequence[0]
    assert frame.FrameOfReferenceUID == kidney.ReferencedFrameOfReferenceUID == image.FrameOfReferenceUID
    series = frame.RTReferencedStudySequence[0].RTReferencedSeriesSequence[0]
    assert series.SeriesInstanceUID == image.SeriesInstanceUID
    assert len(series.ContourImageSequence) == len(axial.planes)


def test_overlapping_regions_are_all_kept(axial, tmp_path):
    liver, lesion = blobs(axial, share=0.9), blobs(axial, 3, share=0.2)
    write_structure_set(tmp_path / "r.dcm", [MaskObject("liver", liver), MaskObject("lesion", lesion)], axial)
    read = read_structure_set(tmp_path / "r.dcm", axial)
    np.testing.assert_array_equal(read.mask(1), liver)
    np.testing.assert_array_equal(read.mask(2), lesion)
    with pytest.raises(InputError, match="overlap"):
        read.single("r.dcm")
    np.testing.assert_array_equal(read_structure_set(tmp_path / "r.dcm", axial, only=[2]).single("r") == 2, lesion)


def test_frames_of_a_multi_frame_source_are_named(enhanced, tmp_path):
    volume = read_volume(enhanced)
    mask = np.zeros(volume.grid.shape_zyx, bool)
    mask[-1, 2, 3] = True
    write_structure_set(tmp_path / "r.dcm", [MaskObject("liver", mask)], volume)
    np.testing.assert_array_equal(read_structure_set(tmp_path / "r.dcm", volume).mask(1), mask)
    (contour,) = pydicom.dcmread(tmp_path / "r.dcm").ROIContourSequence[0].ContourSequence
    assert contour.ContourImageSequence[0].ReferencedFrameNumber == 1


def test_holes_written_as_contours_of_their_own_are_holes(axial, tmp_path):
    mask = np.zeros(axial.grid.shape_zyx, bool)
    mask[2, 1:8, 1:6] = True
    write_structure_set(tmp_path / "outer.dcm", [MaskObject("wall", mask)], axial)
    hole = np.zeros_like(mask)
    hole[2, 3:5, 2:4] = True
    write_structure_set(tmp_path / "inner.dcm", [MaskObject("hole", hole)], axial)
    dataset, inner = pydicom.dcmread(tmp_path / "outer.dcm"), pydicom.dcmread(tmp_path / "inner.dcm")
    dataset.ROIContourSequence[0].ContourSequence.extend(inner.ROIContourSequence[0].ContourSequence)
    dataset.save_as(tmp_path / "both.dcm")
    np.testing.assert_array_equal(read_structure_set(tmp_path / "both.dcm", axial).mask(1), mask & ~hole)


@pytest.mark.parametrize(
    "points",
    [[(2, 3.5), (4, 3.5), (5, 3.5)], [(2.5, 3), (2.5, 5), (2.5, 6)], [(2.5, 3.5)] * 3],
    ids=["row", "column", "point"],
)
def test_a_contour_that_encloses_nothing_costs_no_region(axial, tmp_path, points):
    """Drawing tools leave them behind; they lie across several axes at once, and between the voxels of one."""
    mask = np.zeros(axial.grid.shape_zyx, bool)
    mask[2, 1:8, 1:6] = True
    write_structure_set(tmp_path / "r.dcm", [MaskObject("liver", mask)], axial)
    dataset = pydicom.dcmread(tmp_path / "r.dcm")
    contours = dataset.ROIContourSequence[0].ContourSequence
    places = axial.grid.to_patient([(*each, 2) for each in points])
    contours.append(copy.deepcopy(contours[0]))
    contours[1].ContourData, contours[1].NumberOfContourPoints = [f"{v:.4f}" for v in places.ravel()], len(places)
    dataset.save_as(tmp_path / "with.dcm")
    read = read_structure_set(tmp_path / "with.dcm", axial)
    np.testing.assert_array_equal(read.mask(1), mask)
    assert read.notes == ()


def test_a_long_contour_is_not_cut(make_series, tmp_path):
    """More points than the two-byte lengths of explicit VR have room for."""
    size = 512
    planes = np.zeros((size, size), np.int16)
    volume = read_volume(make_series(Rows=size, Columns=size, PixelData=planes.tobytes()))
    mask = np.zeros(volume.grid.shape_zyx, bool)
    mask[2, 1:-1:2, 1:-1] = mask[2, 1:-1, 1] = True  # a comb
    mask[2, 3::4, -20:] = False
    write_structure_set(tmp_path / "r.dcm", [MaskObject("comb", mask)], volume)
    np.testing.assert_array_equal(read_structure_set(tmp_path / "r.dcm", volume).mask(1), mask)


def test_nothing_to_refer_to_or_to_write_is_told(axial, image_in_memory, tmp_path):
    with pytest.raises(InputError, match="in memory is not made of DICOM images"):
        write_structure_set(tmp_path / "r.dcm", [MaskObject("liver", blobs(image_in_memory))], image_in_memory)
    with pytest.raises(InputError, match=r"mask of 'liver' is empty"):
        write_structure_set(tmp_path / "r.dcm", [MaskObject("liver", np.zeros(axial.grid.shape_zyx, bool))], axial)
