"""NIfTI files as they are met: every number type, contradictory headers, cut off and foreign files."""

from __future__ import annotations

import gzip
import os
import struct

import nibabel
import numpy as np
import pytest

from pqcomq.errors import InputError
from pqcomq.volumes.import_issues import RemedyNeeded, chosen_remedies
from pqcomq.volumes.labels.label_maps import read_labels
from pqcomq.volumes.nifti.nifti_voxels import holds_voxels
from pqcomq.volumes.volume_choice import PartChoiceNeeded
from pqcomq.volumes.volume_reader import read_volume

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


@pytest.fixture(params=[nibabel.Nifti1Image, nibabel.Nifti2Image], ids=["NIfTI-1", "NIfTI-2"])
def version(request):
    return request.param


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


@pytest.mark.parametrize(
    ("row", "words"), [((0, 0, 0, 0), "do not span a volume"), ((float("nan"), 0, 0, 0), "affine")]
)
def test_a_broken_affine_is_refused(nifti, row, words):
    assert words in refused(nifti(patch=[("<4f", 280, *row)]))


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


@pytest.mark.parametrize(
    ("at", "raw", "told"), [(254, b"\x7f\x00", "sform_code 127"), (256, b"\x00\x00\xc0\x7f", "qform")]
)
def test_geometries_that_cannot_be_are_told(tmp_path, at, raw, told):
    image = nibabel.Nifti1Image(np.zeros((3, 4, 5), np.int16), np.diag([1, 2, 3, 1]))
    image.set_sform(image.affine, 1)
    image.set_qform(image.affine, 1)
    whole = image.to_bytes()
    (tmp_path / "a.nii").write_bytes(whole)
    assert not any(each.kind == "code" for each in read_volume(tmp_path / "a.nii").findings)
    (tmp_path / "a.nii").write_bytes(whole[:at] + raw + whole[at + len(raw) :])
    volume = read_volume(tmp_path / "a.nii")
    assert volume.grid.spacing == (1, 2, 3)
    assert [told in str(each) for each in volume.findings if each.kind == "code"] == [True]


def test_a_file_without_orientation_says_so(nifti):
    volume = read_volume(nifti(patch=[("<2h", 252, 0, 0)]))
    assert any("does not say how it lies" in note for note in volume.notes)


@pytest.mark.parametrize(("code", "unit"), [(0, 1.0), (1, 1e3), (2, 1.0), (3, 1e-3)])
@pytest.mark.parametrize("form", ["sform", "qform", "neither"])
def test_lengths_in_metres_and_micrometres_are_honoured(nifti, code, unit, form):
    codes = {"sform": (0, 1), "qform": (1, 0), "neither": (0, 0)}[form]
    path = nifti(affine=np.vstack([AFFINE[:3] / unit, AFFINE[3:]]), patch=[("<B", 123, code), ("<2h", 252, *codes)])
    volume = read_volume(path)
    np.testing.assert_allclose(volume.grid.spacing, (0.75, 1.5, 4.0), rtol=1e-6)
    if form != "neither":
        np.testing.assert_allclose(volume.grid.origin, (-20, -30, -50), rtol=1e-6)
    assert any("units of" in note for note in volume.notes) == (unit != 1)


def test_an_unknown_unit_is_refused(nifti):
    assert "unknown unit" in refused(nifti(patch=[("<B", 123, 5)]))


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
    assert "rename it to end in .nii (" in refused(plain.rename(plain.with_name("a.nii.gz")))


def test_pairs_are_refused_by_name(tmp_path):
    nibabel.save(nibabel.Nifti1Pair(VALUES.astype(np.int16), AFFINE), tmp_path / "pair.img")
    assert ".hdr/.img" in refused((tmp_path / "pair.hdr").rename(tmp_path / "pair.nii"))


