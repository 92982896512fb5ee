"""NIfTI files as they are met: every number type, contradictory headers, cut off and foreign files."""

from __future__ import annotations

import gzip
import os
import struct

import nibabel
import numpy as np
import pytest

from pqcomq.errors import InputError
from pqcomq.volumes.reading import read_volume

AFFINE = np.array([[-0.75, 0, 0, 20], [0, -1.5, 0, 30], [0, 0, 4.0, -50], [0, 0, 0, 1]])
VALUES = np.random.default_rng(0).integers(0, 100, (5, 6, 7))
SHORT = VALUES.astype(np.int16)


@pytest.fixture
def nifti(tmp_path):
    """A function that writes ``VALUES`` (or others) and patches header bytes; returns the path."""

    def write(values=SHORT, name="a.nii", patch=(), affine=AFFINE):
        path = tmp_path / name
        nibabel.save(nibabel.Nifti1Image(values, affine), tmp_path / "plain.nii")
        raw = bytearray((tmp_path / "plain.nii").read_bytes())
        for form, offset, *numbers in patch:
            struct.pack_into(form, raw, offset, *numbers)
        path.write_bytes(gzip.compress(raw) if name.lower().endswith(".gz") else raw)
        return path

    return write


def refused(path, **options) -> str:
    """The one sentence with which ``path`` is refused."""
    with pytest.raises(InputError) as caught:
        read_volume(path, **options)
    message = str(caught.value)
    assert "\n" not in message and message.endswith(".") and path.name in message
    return message


def shown(values):
    """Values of an x y z array whose file is in RAS-flipped (LPS) order, as z y x."""
    return np.asarray(values).transpose(2, 1, 0)


@pytest.mark.parametrize("code", ["u1", "i1", "u2", "i2", "u4", "i4", "f4", "f8", ">i2", ">f4"])
@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "A.NII", "A.NII.GZ"])
def test_whole_numbers_of_every_type_become_int16(nifti, code, name):
    volume = read_volume(nifti(VALUES.astype(code), name))
    assert volume.voxels.dtype == np.int16
    np.testing.assert_array_equal(volume.voxels, shown(VALUES))


@pytest.mark.parametrize("code", ["i8", "u8"])
def test_eight_byte_integers(tmp_path, code):
    nibabel.save(nibabel.Nifti1Image(VALUES.astype(code), AFFINE, dtype=np.dtype(code)), tmp_path / "a.nii")
    np.testing.assert_array_equal(read_volume(tmp_path / "a.nii").voxels, shown(VALUES))


def test_big_numbers_and_fractions_keep_their_values(nifti):
    assert read_volume(nifti((VALUES * 1000).astype(np.int32))).voxels.dtype == np.int32
    fractions = (VALUES / 4).astype(np.float64)
    volume = read_volume(nifti(fractions))
    assert volume.voxels.dtype == np.float32
    np.testing.assert_array_equal(volume.voxels, shown(fractions))


@pytest.mark.parametrize(("slope", "intercept"), [(1, -1024), (2, 0), (0.5, 3), (0, 0), (float("nan"), 0)])
def test_slope_and_intercept_are_applied_as_nibabel_does(nifti, slope, intercept):
    path = nifti(patch=[("<2f", 112, slope, intercept)])
    np.testing.assert_array_equal(read_volume(path).voxels, shown(nibabel.load(path).get_fdata()))


def test_modality_is_guessed_and_told_and_can_be_given(nifti):
    air = nifti((VALUES - 1000).astype(np.int16))
    assert read_volume(air).modality == "CT"
    assert any("Taken for CT" in note for note in read_volume(air).notes)
    assert read_volume(nifti()).modality == "MR"
    given = read_volume(air, modality="other")
    assert given.modality == "other"
    assert given.notes == ()


def test_the_name_is_the_stem(nifti):
    assert read_volume(nifti(name="liver.v2.nii.gz")).name == "liver.v2"


def test_a_fourth_dimension_of_one_is_no_obstacle(nifti):
    assert read_volume(nifti(VALUES[..., None].astype(np.int16))).voxels.shape == (7, 6, 5)


@pytest.mark.parametrize(
    ("shape", "reason"),
    [((5, 6, 7, 2), "4 dimensions"), ((5, 6, 7, 1, 3), "5 dimensions"), ((5, 6), "2-D"), ((5,), "1-D")],
)
def test_other_dimensions_are_refused(nifti, shape, reason):
    assert reason in refused(nifti(np.zeros(shape, np.int16)))


def test_colour_and_complex_are_refused(nifti):
    assert "RGB" in refused(nifti(np.zeros((3, 4, 5), [("R", "u1"), ("G", "u1"), ("B", "u1")])))
    assert "complex" in refused(nifti(np.zeros((3, 4, 5), np.complex64)))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("code", ["f4", "f8", ">f4"])
def test_non_finite_values_are_counted_and_refused(nifti, bad, code):
    values = VALUES.astype(code)
    values[1, 2, 3] = values[3, 2, 1] = bad
    assert "2 voxels that are not finite" in refused(nifti(values, "a.nii.gz"))


def test_numbers_beyond_single_precision_are_refused(nifti):
    assert "too large" in refused(nifti(VALUES.astype(np.float64) * 1e300))


@pytest.mark.parametrize("spacing", [(0, 1, 1), (float("nan"), 1, 1), (1, float("inf"), 1), (1, 1, -3), (1, 1, 1e6)])
@pytest.mark.parametrize("sform", [0, 1])
def test_implausible_spacing_is_refused(nifti, spacing, sform):
    assert "spacing" in refused(nifti(patch=[("<3f", 80, *spacing), ("<2h", 252, 1, sform)]))


