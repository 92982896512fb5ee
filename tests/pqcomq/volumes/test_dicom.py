"""DICOM series: the right slices in the right order with the right values, or one sentence."""

from __future__ import annotations

from pathlib import Path

import highdicom
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from pydicom.data import get_testdata_file
from pydicom.encaps import encapsulate
from pydicom.uid import DeflatedExplicitVRLittleEndian, JPEGLSLossless

from pqcomq.errors import InputError
from pqcomq.volumes.dicom.pixels.frame_reader import FrameReader
from pqcomq.volumes.dicom.series import SeriesChoiceNeeded, list_series
from pqcomq.volumes.labels.label_maps import read_labels
from pqcomq.volumes.labels.label_writer import write_mask
from pqcomq.volumes.volume_reader import read_volume

# Found by name and not by get_testdata_file, which would fetch further files from the network.
TEST_FILES = Path(pydicom.__file__).parent / "data" / "test_files"
PACKAGED = sorted(p for p in TEST_FILES.rglob("*") if p.is_file() and p.suffix not in (".py", ".pyc"))
GREY = [
    "CT_small.dcm", "MR_small.dcm", "MR_small_RLE.dcm", "MR_small_bigendian.dcm", "MR_small_implicit.dcm",
    "MR_small_jp2klossless.dcm", "693_J2KI.dcm", "J2K_pixelrep_mismatch.dcm", "JPEG2000.dcm",
    "examples_overlay.dcm", "image_dfl.dcm",
]  # fmt: skip


def refused(path, kind=InputError, **options) -> str:
    """The one sentence with which ``path`` is refused."""
    with pytest.raises(kind) as caught:
        read_volume(path, **options)
    message = str(caught.value)
    assert "\n" not in message
    assert message.endswith(".")
    assert path.name in message
    return message


@pytest.fixture
def ct_series(shared_data, tmp_path, dicom):
    """The real CT as a DICOM series with shuffled file names, and its image in the file's own grid."""
    image = sitk.Cast(sitk.ReadImage(str(shared_data / "abdomen_ct.nii.gz")), sitk.sitkInt16)
    voxels, direction = sitk.GetArrayFromImage(image), np.array(image.GetDirection()).reshape(3, 3)
    names = np.random.default_rng(5).permutation(len(voxels))
    for z, plane in enumerate(voxels):
        slope = 1 if z % 2 else 2  # a slope of its own on every other slice
        intercept = -1024 if z % 2 else -2048 - int(plane.min()) % 2
        stored = np.floor_divide(plane.astype(np.int32) - intercept, slope)
        voxels[z] = stored * slope + intercept
        tags = {
            "ImagePositionPatient": [round(v, 6) for v in image.TransformIndexToPhysicalPoint((0, 0, z))],
            "ImageOrientationPatient": [*direction[:, 0], *direction[:, 1]],
            "PixelSpacing": [image.GetSpacing()[1], image.GetSpacing()[0]],
            "RescaleSlope": slope,
            "RescaleIntercept": intercept,
        }
        dicom.save(dicom.slice(stored.astype(np.int16), **tags), tmp_path / "ct" / f"IM{names[z]:04d}")
    (tmp_path / "ct" / "README.txt").write_text("not a slice")
    expected = sitk.GetImageFromArray(voxels)
    expected.CopyInformation(image)
    return tmp_path / "ct", expected


def test_a_real_ct_comes_back_voxel_by_voxel(ct_series):
    folder, expected = ct_series
    volume = read_volume(folder)

    shown = sitk.DICOMOrient(expected, "LPS")
    assert volume.voxels.dtype == np.int16
    np.testing.assert_array_equal(volume.voxels, sitk.GetArrayFromImage(shown))
    np.testing.assert_allclose(volume.grid.origin, shown.GetOrigin(), atol=1e-4)
    np.testing.assert_allclose(volume.grid.spacing, shown.GetSpacing(), atol=1e-6)
    np.testing.assert_allclose(volume.file_grid.direction, expected.GetDirection(), atol=1e-9)
    assert volume.modality == "CT"


