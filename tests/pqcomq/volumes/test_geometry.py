"""Masks come back to the file's own voxels, and slices stand the right way up."""

from __future__ import annotations

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk

from pqcomq.volumes.labels.label_maps import read_labels
from pqcomq.volumes.labels.label_writer import write_mask
from pqcomq.volumes.volume_reader import read_volume


def lps_to_ras(point):
    return np.array(point) * (-1, -1, 1)


def test_a_mask_goes_out_and_comes_back_at_the_same_millimetres(random_image, tmp_path):
    sitk.WriteImage(random_image, str(tmp_path / "ct.nii.gz"))
    volume = read_volume(tmp_path / "ct.nii.gz")
    mask = np.random.default_rng(1).integers(0, 3, volume.voxels.shape).astype(np.int64)

    write_mask(tmp_path / "mask.nii.gz", mask, volume)

    np.testing.assert_array_equal(read_labels(tmp_path / "mask.nii.gz", volume), mask)
    source, written = nibabel.load(tmp_path / "ct.nii.gz"), nibabel.load(tmp_path / "mask.nii.gz")
    np.testing.assert_allclose(written.affine, source.affine, atol=1e-4)
    assert written.get_data_dtype() == np.uint8
    # nibabel knows nothing of our reorientation: each shown voxel must be the file's voxel at the same place.
    data, to_index = np.asanyarray(written.dataobj), np.linalg.inv(written.affine)
    origin, axes = np.array(volume.grid.origin), np.array(volume.grid.direction).reshape(3, 3)
    for z, y, x in np.ndindex(mask.shape):
        place = lps_to_ras(origin + axes @ (np.array([x, y, z]) * volume.grid.spacing))
        i, j, k = np.rint(to_index @ [*place, 1])[:3].astype(int)
        assert data[i, j, k] == mask[z, y, x]


def test_voxels_are_those_that_nibabel_reads(random_image, tmp_path):
    sitk.WriteImage(random_image, str(tmp_path / "ct.nii"))
    volume = read_volume(tmp_path / "ct.nii")

    assert volume.grid.orientation == "LPS"
    source = nibabel.as_closest_canonical(nibabel.load(tmp_path / "ct.nii"))  # RAS, x y z
    np.testing.assert_array_equal(volume.voxels, source.get_fdata()[::-1, ::-1].transpose(2, 1, 0))


def test_a_marker_is_shown_where_it_lies_in_the_patient(direction, image_of, tmp_path):
    image = image_of(np.zeros((9, 11, 13), np.int16), direction)
    index = (2, 7, 5)
    image[index] = 1000
    place = np.array(image.TransformIndexToPhysicalPoint(index))
    sitk.WriteImage(image, str(tmp_path / "ct.nii.gz"))

    volume = read_volume(tmp_path / "ct.nii.gz")

    ((z, y, x),) = np.argwhere(volume.voxels)
    axes = np.array(volume.grid.direction).reshape(3, 3)
    np.testing.assert_allclose(
        volume.grid.origin + axes @ ((x, y, z) * np.array(volume.grid.spacing)), place, atol=1e-3
    )
    # Index axes point to the patient's left, back and head: the main component of each axis is its own and positive.
    assert np.abs(axes).argmax(axis=0).tolist() == [0, 1, 2]
    assert (np.diag(axes) > 0).all()


def test_the_sample_ct_lies_on_its_back(shared_data):
    """Shown axially the liver is on the left of the screen (patient's right) and the spleen on the right."""
    volume = read_volume(shared_data / "abdomen_ct.nii.gz")
    labels = read_labels(shared_data / "abdomen_ct_labels.nii.gz", volume)

    def centre(label):
        return np.argwhere(labels == label).mean(axis=0)

    assert centre(5)[2] < centre(1)[2]  # liver, spleen
    assert centre(2)[1] > centre(6)[1]  # kidneys lie behind the stomach
    assert volume.modality == "CT"


@pytest.mark.parametrize("name", ["abdomen_ct", "abdomen_mr", "calibration_ct_1", "calibration_ct_2"])
def test_real_volumes_agree_with_nibabel(shared_data, name):
    volume = read_volume(shared_data / f"{name}.nii.gz")
    source = nibabel.as_closest_canonical(nibabel.load(shared_data / f"{name}.nii.gz"))
    np.testing.assert_array_equal(volume.voxels, source.get_fdata()[::-1, ::-1].transpose(2, 1, 0))
    assert volume.modality == ("MR" if "mr" in name else "CT")
    assert volume.name == name
