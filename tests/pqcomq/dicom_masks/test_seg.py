"""Masks to DICOM SEG and back: the same voxels at the same millimetres, by our reader and by highdicom's."""

from __future__ import annotations

import highdicom
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from pydicom.sr.codedict import codes

from pqcomq.dicom_masks.mask_object import Algorithm, MaskObject
from pqcomq.dicom_masks.seg_reader import read_segmentation
from pqcomq.errors import InputError
from pqcomq.volumes.volume import Volume
from pqcomq.volumes.volume_reader import read_volume

from ..dicom_objects import write_segmentation

MODEL = Algorithm("LiteMedSAM 4-bit Permutation-COMQ", "0.1.0", {"bits": "4", "checkpoint_sha256": "ab12"})


def blobs(volume, seed=2, share=0.5):
    return np.random.default_rng(seed).random(volume.grid.shape_zyx) < share


def millimetres(mask, to_patient):
    """LPS positions of a mask's voxels, sorted."""
    points = np.round(to_patient(np.argwhere(mask)[:, ::-1]), 4)
    return points[np.lexsort(points.T)]


def test_every_orientation_comes_back_voxel_by_voxel(volume, tmp_path):
    mask = blobs(volume)
    write_segmentation(tmp_path / "m.dcm", [MaskObject("liver", mask, MODEL), MaskObject("rest", ~mask)], volume)
    read = read_segmentation(tmp_path / "m.dcm", volume)
    assert read.names == {1: "liver", 2: "rest"}
    assert read.notes == ()
    np.testing.assert_array_equal(read.single("m.dcm"), np.where(mask, 1, 2))


def test_highdicom_finds_the_voxels_at_the_same_millimetres(volume, tmp_path):
    mask = blobs(volume, share=0.2)
    write_segmentation(tmp_path / "m.dcm", [MaskObject("liver", mask)], volume)
    segmentation = highdicom.seg.segread(tmp_path / "m.dcm")
    theirs = segmentation.get_volume(segment_numbers=[1], combine_segments=True)
    found = millimetres(theirs.array > 0, lambda xyz: theirs.map_indices_to_reference(np.asarray(xyz)[:, ::-1]))
    np.testing.assert_allclose(found, millimetres(mask, volume.grid.to_patient), atol=1e-3)


def test_each_frame_names_the_image_that_it_lies_on(volume, tmp_path):
    mask = np.zeros(volume.grid.shape_zyx, bool)
    mask[1, 2, 3] = True
    write_segmentation(tmp_path / "m.dcm", [MaskObject("liver", mask)], volume)
    dataset = pydicom.dcmread(tmp_path / "m.dcm")
    index = int(np.flatnonzero(sitk.GetArrayFromImage(volume.to_file_grid(mask.astype(np.uint8))).any(axis=(1, 2)))[0])
    image = pydicom.dcmread(volume.planes[index].path)
    (group,) = dataset.PerFrameFunctionalGroupsSequence
    (reference,) = group.DerivationImageSequence[0].SourceImageSequence
    assert reference.ReferencedSOPInstanceUID == image.SOPInstanceUID
    assert group.PlanePositionSequence[0].ImagePositionPatient == image.ImagePositionPatient
    assert dataset.StudyInstanceUID == image.StudyInstanceUID
    assert dataset.FrameOfReferenceUID == image.FrameOfReferenceUID
    assert dataset.ReferencedSeriesSequence[0].SeriesInstanceUID == image.SeriesInstanceUID
    assert len(dataset.ReferencedSeriesSequence[0].ReferencedInstanceSequence) == len(volume.planes)


def test_an_enhanced_multi_frame_source_whose_frames_run_downwards(enhanced, tmp_path):
    volume = read_volume(enhanced)
    mask = np.zeros(volume.grid.shape_zyx, bool)
    mask[-1, 2, 3] = True  # the top slice, frame 1 of the file
    write_segmentation(tmp_path / "m.dcm", [MaskObject("liver", mask)], volume)
    np.testing.assert_array_equal(read_segmentation(tmp_path / "m.dcm", volume).mask(1), mask)
    (group,) = pydicom.dcmread(tmp_path / "m.dcm").PerFrameFunctionalGroupsSequence
    assert group.DerivationImageSequence[0].SourceImageSequence[0].ReferencedFrameNumber == 1


