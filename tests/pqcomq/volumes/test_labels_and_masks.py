"""Label maps must lie on the volume's voxels; masks are whole files or none."""

from __future__ import annotations

import subprocess
from contextlib import contextmanager

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk

from pqcomq.errors import InputError
from pqcomq.masks.read_masks import names_in, read_masks
from pqcomq.volumes.import_issues import RemedyNeeded
from pqcomq.volumes.labels.label_maps import read_label_file, read_labels
from pqcomq.volumes.labels.label_writer import write_mask
from pqcomq.volumes.volume import Volume
from pqcomq.volumes.volume_choice import PartChoiceNeeded
from pqcomq.volumes.volume_reader import read_volume

LABELS = np.random.default_rng(2).integers(0, 5, (7, 6, 5)).astype(np.uint8)


@pytest.fixture
def volume(image_of):
    return Volume.of(image_of(LABELS.astype(np.int16)), "CT", "sample")


def label_file(path, image):
    sitk.WriteImage(image, str(path))
    return path


@pytest.mark.parametrize(("top", "kind"), [(4, np.uint8), (255, np.uint8), (256, np.uint16), (70000, np.uint32)])
@pytest.mark.parametrize("stored", [np.int32, np.float32, np.float64])
def test_labels_come_as_the_smallest_type(tmp_path, image_of, volume, top, kind, stored):
    values = LABELS.astype(stored)
    values[0, 0, 0] = top
    labels = read_labels(label_file(tmp_path / "l.nii.gz", image_of(values)), volume)
    assert labels.dtype == kind
    np.testing.assert_array_equal(labels, values)


def test_labels_with_other_axes_on_the_same_voxels_fit(tmp_path, image_of, volume):
    turned = sitk.DICOMOrient(image_of(LABELS), "ASR")
    np.testing.assert_array_equal(read_labels(label_file(tmp_path / "l.nii.gz", turned), volume), LABELS)


@pytest.mark.parametrize("shift", [2e-4, -2e-4])
def test_rounding_in_the_header_is_tolerated(tmp_path, image_of, volume, shift):
    image = image_of(LABELS)
    image.SetOrigin([v + shift for v in image.GetOrigin()])
    np.testing.assert_array_equal(read_labels(label_file(tmp_path / "l.nii", image), volume), LABELS)


@pytest.mark.parametrize(
    "change",
    [
        lambda i: i.SetOrigin([v + 0.2 for v in i.GetOrigin()]),
        lambda i: i.SetSpacing((0.75, 1.25, 3.6)),
        lambda i: i.SetDirection((1, 0, 0, 0, -1, 0, 0, 0, 1)),
        lambda i: i.SetDirection((np.cos(0.05), -np.sin(0.05), 0, np.sin(0.05), np.cos(0.05), 0, 0, 0, 1)),
    ],
    ids=["origin", "spacing", "flipped", "turned"],
)
def test_labels_elsewhere_are_refused(tmp_path, image_of, volume, change):
    image = image_of(LABELS)
    change(image)
    path = label_file(tmp_path / "l.nii", image)
    with pytest.raises(
        RemedyNeeded, match=r"do not lie on .*: its corners .* mm away \(.*l\.nii on sample\); .*'resample'"
    ):
        read_labels(path, volume)
    file = read_label_file(path, volume, remedies=["resample"])
    reference = volume.grid.place(sitk.Image(volume.grid.size, sitk.sitkUInt8))
    expected = sitk.Resample(image, reference, sitk.Transform(), sitk.sitkNearestNeighbor)
    np.testing.assert_array_equal(file.layers[0], sitk.GetArrayFromImage(expected))
    assert file.findings[0].chosen == "resample"


@pytest.mark.parametrize("shift", [0.01, 0.07])
def test_labels_less_than_a_tenth_of_a_voxel_beside_are_taken_with_a_note(tmp_path, image_of, volume, shift):
    image = image_of(LABELS)
    image.SetOrigin([v + shift for v in image.GetOrigin()])
    file = read_label_file(label_file(tmp_path / "l.nii", image), volume)
    np.testing.assert_array_equal(file.layers[0], LABELS)
    assert "less than a tenth of one" in str(file.findings[0])


