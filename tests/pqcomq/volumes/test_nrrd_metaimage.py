"""NRRD and MetaImage files: the same voxels at the same millimetres, or one sentence."""

from __future__ import annotations

import bz2
import gzip
import importlib.metadata
import os

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from pqcomq.errors import InputError
from pqcomq.volumes.labels.label_maps import read_labels
from pqcomq.volumes.nrrd_metaimage.nrrd_metaimage_reader import read_picture
from pqcomq.volumes.volume_choice import PartChoiceNeeded
from pqcomq.volumes.volume_reader import read_volume

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
    with pytest.raises(InputError, match=r"a 2-D picture .*flat\.nrrd"):
        read_volume(tmp_path / "flat.nrrd")
    sitk.WriteImage(sitk.Image([5, 6, 7], sitk.sitkVectorUInt8, 3), str(tmp_path / "colour.nrrd"))
    with pytest.raises(InputError, match=r"has colour voxels.*colour\.nrrd"):
        read_volume(tmp_path / "colour.nrrd")


TYPES = [
    sitk.sitkUInt8, sitk.sitkInt8, sitk.sitkUInt16, sitk.sitkInt16, sitk.sitkUInt32, sitk.sitkInt32, sitk.sitkFloat32,
    sitk.sitkFloat64,
]  # fmt: skip


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("kind", TYPES, ids=sitk.GetPixelIDValueAsString)
def test_what_simpleitk_wrote_is_read_as_simpleitk_reads_it(random_image, tmp_path, ending, kind):
    path = tmp_path / f"a{ending}"
    sitk.WriteImage(sitk.Cast(sitk.Abs(random_image) // 16, kind), str(path))
    expected = sitk.ReadImage(str(path))
    voxels, grid, findings = read_picture(path)
    np.testing.assert_array_equal(voxels, sitk.GetArrayFromImage(expected))
    assert grid.size == expected.GetSize()
    for ours, theirs in (("spacing", "GetSpacing"), ("origin", "GetOrigin"), ("direction", "GetDirection")):
        np.testing.assert_allclose(getattr(grid, ours), getattr(expected, theirs)(), atol=1e-9)
    assert findings == ()


NRRD = """NRRD0004
type: {type}
dimension: 3
{space}
sizes: 2 3 4
space directions: (0,2,0) (3,0,0) (0,0,-4)
kinds: domain domain domain
endian: {endian}
encoding: {encoding}
space origin: (10,20,30)
{more}
"""
VALUES = (np.arange(24, dtype="<i2") * 7 - 30).reshape(4, 3, 2)


def nrrd_bytes(**fields):
    told = {"type": "short", "space": "space: LPS", "endian": "little", "encoding": "raw", "more": ""} | fields
    lines = [line for line in NRRD.format(**told).splitlines() if line]
    return ("\n".join(lines) + "\n\n").encode()


OLD_ITK = Version(importlib.metadata.version("SimpleITK")) < Version("2.5.7")


@pytest.mark.parametrize(
    "space",
    [
        *("LPS", "RAS", "right-anterior-superior", "left-posterior-superior", "scanner-xyz", ""),
        pytest.param("LAS", marks=pytest.mark.skipif(OLD_ITK, reason="ITK took LAS for RAS before SimpleITK 2.5.7")),
    ],
)
def test_spaces_turn_axes_as_simpleitk_turns_them(tmp_path, space):
    path = tmp_path / "a.nrrd"
    path.write_bytes(nrrd_bytes(space=f"space: {space}" if space else "space dimension: 3") + VALUES.tobytes())
    voxels, grid, _ = read_picture(path)
    expected = sitk.ReadImage(str(path))
    np.testing.assert_array_equal(voxels, VALUES)
    assert grid.spacing == (2, 3, 4)
    np.testing.assert_allclose(grid.origin, expected.GetOrigin())
    np.testing.assert_allclose(grid.direction, expected.GetDirection())


@pytest.mark.parametrize("space", ["right-anterior-superior-time", "RAST"])
def test_a_space_with_time_turns_axes_as_the_same_one_without(tmp_path, space):
    path = tmp_path / "a.nrrd"
    path.write_bytes(nrrd_bytes(space="space: RAS") + VALUES.tobytes())
    _, expected, _ = read_picture(path)
    head = nrrd_bytes(space=f"space: {space}").decode()
    for old, new in (
        ("dimension: 3", "dimension: 4"), ("2 3 4", "2 3 4 2"), ("domain domain domain", "domain domain domain time"),
        ("(0,2,0) (3,0,0) (0,0,-4)", "(0,2,0,0) (3,0,0,0) (0,0,-4,0) (0,0,0,1)"), ("(10,20,30)", "(10,20,30,0)"),
    ):  # fmt: skip
        assert old in head
        head = head.replace(old, new)
    path.write_bytes(head.encode() + VALUES.tobytes() + (VALUES + 1).tobytes())
    voxels, grid, findings = read_picture(path, part=2)
    np.testing.assert_array_equal(voxels, VALUES + 1)
    assert grid == expected
    assert [each.kind for each in findings] == ["part"]


@pytest.mark.parametrize(
    ("space", "told"), [("space: LPS", False), ("space: RAS", False), ("space: scanner-xyz", True)]
)
def test_sides_that_are_not_told_are_assumed_and_that_is_said(tmp_path, image_of, space, told):
    path = tmp_path / "a.nrrd"
    path.write_bytes(nrrd_bytes(space=space) + VALUES.tobytes())
    assert ("place" in [each.kind for each in read_picture(path)[2]]) == told
    sitk.WriteImage(image_of(VALUES), str(tmp_path / "a.mha"))
    lines = (tmp_path / "a.mha").read_bytes().split(b"\n", 12)
    (tmp_path / "b.mha").write_bytes(b"\n".join(each for each in lines if not each.startswith(b"TransformMatrix")))
    assert [[each.kind for each in read_picture(tmp_path / name)[2]] for name in ("a.mha", "b.mha")] == [[], ["place"]]


def as_text(values):
    return "\n".join(map(str, values.ravel().tolist())).encode()


ENCODED = {
    "raw": lambda values: values.tobytes(), "gzip": lambda values: gzip.compress(values.tobytes()),
    "bzip2": lambda values: bz2.compress(values.tobytes()), "ascii": as_text,
    "hex": lambda values: values.tobytes().hex().encode(),
}  # fmt: skip


@pytest.mark.parametrize("encoding", ENCODED)
@pytest.mark.parametrize("endian", ["little", "big"])
def test_every_encoding_and_byte_order_gives_the_same_voxels(tmp_path, encoding, endian):
    stored = VALUES.astype("<i2" if endian == "little" else ">i2")
    content = ENCODED[encoding](stored)
    path = tmp_path / "a.nrrd"
    path.write_bytes(nrrd_bytes(encoding=encoding, endian=endian) + content)
    np.testing.assert_array_equal(read_picture(path)[0], VALUES)
    path.write_bytes(nrrd_bytes(encoding=encoding, endian=endian) + content[: len(content) // 2])
    with pytest.raises(InputError, match="cut off"):
        read_picture(path)


def test_detached_voxels_are_found_after_lines_and_bytes_to_skip(tmp_path):
    path = tmp_path / "a.nhdr"
    (tmp_path / "a.raw").write_bytes(b"one line\nxx" + VALUES.tobytes())
    for more in ("line skip: 1\nbyte skip: 2\ndata file: a.raw", "byte skip: -1\ndata file: ./a.raw"):
        path.write_bytes(nrrd_bytes(more=more))
        np.testing.assert_array_equal(read_picture(path)[0], VALUES)
    (tmp_path / "a.raw.gz").write_bytes(
        gzip.compress(b"xx" + VALUES.tobytes()[:20]) + gzip.compress(VALUES.tobytes()[20:])
    )
    path.write_bytes(nrrd_bytes(encoding="gzip", more="byte skip: 2\ndata file: a.raw.gz"))
    np.testing.assert_array_equal(read_picture(path)[0], VALUES)


META = """ObjectType = Image
NDims = 3
BinaryData = True
BinaryDataByteOrderMSB = False
TransformMatrix = 0 1 0 1 0 0 0 0 -1
Offset = 10 20 30
ElementSpacing = 2 3 4
DimSize = 2 3 4
ElementType = MET_SHORT
{more}ElementDataFile = {data}
"""


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("../secret.raw", "own folder"), ("/etc/passwd", "own folder"), ("link.raw", "own folder"),
        ("nowhere.raw", "there is no file"), (".", "there is no file"), ("pipe.raw", "there is no file"),
        ("x%03d.raw 1 7 0", "several files"), ("LIST", "several files"), ("a\0b", "damaged"),
    ],
)  # fmt: skip
def test_voxels_are_read_from_the_header_s_own_folder_alone(tmp_path, name, reason):
    folder = tmp_path / "folder"
    folder.mkdir()
    (tmp_path / "secret.raw").write_bytes(VALUES.tobytes())
    (folder / "link.raw").symlink_to(tmp_path / "secret.raw")
    os.mkfifo(folder / "pipe.raw")
    (folder / "a.mhd").write_text(META.format(more="", data=name))
    (folder / "a.nhdr").write_bytes(nrrd_bytes(more=f"data file: {name}"))
    for ending in ("mhd", "nhdr"):
        with pytest.raises(InputError, match=reason):
            read_picture(folder / f"a.{ending}")


@pytest.mark.parametrize(
    "more",
    [
        "NDims = -1\n", "DimSize = 0 0 0\n", "DimSize = 2 3\n", "DimSize = 2 3 999999\n", "ElementType = MET_OTHER\n",
        "ElementSpacing = 1 nan 1\n", "Offset = 1 2\n", "TransformMatrix = 1 0 0 0 1 0 0 0 0\n", "HeaderSize = -2\n",
        "DimSize = 99999999999999999999 1 1\n", "ElementNumberOfChannels = -3\n", "no key and value\n",
        "CompressedData = True\n", "BinaryData = False\n", "ElementSpacing = 0 1 1\n",
        # Blanks to Python alone: ITK takes them for a part of the name or number.
        "ElementSpacing\x0b= 2 2 2\n", "\x1cElementSpacing = 2 2 2\n", "ElementSpacing = 2\x1c2\x1d2\n",
    ],
)  # fmt: skip
def test_damaged_metaimage_headers_are_refused_in_one_sentence(tmp_path, more):
    path = tmp_path / "a.mha"
    path.write_bytes(META.format(more="", data="LOCAL").encode() + VALUES.tobytes())
    np.testing.assert_array_equal(read_picture(path)[0], VALUES)
    key = more.partition("=")[0]  # the line takes the place of the one with its key
    lines = [line for line in META.format(more="", data="LOCAL").splitlines(True) if line.partition("=")[0] != key]
    path.write_bytes("".join([*lines[:-1], more, lines[-1]]).encode() + VALUES.tobytes())
    with pytest.raises(InputError) as refusal:
        read_picture(path)
    assert "\n" not in str(refusal.value)


def test_a_metaimage_header_that_says_two_things_is_refused(tmp_path):
    path = tmp_path / "a.mha"
    centre = "CenterOfRotation = 0 0 0\n"

    def write(more):
        path.write_bytes(META.format(more=more, data="LOCAL").encode() + VALUES.tobytes())

    write(centre + centre)
    np.testing.assert_array_equal(read_picture(path)[0], VALUES)
    write(centre + "CenterOfRotation =\n")  # ITK takes the numbers from the lines after it, the spacing among them
    with pytest.raises(InputError, match="damaged"):
        read_picture(path)


@given(data=st.data(), ending=st.sampled_from(["nrrd", "mha"]))
def test_any_damage_to_a_header_is_refused_or_gives_voxels_that_are_there(tmp_path, data, ending):
    head = nrrd_bytes() if ending == "nrrd" else META.format(more="", data="LOCAL").encode()
    damaged = bytearray(head)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(damaged) - 1))
        piece = data.draw(st.sampled_from([b"", b"-", b"9", b" ", b"\n", b"0", b"nan", b"e9", b"\xff", b"%", b"none"]))
        damaged[place : place + data.draw(st.integers(0, 3))] = piece
    path = tmp_path / f"a.{ending}"
    path.write_bytes(bytes(damaged) + VALUES.tobytes())
    try:
        voxels, grid, _ = read_picture(path, 1 if data.draw(st.booleans()) else None)
    except InputError as refusal:
        assert "\n" not in str(refusal)
        return
    assert voxels.shape == grid.shape_zyx
    assert voxels.size <= path.stat().st_size
    assert np.isfinite(grid.origin).all()


