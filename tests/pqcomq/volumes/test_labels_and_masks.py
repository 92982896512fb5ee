"""Label maps must lie on the volume's voxels; masks are whole files or none."""

from __future__ import annotations

import subprocess
from contextlib import contextmanager

import numpy as np
import pytest
import SimpleITK as sitk

from pqcomq.errors import InputError
from pqcomq.volumes.label_writer import write_mask
from pqcomq.volumes.labels import read_labels
from pqcomq.volumes.reader import read_volume
from pqcomq.volumes.volume import Volume

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
        lambda i: i.SetOrigin([v + 0.01 for v in i.GetOrigin()]),
        lambda i: i.SetSpacing((0.75, 1.25, 3.51)),
        lambda i: i.SetDirection((1, 0, 0, 0, -1, 0, 0, 0, 1)),
        lambda i: i.SetDirection((np.cos(0.01), -np.sin(0.01), 0, np.sin(0.01), np.cos(0.01), 0, 0, 0, 1)),
    ],
    ids=["origin", "spacing", "flipped", "turned"],
)
def test_labels_elsewhere_are_refused(tmp_path, image_of, volume, change):
    image = image_of(LABELS)
    change(image)
    with pytest.raises(InputError, match=r"l\.nii does not lie on the voxels of sample: its corners .* mm away"):
        read_labels(label_file(tmp_path / "l.nii", image), volume)


def test_labels_of_another_size_are_refused(tmp_path, image_of, volume):
    with pytest.raises(InputError, match="its size is 5 x 6 x 6, not 5 x 6 x 7 voxels"):
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
    with pytest.raises(InputError, match=r"m\.nii\.gz exists already"):
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
        (tmp_path / "m.nii", LABELS - np.int64(9), "0 to 65535"),
        (tmp_path / "m.nii", LABELS + np.int64(65535), "0 to 65535"),
    ]:
        with pytest.raises(InputError, match=reason):
            write_mask(target, mask, volume, overwrite=True)
    assert [p.name for p in tmp_path.iterdir()] == ["folder.nii"]


def test_a_folder_that_may_not_be_written(tmp_path, volume, as_nobody):
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o555)
    with as_nobody(), pytest.raises(InputError, match=r"m\.nii\.gz .*(permission denied|read-only)"):
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
    with pytest.raises(InputError, match="does not lie on the voxels"):
        read_labels(shared_data / "abdomen_mr_labels.nii.gz", volume)