def test_names_algorithm_and_anatomy_are_coded(axial, tmp_path):
    mask = blobs(axial)
    things = [MaskObject("kidney_right", mask, MODEL), MaskObject("Leber-Läsion " + "x" * 80, ~mask)]
    write_segmentation(tmp_path / "m.dcm", things, axial)
    kidney, unknown = highdicom.seg.segread(tmp_path / "m.dcm").SegmentSequence
    assert kidney.SegmentLabel == "kidney_right"
    assert kidney.segmented_property_type == codes.SCT.Kidney
    assert kidney.segmented_property_category == codes.SCT.AnatomicalStructure
    (side,) = kidney.SegmentedPropertyTypeCodeSequence[0].SegmentedPropertyTypeModifierCodeSequence
    assert (side.CodeValue, side.CodeMeaning) == ("24028007", "Right")
    assert kidney.SegmentAlgorithmType == "SEMIAUTOMATIC"
    (algorithm,) = kidney.SegmentationAlgorithmIdentificationSequence
    assert algorithm.AlgorithmName == MODEL.name
    assert algorithm.AlgorithmVersion == "0.1.0"
    assert algorithm.AlgorithmParameters == "bits=4,checkpoint_sha256=ab12"
    assert unknown.SegmentLabel == "Leber-Läsion " + "x" * 50
    assert unknown.segmented_property_type == codes.SCT.Tissue
    assert unknown.SegmentAlgorithmType == "MANUAL"


def test_overlapping_objects_are_all_kept(axial, tmp_path):
    liver, lesion = blobs(axial, share=0.9), blobs(axial, 3, share=0.2)
    write_segmentation(tmp_path / "m.dcm", [MaskObject("liver", liver), MaskObject("lesion", lesion)], axial)
    read = read_segmentation(tmp_path / "m.dcm", axial)
    np.testing.assert_array_equal(read.mask(1), liver)
    np.testing.assert_array_equal(read.mask(2), lesion)
    with pytest.raises(InputError, match=r"holds objects that overlap \(1 'liver' and 2 'lesion'\).*m\.dcm"):
        read.single(tmp_path / "m.dcm")
    np.testing.assert_array_equal(read_segmentation(tmp_path / "m.dcm", axial, only=[2]).single("m") == 2, lesion)


def test_more_objects_than_a_byte_can_number(axial, tmp_path):
    size = int(np.prod(axial.grid.shape_zyx))
    numbers = np.random.default_rng(4).permutation(size).reshape(axial.grid.shape_zyx)
    things = [MaskObject(f"piece {number}", numbers == number) for number in range(300)]
    write_segmentation(tmp_path / "m.dcm", things, axial)
    labels = read_segmentation(tmp_path / "m.dcm", axial).single("m.dcm")
    np.testing.assert_array_equal(labels, np.where(numbers < 300, numbers + 1, 0))


def test_a_segmentation_in_other_planes_and_cut_to_its_object_fits_all_the_same(axial, tmp_path):
    """highdicom writes what another program might: coronal frames, only where the object is, back to front."""
    mask = np.zeros(axial.grid.shape_zyx, bool)
    mask[2:5, 3:7, 1:4] = blobs(axial)[2:5, 3:7, 1:4]
    on_grid = highdicom.Volume.from_components(
        mask.astype(np.uint8), position=axial.grid.origin, direction=axial.grid.axes[:, ::-1],
        spacing=axial.grid.spacing_zyx, coordinate_system="PATIENT",
    )  # fmt: skip
    turned = on_grid[2:5, 3:7, 1:4].permute_spatial_axes([1, 2, 0]).flip_spatial([0, 2])
    write_by_hand(tmp_path / "theirs.dcm", axial, turned)
    np.testing.assert_array_equal(read_segmentation(tmp_path / "theirs.dcm", axial).mask(1), mask)


@pytest.mark.parametrize("kind", ["FRACTIONAL", "LABELMAP"])
def test_the_other_kinds_of_segmentation(axial, tmp_path, kind):
    values = np.random.default_rng(6).random(axial.grid.shape_zyx)
    pixels = values if kind == "FRACTIONAL" else (values >= 0.5).astype(np.uint8)
    volume = highdicom.Volume.from_components(
        pixels, position=axial.grid.origin, direction=axial.grid.axes[:, ::-1], spacing=axial.grid.spacing_zyx,
        coordinate_system="PATIENT",
    )  # fmt: skip
    write_by_hand(tmp_path / "theirs.dcm", axial, volume, segmentation_type=kind)
    read = read_segmentation(tmp_path / "theirs.dcm", axial)
    np.testing.assert_array_equal(read.mask(1), np.round(values * 255) >= 127.5)
    assert any("fractional" in note and "50%" in note for note in read.notes) == (kind == "FRACTIONAL")


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2", "1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.80"])
def test_stored_in_other_ways(axial, tmp_path, syntax):
    mask = blobs(axial)
    volume = highdicom.Volume.from_components(
        mask.astype(np.uint8), position=axial.grid.origin, direction=axial.grid.axes[:, ::-1],
        spacing=axial.grid.spacing_zyx, coordinate_system="PATIENT",
    )  # fmt: skip
    kind = "BINARY" if syntax == "1.2.840.10008.1.2" else "LABELMAP"
    write_by_hand(tmp_path / "theirs.dcm", axial, volume, segmentation_type=kind, transfer_syntax_uid=syntax)
    np.testing.assert_array_equal(read_segmentation(tmp_path / "theirs.dcm", axial).mask(1), mask)