UNITS = [("mm", 1.0, None), ("um", 1e-3, "units"), ("microns", 1e-3, "units"), ("furlong", 1.0, "no spacing")]


@pytest.mark.parametrize(("unit", "factor", "kind"), UNITS)
def test_lengths_in_another_unit_are_shown_in_millimetres_and_that_is_told(tmp_path, image_of, unit, factor, kind):
    path = tmp_path / "a.nrrd"
    path.write_bytes(nrrd_bytes(more="space units: " + f'"{unit}" ' * 3) + VALUES.tobytes())
    (tmp_path / "a.mha").write_bytes(
        META.format(more=f"DistanceUnits = {unit}\n", data="LOCAL").encode() + VALUES.tobytes()
    )
    for name in ("a.nrrd", "a.mha"):
        _, grid, findings = read_picture(tmp_path / name)
        np.testing.assert_allclose(grid.spacing, np.array([2, 3, 4]) * factor)
        np.testing.assert_allclose(grid.origin, np.array([10, 20, 30]) * factor)
        assert [each.kind for each in findings] == ([] if kind is None else [kind])
    spaced = nrrd_bytes(more="units: " + f'"{unit}" ' * 3).decode().replace("space: LPS\n", "")
    spaced = spaced.replace("space directions: (0,2,0) (3,0,0) (0,0,-4)", "spacings: 2 3 4")
    path.write_bytes(spaced.replace("space origin: (10,20,30)\n", "").encode() + VALUES.tobytes())
    np.testing.assert_allclose(read_picture(path)[1].spacing, np.array([2, 3, 4]) * factor)