@pytest.mark.parametrize("kind", [np.uint8, np.int16])
def test_labels_saved_from_floats_are_rounded_with_a_note(tmp_path, image_of, volume, kind):
    """nibabel writes floats under an integer header with a slope, and 2 comes back as 2.00007."""
    path = label_file(tmp_path / "plain.nii", image_of(LABELS.astype(np.float32)))
    values = np.array([0, 1, 2, 5, 104])[LABELS]
    image = nibabel.Nifti1Image(values.T.astype(float), nibabel.load(path).affine)
    image.set_data_dtype(kind)
    nibabel.save(image, tmp_path / "l.nii")
    stored = nibabel.load(tmp_path / "l.nii").get_fdata()
    assert 0 < np.abs(stored - np.rint(stored)).max() < 0.5
    if np.abs(stored - np.rint(stored)).max() > 0.01:
        with pytest.raises(InputError, match="no labels"):
            read_label_file(tmp_path / "l.nii", volume)
        return
    file = read_label_file(tmp_path / "l.nii", volume)
    np.testing.assert_array_equal(file.layers[0], values)
    assert "rounded" in str(file.findings[0])


def test_one_volume_of_a_file_with_several_is_chosen(tmp_path, image_of, volume):
    two = sitk.JoinSeries([image_of(LABELS), image_of(np.flip(LABELS).copy())])
    path = label_file(tmp_path / "l.nii", two)
    with pytest.raises(PartChoiceNeeded, match="holds 2 volumes"):
        read_labels(path, volume)
    np.testing.assert_array_equal(read_labels(path, volume, part=2), np.flip(LABELS))


def slicer_file(path, layers, fields):
    """Layers (z, y, x) as a segmentation of 3D Slicer."""
    image = sitk.Compose(*layers) if len(layers) > 1 else layers[0]
    for key, value in fields.items():
        image.SetMetaData(key, value)
    writer = sitk.ImageFileWriter()
    writer.SetFileName(str(path))
    writer.Execute(image)
    return path


def test_a_cropped_slicer_segmentation_is_placed_by_its_header(tmp_path, image_of, direction):
    whole = np.zeros(LABELS.shape, np.uint8)
    whole[2:5, 1:4, 2:4] = 1 + (LABELS[2:5, 1:4, 2:4] > 2)
    turned = Volume.of(image_of(LABELS.astype(np.int16), direction), "CT", "sample")
    cut = sitk.RegionOfInterest(image_of(whole, direction), [2, 3, 3], [2, 1, 2])
    fields = {"Segment0_LabelValue": "2", "Segment0_Name": "spleen", "Segment0_Color": "0.5 0.25 1"}
    path = slicer_file(tmp_path / "s.seg.nrrd", [cut], fields | {"Segment1_LabelValue": "1"})
    read = read_masks(path, turned)
    assert read.names == {1: "spleen", 2: "segment 2"}
    assert read.colours == {1: (0.5, 0.25, 1.0)}
    expected = sitk.GetArrayFromImage(sitk.DICOMOrient(image_of(whole, direction), "LPS"))
    np.testing.assert_array_equal(read.mask(1), expected == 2)
    np.testing.assert_array_equal(read.mask(2), expected == 1)
    with pytest.raises(RemedyNeeded, match="its size is"):
        read_masks(label_file(tmp_path / "other.nrrd", cut), turned)


@pytest.mark.parametrize("named", [True, False])
def test_layers_of_a_slicer_segmentation_may_overlap(tmp_path, image_of, volume, named):
    one, two = (LABELS > 1).astype(np.uint8), (LABELS > 3).astype(np.uint8)
    fields = {}
    for index, name in enumerate(["liver", "lesion"] if named else []):
        told = {"LabelValue": "1", "Layer": str(index), "Name": name}
        fields |= {f"Segment{index}_{key}": value for key, value in told.items()}
    path = slicer_file(tmp_path / "s.seg.nrrd", [image_of(one), image_of(two)], fields)
    read = read_masks(path, volume)
    assert list(read.names.values()) == (["liver", "lesion"] if named else ["layer 1, label 1", "layer 2, label 1"])
    np.testing.assert_array_equal(read.mask(1), one)
    np.testing.assert_array_equal(read.mask(2), two)
    np.testing.assert_array_equal(read_labels(path, volume, part=2), two)
    with pytest.raises(InputError, match="2 layers"):
        read_labels(path, volume)