def test_labels_of_the_nifti_fit_the_dicom_and_masks_go_out(ct_series, shared_data, tmp_path):
    volume = read_volume(ct_series[0])
    labels = read_labels(shared_data / "abdomen_ct_labels.nii.gz", volume)
    write_mask(tmp_path / "spleen.nii.gz", labels == 1, volume)
    np.testing.assert_array_equal(read_labels(tmp_path / "spleen.nii.gz", volume), labels == 1)


def test_nothing_of_the_patient_reaches_name_or_notes(make_series):
    volume = read_volume(make_series([0, 2, 4]))
    assert volume.name == "Abdomen (series 4)"
    assert "Doe" not in volume.name + "".join(volume.notes)
    assert read_volume(make_series([0, 2], "b", SeriesDescription=None)).name == "CT (series 4)"
    assert read_volume(make_series([0, 2], "c", SeriesDescription="a\x1b[31m\tb", SeriesNumber=None)).name == "a [31m b"


@pytest.mark.parametrize(
    "orientation",
    [[1, 0, 0, 0, 1, 0], [0, 1, 0, 0, 0, -1], [1, 0, 0, 0, 0, -1], [-1, 0, 0, 0, -1, 0], [0.8, 0.6, 0, -0.6, 0.8, 0]],
    ids=["axial", "sagittal", "coronal", "prone", "oblique"],
)
def test_slices_are_ordered_along_their_normal(make_series, orientation):
    normal = np.cross(orientation[:3], orientation[3:])
    positions = [np.array([-5.0, 7.0, 20.0]) + 2.5 * i * normal for i in range(11)]
    volume = read_volume(make_series(positions, ImageOrientationPatient=orientation))
    assert volume.file_grid.spacing == pytest.approx((0.75, 1.25, 2.5))
    assert volume.file_grid.origin == pytest.approx(positions[0])
    image = volume.to_file_grid(volume.voxels)
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image)[:, 0, 0], 10 * np.arange(11))
    for plane, position in zip(volume.planes, positions, strict=True):
        np.testing.assert_allclose(pydicom.dcmread(plane.path).ImagePositionPatient, position)


@pytest.mark.parametrize("heights", [[4.0, 0.0, 2.0], [-3.5, 6.5, 1.5, -8.5], [0.0, 1.2501, 2.5, 3.7499]])
def test_regular_stacks_are_those_that_highdicom_finds(make_series, heights):
    orientation = [0.8, 0.6, 0, -0.6, 0.8, 0]
    positions = [[-5.0, 7.0, height] for height in heights]
    spacing, _order = highdicom.spatial.get_volume_positions(positions, orientation)
    volume = read_volume(make_series(positions, ImageOrientationPatient=orientation))
    assert volume.file_grid.spacing[2] == pytest.approx(spacing)


@pytest.mark.parametrize(
    ("positions", "reason"),
    [
        ([0, 2, 4, 8, 10], "1 missing slice "),
        ([0, 2, 8, 10, 12, 16], "3 missing slices"),
        ([0, 2, 6], "1 missing slice "),
        ([0, 4, 6, 8, 10, 12, 14, 16, 18, 20], "1 missing slice "),
        ([0, 2, 4, 7, 10], "unevenly spaced"),
        ([0, 2, 2, 4], "1 slice at the place of another"),
        ([0, 0], "1 slice at the place of another"),
        ([0, 0, 0, 2, 4], "2 slices at the place of another"),
        ([[0, 0, 0], [0, 1, 2], [0, 2, 4]], "tilted gantry"),
    ],
)
def test_irregular_stacks_are_refused(make_series, positions, reason):
    assert reason in refused(make_series(positions))


def test_every_single_missing_slice_is_noticed(make_series):
    for lost in range(1, 11):
        folder = make_series([2.5 * i for i in range(12) if i != lost], f"without_{lost}")
        assert "1 missing slice " in refused(folder)