def write_by_hand(path, volume: Volume, pixels, segmentation_type="BINARY", segments=("liver",), **options):
    """What another program writes: highdicom with all of the source's headers."""
    described = [
        highdicom.seg.SegmentDescription(
            number, name, codes.SCT.AnatomicalStructure, codes.SCT.Liver, algorithm_type="MANUAL"
        )
        for number, name in enumerate(segments, start=1)
    ]
    sources = [pydicom.dcmread(plane.path) for plane in volume.planes]
    for source in sources:
        source.StudyTime = "101112"
    highdicom.seg.Segmentation(
        sources, pixels, segmentation_type, described, series_instance_uid=highdicom.UID(), series_number=9,
        sop_instance_uid=highdicom.UID(), instance_number=1, manufacturer="Other", manufacturer_model_name="Other",
        software_versions="1", device_serial_number="1", **options,
    ).save_as(path)  # fmt: skip


def test_nothing_to_refer_to_or_to_write_is_told(axial, image_in_memory, tmp_path):
    mask = blobs(image_in_memory)
    with pytest.raises(InputError, match=r"in memory is not made of DICOM images.*NIfTI"):
        write_segmentation(tmp_path / "m.dcm", [MaskObject("liver", mask)], image_in_memory)
    with pytest.raises(InputError, match=r"mask of 'liver' is empty"):
        write_segmentation(tmp_path / "m.dcm", [MaskObject("liver", np.zeros(axial.grid.shape_zyx, bool))], axial)
    axial.planes[2].path.unlink()
    with pytest.raises(InputError, match=r"An image of the volume can no longer be read: no such file .*IM\d+"):
        write_segmentation(tmp_path / "m.dcm", [MaskObject("liver", blobs(axial))], axial)
    assert not (tmp_path / "m.dcm").exists()


@pytest.mark.parametrize("missing", ["FrameOfReferenceUID", "StudyInstanceUID", "SeriesInstanceUID"])
def test_a_source_without_the_uids_to_refer_to_is_told(make_series, tmp_path, missing):
    volume = read_volume(make_series(**{missing: None}))
    with pytest.raises(InputError, match=f"no {missing} in "):
        write_segmentation(tmp_path / "m.dcm", [MaskObject("liver", blobs(volume))], volume)


@pytest.mark.parametrize("kind", ["BINARY", "LABELMAP"])
def test_segments_that_are_shown_and_not_described_are_told(axial, tmp_path, kind):
    path, mask = tmp_path / "m.dcm", blobs(axial)
    write_segmentation(path, [MaskObject("liver", mask), MaskObject("rest", ~mask)], axial)
    dataset = pydicom.dcmread(path)
    if kind == "LABELMAP":
        labels = np.where(mask, 1, 2).astype(np.uint8)
        volume = highdicom.Volume.from_components(
            labels, position=axial.grid.origin, direction=axial.grid.axes[:, ::-1], spacing=axial.grid.spacing_zyx,
            coordinate_system="PATIENT",
        )  # fmt: skip
        write_by_hand(path, axial, volume, segmentation_type=kind, segments=("liver", "rest"))
        dataset = pydicom.dcmread(path)
    dataset.SegmentSequence = [each for each in dataset.SegmentSequence if each.SegmentLabel != "rest"]
    dataset.save_as(path)
    read = read_segmentation(path, axial)
    np.testing.assert_array_equal(read.mask(1), mask)
    assert 2 not in read.names
    assert "does not describe were left out: 2" in read.notes[-1]


def test_a_fractional_segmentation_without_a_greatest_value_has_no_voxel_everywhere(axial, tmp_path):
    path, values = tmp_path / "m.dcm", np.random.default_rng(6).random(axial.grid.shape_zyx)
    values[values < 0.5] = 0
    volume = highdicom.Volume.from_components(
        values, position=axial.grid.origin, direction=axial.grid.axes[:, ::-1], spacing=axial.grid.spacing_zyx,
        coordinate_system="PATIENT",
    )  # fmt: skip
    write_by_hand(path, axial, volume, segmentation_type="FRACTIONAL")
    dataset = pydicom.dcmread(path)
    dataset.MaximumFractionalValue = 0
    dataset.save_as(path)
    np.testing.assert_array_equal(read_segmentation(path, axial).mask(1), np.round(values * 255) > 0)
