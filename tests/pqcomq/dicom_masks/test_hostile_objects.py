"""Segmentations and structure sets from strangers: each is read rightly or refused in one sentence that names it."""

from __future__ import annotations

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

from pqcomq.dicom_masks.mask_object import MaskObject
from pqcomq.dicom_masks.object_loading import object_kind
from pqcomq.dicom_masks.rtstruct_reader import read_structure_set
from pqcomq.dicom_masks.seg_reader import read_segmentation
from pqcomq.errors import InputError

from ..dicom_objects import write_segmentation, write_structure_set

KINDS = {
    "SEG": (write_segmentation, read_segmentation),
    "RTSTRUCT": (write_structure_set, read_structure_set),
}


@pytest.fixture
def mask(axial):
    mask = np.zeros(axial.grid.shape_zyx, bool)
    mask[1:5, 2:7, 1:5] = True
    return mask


@pytest.fixture(params=KINDS)
def written(request, axial, mask, tmp_path):
    """A good object and its reader."""
    write, read = KINDS[request.param]
    path = tmp_path / "object.dcm"
    write(path, [MaskObject("liver", mask), MaskObject("cyst", mask & (np.indices(mask.shape)[2] == 2))], axial)
    return path, read


@pytest.fixture
def segmentation(axial, mask, tmp_path):
    write_segmentation(tmp_path / "seg.dcm", [MaskObject("liver", mask)], axial)
    return tmp_path / "seg.dcm"


@pytest.fixture
def structures(axial, mask, tmp_path):
    write_structure_set(tmp_path / "rt.dcm", [MaskObject("liver", mask)], axial)
    return tmp_path / "rt.dcm"


def changed(path, change):
    """The same file after a change to its data set."""
    dataset = pydicom.dcmread(path)
    change(dataset)
    dataset.save_as(path)
    return path


def refused(read, path, volume, **options):
    with pytest.raises(InputError) as caught:
        read(path, volume, **options)
    sentence = str(caught.value)
    assert path.name in sentence
    assert "\n" not in sentence
    assert sentence.endswith(".")
    return sentence


def test_kinds_are_told_apart(segmentation, structures, axial, tmp_path):
    (tmp_path / "notes.dcm").write_text("not DICOM at all, though the name says so" * 9)
    kinds = [object_kind(p) for p in (segmentation, structures, axial.planes[0].path, tmp_path / "notes.dcm", tmp_path)]
    assert kinds == ["SEG", "RTSTRUCT", None, None, None]
    assert "is not a DICOM segmentation" in refused(read_segmentation, structures, axial)
    assert "is not a DICOM structure set" in refused(read_structure_set, segmentation, axial)
    assert "is not a DICOM segmentation" in refused(read_segmentation, tmp_path / "notes.dcm", axial)
    assert "There is no such file" in refused(read_segmentation, tmp_path / "none.dcm", axial)