def test_rounded_positions_are_tolerated(make_series):
    volume = read_volume(make_series([round(0.625 * i, 1) for i in range(40)]))
    assert volume.grid.spacing[2] == pytest.approx(0.625, abs=0.005)


def test_copies_of_a_slice_are_left_out_and_told(make_series, tmp_path):
    folder = make_series([0, 2, 4])
    first = next(p for p in sorted(folder.rglob("*")) if p.is_file())
    (folder / "copy").write_bytes(first.read_bytes())
    volume = read_volume(folder)
    assert volume.voxels.shape == (3, 4, 3)
    assert any("1 repeated copies" in note for note in volume.notes)


@pytest.mark.parametrize(
    ("keyword", "value", "reason"),
    [
        ("ImageOrientationPatient", [0, 1, 0, 0, 0, -1], "orientations"),
        ("PixelSpacing", [2, 2], "pixel spacing"),
        ("ImagePositionPatient", None, "where they lie"),
        ("PhotometricInterpretation", "PALETTE COLOR", "colour"),
    ],
)
def test_mixed_series_are_refused(make_series, keyword, value, reason):
    def change(index, dataset):
        if index == 1 and value is None:
            delattr(dataset, keyword)
        elif index == 1:
            setattr(dataset, keyword, value)

    assert reason in refused(make_series([0, 2, 4], change=change))


def test_mixed_sizes_are_refused(make_series):
    def change(index, dataset):
        if index == 1:
            dataset.Rows, dataset.Columns = dataset.Columns, dataset.Rows

    assert "3 x 4, 4 x 3" in refused(make_series([0, 2, 4], change=change))


@pytest.mark.parametrize("orientation", [[0, 0, 0, 0, 0, 0], [1, 0, 0, 1, 0, 0], [2, 0, 0, 0, 1, 0]])
def test_a_damaged_orientation_is_refused(make_series, orientation):
    assert "orientation" in refused(make_series([0, 2], ImageOrientationPatient=orientation))


def test_fractions_become_float32(make_series):
    volume = read_volume(make_series([0, 2, 4], RescaleSlope=0.25, RescaleIntercept=-3.5, Modality="PT"))
    assert volume.voxels.dtype == np.float32
    assert volume.modality == "other"
    assert volume.voxels[:, 0, 0].tolist() == [-3.5, -1.0, 1.5]


@pytest.fixture
def two_series(make_series):
    make_series([0, 2, 4], SeriesInstanceUID="1.2.3.40", SeriesNumber=2, SeriesDescription="Arterial")
    return make_series([0, 3], SeriesInstanceUID="1.2.3.51", SeriesNumber=7, Modality="MR", SeriesDescription=None)


def test_several_series_are_never_chosen_from_silently(two_series):
    with pytest.raises(
        SeriesChoiceNeeded, match=r"There are 2 series.*number 2: 'Arterial' CT, 3 slices.*number 7: MR"
    ) as caught:
        read_volume(two_series)
    assert [s.uid for s in caught.value.series] == ["1.2.3.40", "1.2.3.51"]
    assert list_series(two_series) == caught.value.series
    assert caught.value.series[0].size_xy == (3, 4)
    assert caught.value.series[0].spacing_xy == (0.75, 1.25)


@pytest.mark.parametrize(("series", "slices"), [("1.2.3.40", 3), ("2", 3), ("7", 2), ("51", 2), (".40", 3)])
def test_a_series_is_chosen_by_uid_number_or_end_of_uid(two_series, series, slices):
    assert len(read_volume(two_series, series=series).voxels) == slices


def test_a_series_that_is_not_there_or_not_clear(two_series, make_series):
    assert "no series '9', only: number 2" in refused(two_series, series="9")
    assert "no series ''" in refused(two_series, series="")
    make_series([0, 3], SeriesInstanceUID="1.2.9.51", SeriesNumber=2)
    assert "2 series" in refused(two_series, SeriesChoiceNeeded, series="2")
    assert "2 series" in refused(two_series, SeriesChoiceNeeded, series="51")