def test_paths_that_hold_nothing(tmp_path):
    assert "There is no such file" in refused(tmp_path / "none.nii.gz")
    (tmp_path / "empty.nii").touch()
    assert "empty" in refused(tmp_path / "empty.nii")
    assert "no DICOM images" in refused(tmp_path)
    (tmp_path / "notes.txt").write_text("neither of the two" * 20)
    assert "is not a NIfTI" in refused(tmp_path / "notes.txt")


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


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
@pytest.mark.parametrize("order", ["<", ">"])
def test_both_versions_of_the_format_read_as_nibabel_reads_them(tmp_path, version, direction, name, order):
    affine = np.eye(4)
    affine[:3, :3] = direction * (0.75, 1.5, 4.0)
    affine[:3, 3] = (20, 30, -50)
    image = version(SHORT, affine, header=version.header_class(endianness=order))
    image.header.set_slope_inter(2, -7)
    nibabel.save(image, tmp_path / name)
    volume = read_volume(tmp_path / name)
    source = nibabel.as_closest_canonical(nibabel.load(tmp_path / name))
    np.testing.assert_array_equal(volume.voxels, source.get_fdata()[::-1, ::-1].transpose(2, 1, 0))
    # The same millimetres: nibabel's in RAS, ours in LPS.
    corner = np.array(volume.grid.size) - 1
    theirs = source.affine @ [0, 0, corner[2], 1]
    np.testing.assert_allclose(volume.grid.to_patient([*corner[:2], corner[2]]) * (-1, -1, 1), theirs[:3], atol=1e-4)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("codes", [(1, 0), (0, 1)])
def test_any_rotation_by_quaternion_or_matrix_is_nibabels(tmp_path, version, seed, codes):
    generator = np.random.default_rng(seed)
    affine = np.eye(4)
    affine[:3, :3] = np.linalg.qr(generator.normal(size=(3, 3)))[0] * generator.uniform(0.5, 4, 3)
    affine[:3, 3] = generator.uniform(-200, 200, 3)
    image = version(SHORT, affine)
    image.set_qform(affine, code=codes[0])
    image.set_sform(affine, code=codes[1])
    nibabel.save(image, tmp_path / "a.nii")
    grid = read_volume(tmp_path / "a.nii").file_grid
    voxels = generator.uniform(-2, 9, (5, 3))
    theirs = nibabel.affines.apply_affine(nibabel.load(tmp_path / "a.nii").affine, voxels)
    np.testing.assert_allclose(grid.to_patient(voxels) * (-1, -1, 1), theirs, atol=2e-4)


def test_a_file_with_several_volumes_asks_which(tmp_path, version):
    values = np.stack([SHORT + 100 * t for t in range(3)], axis=-1)
    for name in ("a.nii", "a.nii.gz"):
        nibabel.save(version(values, AFFINE), tmp_path / name)
        with pytest.raises(PartChoiceNeeded, match=r"4 dimensions \(5 x 6 x 7 x 3\) and holds 3 volumes") as question:
            read_volume(tmp_path / name)
        assert question.value.parts == ["volume 1", "volume 2", "volume 3"]
        for part in (1, 2, 3):
            volume = read_volume(tmp_path / name, part=part)
            np.testing.assert_array_equal(volume.voxels, shown(values[..., part - 1]))
            assert f"number {part}" in volume.notes[0]
        for part in (0, 4, -1):
            assert "parts 1 to 3" in refused(tmp_path / name, part=part)
        raw = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(raw[:-8])
        assert "cut off" in refused(tmp_path / name, part=1)
    assert "only one part" in refused(save_short(tmp_path), part=2)


def save_short(folder):
    nibabel.save(nibabel.Nifti1Image(SHORT, AFFINE), folder / "one.nii")
    return folder / "one.nii"


def two_forms(path, sform, qform, values=SHORT):
    image = nibabel.Nifti1Image(values, sform)
    image.set_sform(sform, code=2)
    image.set_qform(qform, code=1)
    nibabel.save(image, path)
    return path