def test_files_cut_off_anywhere_lose_no_object_in_silence(written, axial):
    path, read = written
    whole, complete = path.read_bytes(), read(path, axial)
    survived = 0
    for kept in (0, 100, 132, 140, 400, *range(600, len(whole), len(whole) // 300)):
        path.write_bytes(whole[:kept])
        try:
            left = read(path, axial)
        except InputError as error:
            assert path.name in str(error)
            continue
        survived += 1  # between two elements behind the last one that matters
        assert left.names == complete.names
        np.testing.assert_array_equal(left.mask(1), complete.mask(1))
        np.testing.assert_array_equal(left.mask(2), complete.mask(2))
    assert survived < 10


def test_flipped_bytes_are_read_or_refused_but_never_crash(written, axial):
    path, read = written
    whole = np.frombuffer(path.read_bytes(), np.uint8)
    for seed in range(150):
        rng = np.random.default_rng(seed)
        broken = whole.copy()
        broken[rng.integers(132, whole.size, 3)] = rng.integers(0, 256, 3)
        path.write_bytes(broken.tobytes())
        try:
            read(path, axial)
        except InputError as error:
            assert path.name in str(error)


def test_another_examination_is_refused(written, axial, make_series, mask):
    from pqcomq.volumes.volume_reader import read_volume

    path, read = written
    other = read_volume(make_series(folder="other"))
    assert "belongs to another examination" in refused(read, path, other)


def test_a_volume_that_is_no_dicom_goes_by_positions_and_is_told(written, axial, mask):
    from dataclasses import replace

    path, read = written
    read_back = read(path, replace(axial, planes=()))
    np.testing.assert_array_equal(read_back.mask(1), mask)
    assert "positions alone" in read_back.notes[0]


def test_an_object_without_references_goes_by_its_frame_of_reference(segmentation, structures, axial, mask):
    changed(segmentation, lambda d: d.__delitem__("ReferencedSeriesSequence"))
    np.testing.assert_array_equal(read_segmentation(segmentation, axial).mask(1), mask)

    def forget(dataset):
        for contour in dataset.ROIContourSequence[0].ContourSequence:
            del contour.ContourImageSequence
        del dataset.ReferencedFrameOfReferenceSequence[0].RTReferencedStudySequence

    np.testing.assert_array_equal(read_structure_set(changed(structures, forget), axial).mask(1), mask)


def test_what_is_asked_for_must_be_there(written, axial):
    path, read = written
    assert "2 'cyst'" in refused(read, path, axial, only=[7])
    assert read(path, axial, only=[2]).names == {2: "cyst"}


def groups(dataset):
    return dataset.PerFrameFunctionalGroupsSequence


def move(dataset, millimetres):
    for group in groups(dataset):
        place = group.PlanePositionSequence[0]
        place.ImagePositionPatient = [v + d for v, d in zip(place.ImagePositionPatient, millimetres, strict=True)]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d.__delitem__("SegmentSequence"), "describes no segment"),
        (lambda d: d.__delitem__("PerFrameFunctionalGroupsSequence"), "where each of its frames lies"),
        (lambda d: groups(d).pop(), "where each of its frames lies"),
        (lambda d: groups(d)[0].__delitem__("PlanePositionSequence"), "where each of its frames lies"),
        (lambda d: d.__delitem__("PixelData"), "damaged"),
        (lambda d: setattr(d, "PixelData", b"\xff\xff"), "damaged"),
        (lambda d: setattr(d, "PixelData", bytes(len(d.PixelData))), "has no voxel in any segment"),
        (lambda d: setattr(d, "SegmentationType", "PAINTED"), "unknown type (PAINTED)"),
        (lambda d: setattr(d.SegmentSequence[0], "SegmentNumber", 0), "describes no segment"),
        (lambda d: move(d, (0.4, 0, 0)), "lie between the voxels"),
        (lambda d: move(d, (0, 0, 1.2)), "lie between the voxels"),
        (lambda d: move(d, (0.75 * 3, 0, 0)), "reaches outside"),
        (lambda d: move(d, (0, 0, -2.5 * 3)), "reaches outside"),
        (lambda d: setattr(shared(d).PixelMeasuresSequence[0], "PixelSpacing", [1.0, 0.75]), "turned or spaced"),
        (
            lambda d: setattr(
                shared(d).PlaneOrientationSequence[0], "ImageOrientationPatient", [0.8, 0.6, 0, -0.6, 0.8, 0]
            ),
            "turned or spaced",
        ),
        (lambda d: setattr(d, "Rows", 60000), "damaged"),
        (lambda d: move(d, (1e300, 0, 0)), "where each of its frames lies"),
        (lambda d: setattr(shared(d).PixelMeasuresSequence[0], "PixelSpacing", [0, 0]), "turned or spaced"),
    ],
)
def test_segmentations_that_are_wrong(segmentation, axial, change, words):
    assert words in refused(read_segmentation, changed(segmentation, change), axial)


def test_frames_that_name_no_segment_show_the_only_one(segmentation, axial, mask):
    for item in pydicom.dcmread(segmentation).PerFrameFunctionalGroupsSequence:
        assert "SegmentIdentificationSequence" not in item
    read = read_segmentation(
        changed(segmentation, lambda d: shared(d).__delitem__("SegmentIdentificationSequence")), axial
    )
    np.testing.assert_array_equal(read.mask(1), mask)


def test_frames_that_name_none_of_several_segments_are_refused_with_the_reason(axial, mask, tmp_path):
    write_segmentation(tmp_path / "two.dcm", [MaskObject("liver", mask), MaskObject("rest", ~mask)], axial)

    def forget(dataset):
        for item in (shared(dataset), *groups(dataset)):
            if "SegmentIdentificationSequence" in item:
                del item.SegmentIdentificationSequence

    message = refused(read_segmentation, changed(tmp_path / "two.dcm", forget), axial)
    assert "does not say which of its segments each frame shows (SegmentIdentificationSequence)" in message


def test_a_region_beyond_the_images_does_not_take_the_others_along(axial, mask, tmp_path):
    write_structure_set(tmp_path / "rt.dcm", [MaskObject("liver", mask), MaskObject("couch", ~mask)], axial)

    def widen(dataset):
        for contour in dataset.ROIContourSequence[1].ContourSequence:
            points = np.array(contour.ContourData, float).reshape(-1, 3) + np.array([300, 0, 0])
            contour.ContourData = [f"{v:.4f}" for v in points.ravel()]

    read = read_structure_set(changed(tmp_path / "rt.dcm", widen), axial)
    assert read.names == {1: "liver"}
    np.testing.assert_array_equal(read.mask(1), mask)
    assert "'couch' reaches outside the volume" in read.notes[0]
    with pytest.raises(InputError, match="'couch' reaches outside"):
        read_structure_set(tmp_path / "rt.dcm", axial, only=[1, 2])


def shared(dataset):
    return dataset.SharedFunctionalGroupsSequence[0]


def test_a_segmentation_moved_by_whole_voxels_is_taken_as_it_lies(segmentation, axial, mask):
    moved = read_segmentation(changed(segmentation, lambda d: move(d, (0.75, -1.25, 2.5))), axial)
    np.testing.assert_array_equal(moved.mask(1), np.roll(mask, (1, -1, 1), (0, 1, 2)))