def test_modality_can_be_overridden(make_series):
    assert read_volume(make_series([0, 2], Modality="OT"), modality="CT").modality == "CT"


def test_monochrome1_is_turned_round(tmp_path, dicom):
    pixels = np.array([[0, 1], [100, 4095]], np.uint16)
    tags = {"PhotometricInterpretation": "MONOCHROME1", "BitsStored": 12, "HighBit": 11}
    volume = read_volume(dicom.save(dicom.slice(pixels, Modality="MR", **tags), tmp_path / "a.dcm"))
    assert volume.voxels[0].tolist() == [[4095, 4094], [3995, 0]]
    assert any("turned round" in note for note in volume.notes)
    # Hounsfield units stay what they are, whichever end is to be shown bright.
    volume = read_volume(dicom.save(dicom.slice(pixels, **tags), tmp_path / "b.dcm"))
    assert volume.voxels[0].tolist() == pixels.tolist()


def test_a_single_slice_says_what_it_assumes(tmp_path, dicom):
    pixels = np.arange(12, dtype=np.int16).reshape(4, 3)
    volume = read_volume(dicom.save(dicom.slice(pixels), tmp_path / "a.dcm"))
    assert volume.grid.spacing == (0.75, 1.25, 2.0)
    assert "thickness is 2 mm, as it states" in "".join(volume.notes)
    bare = dict.fromkeys(["SliceThickness", "PixelSpacing", "ImagePositionPatient", "ImageOrientationPatient"])
    volume = read_volume(dicom.save(dicom.slice(pixels, **bare), tmp_path / "b.dcm"))
    assert volume.grid.spacing == (1.0, 1.0, 1.0)
    assert len(volume.notes) == 3
    np.testing.assert_array_equal(volume.voxels[0], pixels)


@pytest.mark.parametrize("spacing", [[0, 1], [1, 1e9]])
def test_implausible_pixel_spacing_is_refused(tmp_path, dicom, spacing):
    path = dicom.save(dicom.slice(np.zeros((4, 3), np.int16), PixelSpacing=spacing), tmp_path / "a.dcm")
    assert "pixel spacing" in refused(path)


@pytest.mark.parametrize("slope", [1, 2, 0.5])
def test_enhanced_multi_frame_is_ordered_by_its_frames_positions(tmp_path, dicom, slope):
    frames = np.arange(60, dtype=np.int16).reshape(5, 4, 3)
    heights = [30.0, 22.5, 35.0, 27.5, 32.5]  # 25 is missing
    path = dicom.save(dicom.enhanced(frames, heights, [slope] * 5), tmp_path / "a.dcm")
    assert "missing" in refused(path)
    heights[1] = 25.0
    path = dicom.save(dicom.enhanced(frames, heights, [slope] * 5), tmp_path / "a.dcm")
    volume = read_volume(path)
    np.testing.assert_array_equal(volume.voxels, frames[[1, 3, 0, 4, 2]] * slope - 1000)
    assert volume.grid.spacing == pytest.approx((0.75, 1.25, 2.5))
    assert volume.grid.origin == (-5, 7, 25)


def test_frames_have_scales_of_their_own(tmp_path, dicom):
    dataset = dicom.enhanced(np.full((3, 4, 3), 7, np.int16), [0, 1, 2], [1, 1, 2])
    volume = read_volume(dicom.save(dataset, tmp_path / "a.dcm"))
    assert volume.voxels[:, 0, 0].tolist() == [-993, -993, -986]


def test_frames_without_positions_are_refused(tmp_path, dicom):
    frames = np.zeros((3, 4, 3), np.int16)
    dataset = dicom.slice(frames[0], NumberOfFrames=3, PixelData=frames.tobytes())
    assert "where each frame lies" in refused(dicom.save(dataset, tmp_path / "a.dcm"))


def test_a_slice_cut_off_is_refused_and_named(make_series):
    folder = make_series([0, 2, 4])
    victim = next(p for p in sorted(folder.rglob("*")) if p.is_file())
    victim.write_bytes(victim.read_bytes()[:-9])
    with pytest.raises(InputError, match=victim.name):
        read_volume(folder)