@pytest.mark.parametrize("skew", [2e-4, 1e-3, 5e-3, 0.2])
@pytest.mark.parametrize("with_qform", [False, True])
def test_skewed_axes_are_resampled_when_asked(tmp_path, skew, with_qform):
    """A value that is linear in the patient's millimetres is kept by linear interpolation."""
    turn = np.radians(8)
    axes = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
    axes[:, 1] += skew * axes[:, 0]
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = axes @ np.diag([0.8, 0.8, 2.5]), (-80, -90, 20)
    places = np.moveaxis(np.indices((40, 36, 12)), 0, -1) @ affine[:3, :3].T + affine[:3, 3]  # RAS
    image = nibabel.Nifti1Image((places @ (3.0, -2.0, 5.0)).astype(np.float32) + 1000, affine)
    image.set_sform(affine, 1)
    image.set_qform(affine, int(with_qform), strip_shears=True)
    nibabel.save(image, tmp_path / "a.nii")
    with pytest.raises(RemedyNeeded, match=r"off right angles to one another.*'resample'") as question:
        read_volume(tmp_path / "a.nii")
    assert question.value.finding.remedies == (("qform", "resample") if with_qform else ("resample",))
    volume = read_volume(tmp_path / "a.nii", remedies=["resample"])
    z, y, x = np.indices(volume.voxels.shape)
    lps = volume.grid.to_patient(np.stack([x, y, z], axis=-1))
    expected = lps @ (-3.0, 2.0, 5.0) + 1000
    inner = volume.voxels[1:-1, 4:-4, 4:-4] if skew < 0.1 else volume.voxels[1:-1, 12:-12, 14:-14]
    cut = np.s_[1:-1, 4:-4, 4:-4] if skew < 0.1 else np.s_[1:-1, 12:-12, 14:-14]
    np.testing.assert_allclose(inner, expected[cut], atol=0.05)


def test_sform_and_qform_that_disagree_are_named_and_the_sform_holds(tmp_path):
    shifted = AFFINE.copy()
    shifted[0, 3] += 12
    volume = read_volume(two_forms(tmp_path / "a.nii", AFFINE, shifted))
    assert any("up to 12 mm apart" in note for note in volume.notes)
    np.testing.assert_allclose(volume.grid.origin, (-20, -30, -50))
    assert not any("apart" in note for note in read_volume(two_forms(tmp_path / "b.nii", AFFINE, AFFINE)).notes)


def test_mirrored_forms_stop_the_load_until_the_user_chooses(tmp_path):
    mirrored = AFFINE * (-1, 1, 1, 1)
    path = two_forms(tmp_path / "a.nii", AFFINE, mirrored)
    with pytest.raises(RemedyNeeded, match=r"left and right are in doubt.*'sform'.*'qform'") as question:
        read_volume(path)
    assert question.value.finding.remedies == ("sform", "qform")
    by_sform, by_qform = (read_volume(path, remedies=[remedy]) for remedy in ("sform", "qform"))
    np.testing.assert_array_equal(by_sform.voxels, by_qform.voxels[:, :, ::-1])
    assert chosen_remedies(by_qform.findings) == ("qform",)
    assert "the remedy chosen was to believe the qform" in "".join(by_qform.notes)


@pytest.mark.parametrize("remedy", ["sform", "qform"])
def test_labels_take_the_form_that_was_chosen_for_their_volume(tmp_path, remedy):
    path = two_forms(tmp_path / "a.nii", AFFINE, AFFINE * (-1, 1, 1, 1))
    volume = read_volume(path, remedies=[remedy])
    with pytest.raises(RemedyNeeded, match="left and right are in doubt"):
        read_labels(path, volume)
    np.testing.assert_array_equal(read_labels(path, volume, remedies=[remedy]), volume.voxels)