@pytest.mark.parametrize("kinds", ["2-vector domain domain", "vector domain domain", "domain domain list"])
def test_a_flat_picture_with_several_numbers_a_pixel_is_no_volume(tmp_path, kinds):
    head = nrrd_bytes().decode().replace("space: LPS\n", "").replace("space origin: (10,20,30)\n", "")
    head = head.replace("space directions: (0,2,0) (3,0,0) (0,0,-4)", "spacings: 1 1 1")
    path = tmp_path / "a.nrrd"
    path.write_bytes(head.replace("domain domain domain", kinds).encode() + VALUES.tobytes())
    assert sitk.ReadImage(str(path)).GetDimension() == 2
    with pytest.raises(InputError, match="2-D picture with several numbers a pixel"):
        read_picture(path)


def test_time_that_comes_first_counts_the_volumes(tmp_path):
    frames = np.stack([VALUES, VALUES + 1], axis=-1)  # z, y, x, time
    head = "type: short\ndimension: 4\nsizes: 2 2 3 4\nencoding: raw\nendian: little\nspacings: nan 1 1 1\n"
    path = tmp_path / "a.nrrd"
    path.write_bytes(f"NRRD0004\n{head}kinds: time domain domain domain\n\n".encode() + frames.tobytes())
    np.testing.assert_array_equal(read_picture(path, part=2)[0], VALUES + 1)