def contours(dataset):
    return dataset.ROIContourSequence[0].ContourSequence


def bend(dataset, change):
    for contour in contours(dataset):
        points = np.array(contour.ContourData, float).reshape(-1, 3)
        contour.ContourData = [f"{v:.6f}" for v in change(points).ravel()]


def tilt(points):
    points[0, 2] += 1.0
    return points


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d.__delitem__("StructureSetROISequence"), "describes no region"),
        (lambda d: d.__delitem__("ROIContourSequence"), "no region with closed contours"),
        (lambda d: contours(d).clear(), "no region with closed contours"),
        (lambda d: [setattr(c, "ContourGeometricType", "POINT") for c in contours(d)], "no region with closed"),
        (lambda d: contours(d)[-1].__delitem__("ContourGeometricType"), "damaged"),
        (lambda d: setattr(contours(d)[-1], "ContourGeometricType", "CLOSE_PLANAR"), "damaged"),
        (lambda d: bend(d, lambda p: p + np.array([0, 0, 1.2])), "'liver' was drawn in other planes"),
        (lambda d: bend(d, tilt), "'liver' was drawn in other planes"),
        (lambda d: bend(d, lambda p: p + np.array([0, 0, 22.5])), "'liver' reaches outside"),
        (lambda d: bend(d, lambda p: p + np.array([50, 0, 0])), "'liver' reaches outside"),
        (lambda d: setattr(d.StructureSetROISequence[0], "ROINumber", 0), "'liver' 0, which stands for the background"),
        (lambda d: setattr(contours(d)[0], "ContourData", ["1", "2"]), "damaged"),
        (lambda d: setattr(contours(d)[0], "ContourData", ["1e300", "-1e300", "0"] * 3), "damaged"),
    ],
)
def test_structure_sets_that_are_wrong(structures, axial, change, words):
    assert words in refused(read_structure_set, changed(structures, change), axial)


def test_regions_without_contours_are_left_out_and_told(structures, axial, mask):
    def add(dataset):
        point = Dataset()
        point.ROINumber, point.ROIName = 2, "isocentre"
        dataset.StructureSetROISequence.append(point)

    read = read_structure_set(changed(structures, add), axial)
    assert read.names == {1: "liver"}
    assert "isocentre" in read.notes[0]


def test_an_object_that_names_no_frame_of_reference_goes_by_its_positions(segmentation, axial, mask):
    read = read_segmentation(changed(segmentation, lambda d: d.__delitem__("FrameOfReferenceUID")), axial)
    np.testing.assert_array_equal(read.mask(1), mask)
    assert "positions alone" in read.notes[0]
    changed(segmentation, lambda d: setattr(d, "FrameOfReferenceUID", generate_uid()))
    assert "another examination" in refused(read_segmentation, segmentation, axial)


def test_a_region_of_another_frame_of_reference_is_left_out_and_told(axial, mask, tmp_path):
    """A structure set may hold regions of two examinations; those of the other lie elsewhere in the patient."""
    path = tmp_path / "rt.dcm"
    write_structure_set(path, [MaskObject("liver", mask), MaskObject("tumour", ~mask)], axial)

    def part(dataset):
        other = Dataset()
        other.FrameOfReferenceUID = generate_uid()
        dataset.ReferencedFrameOfReferenceSequence.append(other)
        dataset.StructureSetROISequence[1].ReferencedFrameOfReferenceUID = other.FrameOfReferenceUID

    read = read_structure_set(changed(path, part), axial)
    assert read.names == {1: "liver"}
    np.testing.assert_array_equal(read.mask(1), mask)
    assert "'tumour' lies in another frame of reference" in read.notes[0]
    assert "'tumour' lies in another" in refused(read_structure_set, path, axial, only=[2])


def test_contours_that_are_there_twice_are_taken_once(structures, axial, mask):
    read = read_structure_set(changed(structures, lambda d: contours(d).extend(contours(d)[:2])), axial)
    np.testing.assert_array_equal(read.mask(1), mask)
    assert read.notes == ("Contours that the file holds twice were taken once: liver.",)


def test_a_region_drawn_on_every_second_slice_is_told(structures, axial, mask):
    def thin(dataset):
        del contours(dataset)[1::2]

    assert read_structure_set(changed(structures, thin), axial).notes == ()  # on two slices: two things, maybe
    write_structure_set(structures, [MaskObject("liver", np.ones_like(mask))], axial)
    read = read_structure_set(changed(structures, thin), axial)
    assert read.mask(1).any(axis=(1, 2)).tolist() == [True, False] * 3
    assert "'liver' was drawn on 3 slices that are no neighbours" in read.notes[0]


def test_a_region_with_a_number_below_zero_is_refused(structures, axial):
    def below(dataset):
        extra = Dataset()
        extra.ROINumber, extra.ROIName = -3, "odd"
        dataset.StructureSetROISequence.append(extra)

    assert "damaged" in refused(read_structure_set, changed(structures, below), axial)
