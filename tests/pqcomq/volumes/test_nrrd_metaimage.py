"""NRRD and MetaImage files: the same voxels at the same millimetres, or one sentence."""

from __future__ import annotations

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk

from pqcomq.errors import InputError
from pqcomq.volumes.labels import read_labels
from pqcomq.volumes.reader import read_volume
from pqcomq.volumes.volume_choice import PartChoiceNeeded

ENDINGS = [".nrrd", ".nhdr", ".mha", ".mhd"]


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("packed", [False, True])
def test_formats_agree_with_nifti_read_by_nibabel(random_image, tmp_path, ending, packed):
    sitk.WriteImage(random_image, str(tmp_path / f"a{ending}"), useCompression=packed)
    sitk.WriteImage(random_image, str(tmp_path / "a.nii"))
    volume = read_volume(tmp_path / f"a{ending}")
    source = nibabel.as_closest_canonical(nibabel.load(tmp_path / "a.nii"))
    np.testing.assert_array_equal(volume.voxels, source.get_fdata()[::-1, ::-1].transpose(2, 1, 0))
    corner = source.affine @ [source.shape[0] - 1, source.shape[1] - 1, 0, 1]
    np.testing.assert_allclose(volume.grid.to_patient([0, 0, 0]) * (-1, -1, 1), corner[:3], atol=1e-3)
    assert volume.name == "a"
    assert volume.modality == read_volume(tmp_path / "a.nii").modality
    labels = read_labels(write_labels(random_image, tmp_path, ending), volume)
    np.testing.assert_array_equal(labels > 0, volume.voxels > 0)


def write_labels(image, folder, ending):
    sitk.WriteImage(sitk.Cast(image > 0, sitk.sitkUInt8), str(folder / f"labels{ending}"))
    return folder / f"labels{ending}"


@pytest.mark.parametrize("ending", [".nrrd", ".mha"])
def test_several_volumes_or_numbers_a_voxel_are_parts(tmp_path, image_of, ending):
    volumes = [image_of(np.full((4, 5, 6), 10 * t, np.int16)) for t in range(3)]
    path = tmp_path / f"a{ending}"
    for made in (sitk.JoinSeries(volumes), sitk.Compose(volumes)):
        sitk.WriteImage(made, str(path))
        with pytest.raises(PartChoiceNeeded, match="holds 3 volumes"):
            read_volume(path)
        assert [int(read_volume(path, part=part).voxels.max()) for part in (1, 2, 3)] == [0, 10, 20]
        with pytest.raises(InputError, match="parts 1 to 3"):
            read_volume(path, part=4)


@pytest.mark.parametrize("ending", [".nrrd", ".mha"])
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("keep", [0.02, 0.5, 0.95])
def test_files_cut_off_are_refused(tmp_path, image_of, ending, packed, keep):
    path = tmp_path / f"a{ending}"
    noise = np.random.default_rng(0).integers(-1000, 1000, (20, 20, 20)).astype(np.int16)
    sitk.WriteImage(image_of(noise), str(path), useCompression=packed)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * keep)])
    with pytest.raises(InputError, match="cut off") as caught:
        read_volume(path)
    assert str(caught.value).count("\n") == 0


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("content", [b"x", b"NRRD0005\n", b"ObjectType = Image\nNDims = 3\n", bytes(500)])
def test_foreign_content_is_refused(tmp_path, ending, content):
    path = tmp_path / f"a{ending}"
    path.write_bytes(content)
    with pytest.raises(InputError, match=rf"a\{ending}"):
        read_volume(path)


def test_flat_and_colour_pictures_are_refused(tmp_path):
    sitk.WriteImage(sitk.Image([5, 6], sitk.sitkInt16), str(tmp_path / "flat.nrrd"))
    with pytest.raises(InputError, match=r"flat\.nrrd is a 2-D picture"):
        read_volume(tmp_path / "flat.nrrd")
    sitk.WriteImage(sitk.Image([5, 6, 7], sitk.sitkVectorUInt8, 3), str(tmp_path / "colour.nrrd"))
    with pytest.raises(InputError, match=r"colour\.nrrd has colour voxels"):
        read_volume(tmp_path / "colour.nrrd")