@pytest.mark.parametrize("row", [(0, 0, 0, 0), (float("nan"), 0, 0, 0)])
def test_a_broken_affine_is_refused(nifti, row):
    assert "affine" in (message := refused(nifti(patch=[("<4f", 280, *row)]))) or "spacing" in message


def test_sheared_axes_are_refused_even_if_the_quaternion_is_fine(nifti):
    sheared = AFFINE.copy()
    sheared[0, 1] = 0.2
    assert "right angles" in refused(nifti(affine=sheared))
    assert "right angles" in refused(nifti(patch=[("<f", 284, 0.2), ("<h", 252, 1)]))


def test_where_two_voxel_sizes_are_stated_the_affine_wins_as_in_nibabel(nifti):
    path = nifti(patch=[("<3f", 80, 5, 5, 5)])
    volume = read_volume(path)
    np.testing.assert_allclose(volume.grid.spacing, nibabel.affines.voxel_sizes(nibabel.load(path).affine), rtol=1e-6)
    assert any("two voxel sizes" in note for note in volume.notes)


def test_a_file_without_orientation_says_so(nifti):
    volume = read_volume(nifti(patch=[("<2h", 252, 0, 0)]))
    assert any("does not say how it lies" in note for note in volume.notes)


def test_other_units_than_millimetres_are_refused(nifti):
    assert "metres" in refused(nifti(patch=[("<B", 123, 1)]))


@pytest.mark.parametrize("keep", [0.1, 0.5, 0.9, -1])
@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_a_file_that_was_cut_off_is_refused(nifti, keep, name, capfd):
    path = nifti(np.random.default_rng(0).integers(0, 3000, (20, 20, 20)).astype(np.int16), name)
    raw = path.read_bytes()
    path.write_bytes(raw[: int(len(raw) * keep) if keep > 0 else keep])
    assert "cut off" in refused(path)
    assert capfd.readouterr() == ("", "")


def test_a_damaged_gzip_stream_is_refused(nifti):
    path = nifti(name="a.nii.gz")
    raw = bytearray(path.read_bytes())
    raw[-6] ^= 0xFF  # in the checksum
    path.write_bytes(raw)
    assert "damaged" in refused(path)


def test_a_header_that_promises_terabytes_is_refused_at_once(nifti):
    assert "cut off" in refused(nifti(patch=[("<8h", 40, 3, 32000, 32000, 32000, 1, 1, 1, 1)]))


@pytest.mark.parametrize(
    "dim", [(0,) * 8, (3, 0, 5, 5, 1, 1, 1, 1), (3, -4, 5, 5, 1, 1, 1, 1), (9, 5, 6, 7, 1, 1, 1, 1)]
)
def test_damaged_dimensions_are_refused(nifti, dim):
    refused(nifti(patch=[("<8h", 40, *dim)]))


@pytest.mark.parametrize("offset", [float("nan"), -1, 0, 1e30])
def test_a_damaged_voxel_offset_is_refused(nifti, offset):
    refused(nifti(patch=[("<f", 108, offset)]))


@pytest.mark.parametrize("seed", range(60))
def test_random_damage_to_the_header_never_escapes_as_another_error(nifti, seed, capfd):
    rng = np.random.default_rng(seed)
    patch = [("<B", int(offset), int(rng.integers(256))) for offset in rng.integers(0, 348, 4)]
    try:
        read_volume(nifti(patch=patch))
    except InputError as error:
        assert "\n" not in str(error)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
@pytest.mark.parametrize("content", [b"hello\n" * 200, b"x", b"\x1f\x8bnot gzip at all", bytes(400)])
def test_foreign_content_is_refused(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    refused(tmp_path / name)


def test_names_that_lie_about_compression_are_refused(nifti):
    plain, packed = nifti(name="a.nii"), nifti(name="b.nii.gz")
    assert "rename it to end in .nii.gz" in refused(packed.rename(packed.with_name("b.nii")))
    assert "rename it to end in .nii." in refused(plain.rename(plain.with_name("a.nii.gz")))


def test_nifti_2_and_pairs_are_refused_by_name(tmp_path):
    nibabel.save(nibabel.Nifti2Image(VALUES.astype(np.int16), AFFINE), tmp_path / "two.nii")
    assert "NIfTI-2" in refused(tmp_path / "two.nii")
    nibabel.save(nibabel.Nifti1Pair(VALUES.astype(np.int16), AFFINE), tmp_path / "pair.img")
    assert ".hdr/.img" in refused((tmp_path / "pair.hdr").rename(tmp_path / "pair.nii"))


def test_paths_that_hold_nothing(tmp_path):
    assert "does not exist" in refused(tmp_path / "none.nii.gz")
    (tmp_path / "empty.nii").touch()
    assert "empty" in refused(tmp_path / "empty.nii")
    assert "no DICOM images" in refused(tmp_path)
    (tmp_path / "notes.txt").write_text("neither of the two" * 20)
    assert "neither a NIfTI file" in refused(tmp_path / "notes.txt")


def test_a_series_cannot_be_chosen_in_a_file(nifti):
    assert "single file" in refused(nifti(), series="2")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes on this system")
def test_a_pipe_does_not_block(tmp_path):
    os.mkfifo(tmp_path / "pipe.nii")
    assert "neither a file nor a folder" in refused(tmp_path / "pipe.nii")


def test_a_file_that_may_not_be_read(nifti, as_nobody):
    path = nifti()
    path.chmod(0)
    with as_nobody():
        assert "permission denied" in refused(path)