def test_a_damaged_header_is_left_out_and_told(make_series):
    folder = make_series([0, 2, 4])
    slice_file = next(p for p in sorted(folder.rglob("*")) if p.is_file())
    (folder / "broken.dcm").write_bytes(slice_file.read_bytes().replace(rb"1.25\0.75", rb"1.25\zero"))
    volume = read_volume(folder)
    assert len(volume.voxels) == 3
    assert any("broken.dcm" in note for note in volume.notes)


def test_a_size_beyond_the_file_is_refused_before_memory_is_taken(tmp_path, dicom):
    dataset = dicom.slice(np.zeros((4, 3), np.int16), Rows=65535, Columns=65535)
    assert "damaged" in refused(dicom.save(dataset, tmp_path / "a.dcm"))


def test_a_ring_of_links_ends(make_series):
    folder = make_series([0, 2, 4])
    try:
        (folder / "ring").symlink_to(folder, target_is_directory=True)
    except OSError:
        pytest.skip("no links on this system")
    assert len(read_volume(folder).voxels) == 3


@pytest.mark.parametrize("name", GREY)
def test_pixels_are_those_that_pydicom_decodes(name):
    path = TEST_FILES / name
    if not path.is_file():
        path = Path(get_testdata_file(name, download=False))
    dataset = pydicom.dcmread(path)
    expected = dataset.pixel_array * float(dataset.get("RescaleSlope", 1)) + float(dataset.get("RescaleIntercept", 0))
    expected[dataset.pixel_array == dataset.get("PixelPaddingValue")] = -1024 if dataset.Modality == "CT" else 0
    volume = read_volume(path)
    image = volume.to_file_grid(volume.voxels)
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image)[0], expected)


@pytest.mark.parametrize("path", PACKAGED, ids=lambda p: str(p.relative_to(TEST_FILES)))
def test_every_file_that_pydicom_ships_opens_or_is_refused_in_one_sentence(path):
    try:
        volume = read_volume(path)
    except InputError as error:
        assert "\n" not in str(error)
        assert path.name in str(error)
    else:
        assert volume.grid.orientation == "LPS"
        assert volume.voxels.shape == volume.grid.shape_zyx


def test_pydicoms_many_series_each_open_or_are_refused():
    folder = TEST_FILES / "dicomdirtests"
    infos = list_series(folder)
    assert len(infos) == 13
    opened = 0
    for info in infos:
        try:
            volume = read_volume(folder, series=info.uid)
            assert volume.file_grid.size == (*info.size_xy, info.slices)
            opened += 1
        except InputError as error:
            assert str(info.number) in str(error)
    assert opened == 8


@pytest.mark.parametrize("syntax", [JPEGLSLossless, DeflatedExplicitVRLittleEndian])
def test_a_file_of_many_compressed_frames_is_read_once_for_all_threads(tmp_path, dicom, monkeypatch, syntax):
    """Each thread had a copy of all of it, and read it again for every 64 frames."""
    import imagecodecs

    frames = np.arange(200 * 12, dtype=np.int16).reshape(200, 4, 3)
    dataset = dicom.enhanced(frames, [2.0 * index for index in range(200)], [1] * 200)
    dataset.file_meta.TransferSyntaxUID = syntax
    if syntax == JPEGLSLossless:
        dataset.PixelData = encapsulate([imagecodecs.jpegls_encode(frame.view(np.uint16)) for frame in frames])
        dataset["PixelData"].VR, dataset["PixelData"].is_undefined_length = "OB", True
    read, whole = [], FrameReader._whole
    monkeypatch.setattr(FrameReader, "_whole", lambda self: read.append(self) or whole(self))
    volume = read_volume(dicom.save(dataset, tmp_path / "a.dcm"))
    np.testing.assert_array_equal(volume.voxels, frames - 1000)
    assert len(read) == 1