def test_text_needs_no_byte_order_and_holds_no_number_beyond_its_type(tmp_path):
    path = tmp_path / "a.nrrd"
    head = nrrd_bytes(encoding="ascii").replace(b"endian: little\n", b"")
    path.write_bytes(head + as_text(VALUES))
    np.testing.assert_array_equal(read_picture(path)[0], VALUES)
    assert sitk.GetArrayFromImage(sitk.ReadImage(str(path))).tolist() == VALUES.tolist()
    path.write_bytes(head + as_text(VALUES).replace(b"-30", b"70000"))
    with pytest.raises(InputError, match="damaged"):
        read_picture(path)


def test_what_itk_makes_of_sizes_of_elements_and_of_scales_of_values(tmp_path):
    def read(more):
        path = tmp_path / "a.mha"
        head = META.format(more=more, data="LOCAL").replace("ElementSpacing = 2 3 4\n", "")
        path.write_bytes(head.encode() + VALUES.tobytes())
        return read_picture(path), sitk.ReadImage(str(path))

    (_, grid, findings), theirs = read("ElementSize = 2 3 4\n")
    assert grid.spacing == theirs.GetSpacing() == (2, 3, 4)
    assert findings == ()
    scale = "ElementToIntensityFunctionSlope = {}\nElementToIntensityFunctionOffset = {}\nElementSize = 2 3 4\n"
    for slope, offset, kinds in ((1, 0, []), (2, 0, ["values"]), (1, -1000, ["values"])):
        (values, _, findings), theirs = read(scale.format(slope, offset))
        np.testing.assert_array_equal(values, sitk.GetArrayFromImage(theirs))
        assert [each.kind for each in findings] == kinds
    with pytest.raises(InputError, match="damaged"):  # ITK takes them from the beginning of the file
        read("HeaderSize = 7\nElementSize = 2 3 4\n")