def test_layers_of_an_older_slicer_are_one_for_each_segment(tmp_path, image_of, volume):
    """Before 4.11 headers said neither layer nor value; today's 3D Slicer takes them for the segments' own."""
    masks = [np.greater(LABELS, least).astype(np.uint16) for least in (0, 1, 3)]
    named = {f"Segment{index}_Name": name for index, name in enumerate(["liver", "spleen", "kidney"])}
    path = slicer_file(tmp_path / "s.seg.nrrd", [image_of(mask) for mask in masks], named)
    read = read_masks(path, volume)
    assert read.names == names_in(path) == {1: "liver", 2: "spleen", 3: "kidney"}
    for number, mask in enumerate(masks, start=1):
        np.testing.assert_array_equal(read.mask(number), mask)


def test_labels_that_a_slicer_segmentation_does_not_describe_are_told(tmp_path, image_of, volume):
    fields = {"Segment0_LabelValue": "2", "Segment0_Name": "spleen"}
    read = read_masks(slicer_file(tmp_path / "s.seg.nrrd", [image_of(LABELS)], fields), volume)
    assert read.names == {1: "spleen"}
    told = "Labels that the file holds and does not describe were left out: 1 in layer 1, 3 in layer 1, 4 in layer 1."
    assert read.notes == (told,)


def test_labels_too_large_to_be_told_apart_are_refused(tmp_path, image_of, volume):
    values = LABELS.astype(np.int64)
    values[0, 0, 0] = (1 << 31) - 1
    path = label_file(tmp_path / "l.nii.gz", image_of(values))
    assert read_labels(path, volume).max() == (1 << 31) - 1
    values[0, 0, :2] = 3_000_000_001, 3_000_000_002
    with pytest.raises(InputError, match=r"labels above 2,147,483,647, which cannot be told apart"):
        read_labels(label_file(path, image_of(values)), volume)


def test_labels_of_another_size_are_refused(tmp_path, image_of, volume):
    with pytest.raises(RemedyNeeded, match="its size is 5 x 6 x 6, not 5 x 6 x 7 voxels"):
        read_labels(label_file(tmp_path / "l.nii", image_of(LABELS[1:])), volume)


@pytest.mark.parametrize("values", [LABELS - 1.0, LABELS + 0.5], ids=["negative", "fractions"])
def test_values_that_are_no_labels_are_refused(tmp_path, image_of, volume, values):
    with pytest.raises(InputError, match="no labels"):
        read_labels(label_file(tmp_path / "l.nii", image_of(values)), volume)


def test_labels_must_be_nifti(tmp_path, volume):
    (tmp_path / "l.txt").write_text("1")
    for path in (tmp_path, tmp_path / "l.txt"):
        with pytest.raises(InputError, match="not a NIfTI, NRRD or MetaImage file"):
            read_labels(path, volume)


@pytest.mark.parametrize("name", ["m.nii.gz", "m.nii", "m.v1.2.nii.gz"])
@pytest.mark.parametrize(("top", "kind"), [(1, "8-bit"), (255, "8-bit"), (256, "16-bit"), (65535, "16-bit")])
def test_masks_are_written_small_and_whole(tmp_path, volume, name, top, kind):
    mask = np.zeros(LABELS.shape, np.int64)
    mask[2, 3, 4] = top
    write_mask(tmp_path / name, mask, volume)
    assert [p.name for p in tmp_path.iterdir()] == [name]
    assert sitk.ReadImage(str(tmp_path / name)).GetPixelIDTypeAsString() == f"{kind} unsigned integer"
    np.testing.assert_array_equal(read_labels(tmp_path / name, volume), mask)