def test_labels_on_skewed_axes_are_resampled_to_the_nearest(tmp_path):
    skewed = AFFINE.copy()
    skewed[0, 1] = 0.2
    nibabel.save(nibabel.Nifti1Image(SHORT * 10 + 1, skewed), tmp_path / "a.nii")
    nibabel.save(nibabel.Nifti1Image(np.where(SHORT > 50, 9, 2).astype(np.uint8), skewed), tmp_path / "labels.nii")
    volume = read_volume(tmp_path / "a.nii", remedies=["resample"])
    labels = read_labels(tmp_path / "labels.nii", volume, remedies=["resample"])
    assert labels.shape == volume.voxels.shape
    assert set(np.unique(labels)) == {0, 2, 9}


def test_a_sheared_sform_may_be_replaced_by_a_sound_qform(tmp_path):
    sheared = AFFINE.copy()
    sheared[0, 1] = 0.2
    path = two_forms(tmp_path / "a.nii", sheared, AFFINE)
    with pytest.raises(RemedyNeeded, match="right angles"):
        read_volume(path, remedies=["sform"])
    np.testing.assert_allclose(read_volume(path, remedies=["qform"]).grid.spacing, (0.75, 1.5, 4))


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_a_file_holds_the_voxels_that_were_written_and_no_others(nifti, name):
    path, voxels = nifti(name=name), SHORT.T
    assert holds_voxels(path, voxels)
    other = voxels.copy()
    other[-1, -1, -1] += 1
    for wrong in (other, voxels.astype(np.uint16), voxels[:-1], voxels[:, :, :-1], voxels.transpose(2, 1, 0)):
        assert not holds_voxels(path, wrong)
    raw = path.read_bytes()
    path.write_bytes(raw[:-20])
    with pytest.raises(InputError, match="cut off"):
        holds_voxels(path, voxels)


@pytest.mark.parametrize("turned", [[[0, 0, 1], [1, 0, 0], [0, 1, 0]], [[-1, 0, 0], [0, -1, 0], [0, 0, 1]]])
def test_forms_that_lead_to_different_sides_stop_the_load_until_the_user_chooses(tmp_path, turned):
    """Turned round the way from the first voxel to the last, both of these lie on one another."""
    cube = np.diag([2.0, 2.0, 2.0, 1.0])
    other = cube.copy()
    other[:3, :3] = 2 * np.array(turned)
    path = two_forms(tmp_path / "a.nii", cube, other, np.arange(125, dtype=np.int16).reshape(5, 5, 5))
    with pytest.raises(RemedyNeeded, match=r"to different sides.*'sform'.*'qform'") as question:
        read_volume(path)
    assert question.value.finding.remedies == ("sform", "qform")
    by_qform = read_volume(path, remedies=["qform"]).voxels
    canonical = nibabel.as_closest_canonical(nibabel.Nifti1Image(nibabel.load(path).get_fdata(), other)).get_fdata()
    np.testing.assert_array_equal(by_qform, canonical.T[:, ::-1, ::-1])


def test_forms_that_part_at_other_corners_than_the_first_and_the_last_are_told(tmp_path):
    axis, angle = np.ones(3) / np.sqrt(3), np.radians(20)
    cross = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    turn = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
    cube, other = np.diag([2.0, 2.0, 2.0, 1.0]), np.eye(4)
    other[:3, :3] = 2 * turn
    path = two_forms(tmp_path / "a.nii", cube, other, np.zeros((5, 5, 5), np.int16))
    assert any("mm apart; the sform is used" in note for note in read_volume(path).notes)


def test_an_intercept_that_is_no_number_is_refused_as_nibabel_refuses_it(nifti):
    path = nifti(patch=[("<2f", 112, 2, float("nan"))])
    with pytest.raises(nibabel.spatialimages.HeaderDataError):
        nibabel.load(path)
    with pytest.raises(InputError, match=r"damaged intensity scale \(slope 2.0, intercept nan\)"):
        read_volume(path)