def test_a_boolean_mask(tmp_path, volume):
    write_mask(tmp_path / "m.nii.gz", LABELS > 2, volume)
    np.testing.assert_array_equal(read_labels(tmp_path / "m.nii.gz", volume), LABELS > 2)
    assert (tmp_path / "m.nii.gz").stat().st_mode & 0o044  # as readable as any file, not as a temporary one


def test_an_existing_file_is_kept_unless_told(tmp_path, volume):
    path = tmp_path / "m.nii.gz"
    path.write_text("precious")
    with pytest.raises(InputError, match=r"exists already .*m\.nii\.gz"):
        write_mask(path, LABELS, volume)
    assert path.read_text() == "precious"
    write_mask(path, LABELS, volume, overwrite=True)
    np.testing.assert_array_equal(read_labels(path, volume), LABELS)


def test_unfit_targets_and_masks(tmp_path, volume):
    (tmp_path / "folder.nii").mkdir()
    for target, mask, reason in [
        (tmp_path / "M.NII.GZ", LABELS, r"must end in \.nii\.gz, \.nii, \.nrrd or \.mha"),
        (tmp_path / "m.png", LABELS, r"must end in \.nii\.gz, \.nii, \.nrrd or \.mha"),
        (tmp_path / "none" / "m.nii", LABELS, "no folder"),
        (tmp_path / "folder.nii", LABELS, "is a folder"),
        (tmp_path / "m.nii", LABELS[1:], r"shape \(6, 6, 5\) does not fit"),
        (tmp_path / "m.nii", LABELS.astype(np.float32), "whole numbers"),
        (tmp_path / "m.nii", LABELS.astype(np.int64) - 9, "0 to 65535"),
        (tmp_path / "m.nii", LABELS.astype(np.int64) + 65535, "0 to 65535"),
    ]:
        with pytest.raises(InputError, match=reason):
            write_mask(target, mask, volume, overwrite=True)
    assert [p.name for p in tmp_path.iterdir()] == ["folder.nii"]


def test_a_folder_that_may_not_be_written(tmp_path, volume, as_nobody):
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o555)
    with as_nobody(), pytest.raises(InputError, match=r"(permission denied|read-only).*locked"):
        write_mask(folder / "m.nii.gz", LABELS, volume)
    assert not list(folder.iterdir())


@contextmanager
def tiny_disk(folder):
    """A file system of 32 KB, mounted for real."""
    folder.mkdir()
    try:
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32k", "tmpfs", folder], capture_output=True)
    except FileNotFoundError:
        pytest.skip("no mount command")
    if mounted.returncode:
        pytest.skip("a file system can only be mounted by root")
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


@contextmanager
def size_limit(folder):
    """No file may grow beyond 32 KB, which needs no rights: a short write, as on a full disk."""
    resource = pytest.importorskip("resource", reason="no file size limits on this system")
    folder.mkdir()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (32 * 1024, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("disk", [tiny_disk, size_limit])
@pytest.mark.parametrize("name", ["m.nii.gz", "m.nii"])
def test_a_full_disk_leaves_nothing_behind_and_the_old_file_whole(tmp_path, image_of, disk, name):
    noise = np.random.default_rng(3).integers(0, 2, (60, 60, 60)).astype(np.uint8)
    volume = Volume.of(image_of(noise), "CT", "sample")
    with disk(tmp_path / "disk"):
        path = tmp_path / "disk" / name
        path.write_text("the old mask")
        with pytest.raises(InputError, match=r"could not be written.*disk"):
            write_mask(path, noise.repeat(2, axis=0)[:60] * 7, volume, overwrite=True)
        assert path.read_text() == "the old mask"
        assert [p.name for p in path.parent.iterdir()] == [name]


def test_the_real_labels_fit_their_volume_and_no_other(shared_data):
    volume = read_volume(shared_data / "abdomen_ct.nii.gz")
    labels = read_labels(shared_data / "abdomen_ct_labels.nii.gz", volume)
    assert labels.shape == volume.voxels.shape
    assert {1, 2, 3, 5, 6, 7} <= set(np.unique(labels))
    with pytest.raises(InputError, match="wholly outside of the volume"):
        read_labels(shared_data / "abdomen_mr_labels.nii.gz", volume)
