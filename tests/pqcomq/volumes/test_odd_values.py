"""Values and tags that contradict themselves: read as the standard says, told, or refused with tag and value."""

from __future__ import annotations

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import NuclearMedicineImageStorage, UltrasoundImageStorage

from pqcomq.errors import InputError
from pqcomq.volumes.volume_reader import read_volume

RAMP = np.arange(12, dtype=np.int16).reshape(4, 3)
ITEM, END = bytes.fromhex("feff00e0"), bytes.fromhex("feffdde0")


def notes_of(volume) -> str:
    return " ".join(volume.notes)


def with_raw(path, keyword, vr, value):
    """Write a tag's bytes into a saved file as they are, under any text representation of 16-bit length."""
    raw, tag = path.read_bytes(), pydicom.tag.Tag(keyword)
    code = tag.group.to_bytes(2, "little") + tag.element.to_bytes(2, "little")
    at = raw.index(code)
    count = int.from_bytes(raw[at + 6 : at + 8], "little")
    value += b" " * (len(value) % 2)
    if vr == b"UT":
        head = code + b"UT\0\0" + len(value).to_bytes(4, "little")
    else:
        head = code + raw[at + 4 : at + 6] + len(value).to_bytes(2, "little")
    path.write_bytes(raw[:at] + head + value + raw[at + 8 + count :])
    return path


@pytest.mark.parametrize("slope", [0, "", None])
def test_a_slope_of_zero_or_none_is_one(tmp_path, dicom, slope):
    dataset = dicom.slice(RAMP, RescaleSlope=slope, RescaleIntercept=-5)
    volume = read_volume(dicom.save(dataset, tmp_path / "a.dcm"))
    np.testing.assert_array_equal(volume.voxels[0], RAMP - 5)
    assert ("rescale slope is 0" in notes_of(volume)) == (slope == 0)
    assert ("rescale intercept without a slope" in notes_of(volume)) == (slope != 0)


def test_a_slope_of_zero_in_a_frame_is_one(tmp_path, dicom):
    volume = read_volume(dicom.save(dicom.enhanced(np.stack([RAMP] * 3), [0, 2, 4], [1, 0, 2]), tmp_path / "a.dcm"))
    np.testing.assert_array_equal(volume.voxels, np.stack([RAMP, RAMP, 2 * RAMP]) - 1000)
    assert "rescale slope is 0" in notes_of(volume)


def test_a_scale_of_the_whole_multi_frame_file_holds_where_frames_have_none(tmp_path, dicom):
    dataset = dicom.enhanced(np.stack([RAMP] * 3), [0, 2, 4], [1, 1, 1])
    for group in dataset.PerFrameFunctionalGroupsSequence:
        del group.PixelValueTransformationSequence
    dataset.RescaleSlope, dataset.RescaleIntercept = 2, -1024
    volume = read_volume(dicom.save(dataset, tmp_path / "a.dcm"))
    np.testing.assert_array_equal(volume.voxels, np.stack([RAMP] * 3) * 2 - 1024)


def test_a_scale_of_the_frames_is_believed_over_the_files_and_that_is_told(tmp_path, dicom):
    dataset = dicom.enhanced(np.stack([RAMP] * 3), [0, 2, 4], [1, 1, 1])
    dataset.RescaleSlope, dataset.RescaleIntercept = 2, -1024
    volume = read_volume(dicom.save(dataset, tmp_path / "a.dcm"))
    np.testing.assert_array_equal(volume.voxels, np.stack([RAMP] * 3) - 1000)
    assert "not the file's" in notes_of(volume)


@pytest.mark.parametrize(("modality", "told"), [("CT", True), ("MR", False)])
def test_a_ct_without_an_intercept_is_told_to_be_in_doubt(make_series, modality, told):
    volume = read_volume(make_series([0, 2, 4], Modality=modality, RescaleIntercept=None))
    found = [each for each in volume.findings if "may be no Hounsfield units (3 files)" in str(each)]
    assert [each.severity for each in found] == ["doubtful"] * told


def test_an_intercept_of_the_frames_leaves_no_doubt(tmp_path, dicom):
    dataset = dicom.enhanced(np.stack([RAMP] * 3), [0, 2, 4], [1, 1, 1])
    assert "Hounsfield" not in notes_of(read_volume(dicom.save(dataset, tmp_path / "a.dcm")))
    for group in dataset.PerFrameFunctionalGroupsSequence:
        del group.PixelValueTransformationSequence
    assert "may be no Hounsfield units" in notes_of(read_volume(dicom.save(dataset, tmp_path / "b.dcm")))


@pytest.mark.parametrize(("unit", "told"), [("HU", False), ("Z_EFF", True), (None, False)])
def test_a_ct_in_another_unit_is_told(tmp_path, dicom, make_series, unit, told):
    assert ("Values are in 'Z_EFF'" in notes_of(read_volume(make_series([0, 2], RescaleType=unit)))) == told
    dataset = dicom.enhanced(np.stack([RAMP] * 2), [0, 2], [1, 1])
    for group in dataset.PerFrameFunctionalGroupsSequence:
        group.PixelValueTransformationSequence[0].RescaleType = unit
    assert ("Values are in 'Z_EFF'" in notes_of(read_volume(dicom.save(dataset, tmp_path / "a.dcm")))) == told


@pytest.mark.parametrize(("spacing", "told"), [(None, True), ([0.2, 0.2], True), ([0.15, 0.15], False)])
def test_a_spacing_on_the_detector_is_told(make_series, spacing, told):
    volume = read_volume(make_series([0], Modality="DX", PixelSpacing=spacing, ImagerPixelSpacing=[0.2, 0.2]))
    assert ("detector" in notes_of(volume)) == told
    assert volume.grid.spacing[:2] == tuple(spacing or [0.2, 0.2])


@pytest.mark.parametrize("signed", [False, True])
def test_values_in_the_upper_bits_are_shifted_down(tmp_path, dicom, signed):
    values = (RAMP * 100 - (600 if signed else 0)).astype(np.int16)
    stored = (values << 4).astype(np.int16 if signed else np.uint16) | np.array(5, np.uint16).astype(
        np.int16 if signed else np.uint16
    )
    dataset = dicom.slice(stored, BitsStored=12, HighBit=15)
    volume = read_volume(dicom.save(dataset, tmp_path / "a.dcm"))
    np.testing.assert_array_equal(volume.voxels[0], values)
    assert "upper bits (BitsStored 12, HighBit 15)" in notes_of(volume)


def test_a_high_bit_below_the_bits_stored_is_told(tmp_path, dicom):
    volume = read_volume(dicom.save(dicom.slice(RAMP, BitsStored=16, HighBit=11), tmp_path / "a.dcm"))
    np.testing.assert_array_equal(volume.voxels[0], RAMP)
    assert "contradicts itself on the bits of a value (BitsStored 16, HighBit 11)" in notes_of(volume)


@pytest.mark.parametrize("bits", [{"BitsStored": 20, "HighBit": 19}, {"BitsStored": 12, "HighBit": 17}])
def test_more_bits_than_there_are_is_refused(tmp_path, dicom, bits):
    with pytest.raises(InputError, match="contradicts itself on its bits"):
        read_volume(dicom.save(dicom.slice(RAMP, **bits), tmp_path / "a.dcm"))


@pytest.mark.parametrize("length", ["undefined", "stated"])
def test_items_in_a_file_that_says_it_is_not_compressed_are_unwrapped(tmp_path, dicom, length):
    path = dicom.save(dicom.slice(RAMP), tmp_path / "a.dcm")
    raw, data = path.read_bytes(), RAMP.tobytes()
    at = raw.index(bytes.fromhex("e07f1000") + b"OW")
    wrapped = ITEM + bytes(4) + ITEM + len(data).to_bytes(4, "little") + data
    size = b"\xff" * 4 if length == "undefined" else len(wrapped).to_bytes(4, "little")
    path.write_bytes(raw[: at + 8] + size + wrapped + (END + bytes(4) if length == "undefined" else b""))
    volume = read_volume(path)
    np.testing.assert_array_equal(volume.voxels[0], RAMP)
    assert "lie in items" in notes_of(volume)
    path.write_bytes(
        raw[: at + 8]
        + b"\xff" * 4
        + ITEM
        + bytes(4)
        + ITEM
        + (8).to_bytes(4, "little")
        + b"\xff\xd8" * 4
        + END
        + bytes(4)
    )
    with pytest.raises(InputError, match=r"a\.dcm"):
        read_volume(path)


@pytest.mark.parametrize("compressed", [False, True, "deflated"])
def test_frames_beyond_the_number_stated_are_told(tmp_path, dicom, compressed):
    import imagecodecs

    frames = [RAMP.astype(np.uint16) + 100 * i for i in range(4)]
    dataset = dicom.slice(frames[0], PixelData=np.stack(frames).tobytes())
    if compressed == "deflated":
        dataset.file_meta.TransferSyntaxUID = pydicom.uid.DeflatedExplicitVRLittleEndian
    elif compressed:
        dataset.PixelData = encapsulate([imagecodecs.jpegls_encode(frame) for frame in frames], has_bot=False)
        dataset["PixelData"].VR, dataset["PixelData"].is_undefined_length = "OB", True
        dataset.file_meta.TransferSyntaxUID = pydicom.uid.JPEGLSLossless
    try:
        volume = read_volume(dicom.save(dataset, tmp_path / "a.dcm"))
    except InputError as error:  # frames joined to one codestream
        assert compressed and "a.dcm" in str(error)
    else:
        np.testing.assert_array_equal(volume.voxels[0], frames[0])
        assert "hold 4 frames, but the header states 1 frame" in notes_of(volume)


UNNEEDED = {"SeriesNumber": b"2A", "InstanceNumber": b"1/12", "SliceThickness": b"2 mm", "EchoTime": b"x"}
NEEDED = {
    "PixelSpacing": rb"1,25\0,75", "ImagePositionPatient": rb"0\0\x", "RescaleSlope": b"NaN",
    "RescaleIntercept": b"-1e999", "ImageOrientationPatient": rb"1\0\0\0\1",
}  # fmt: skip


@pytest.mark.parametrize("keyword", [*UNNEEDED, *NEEDED])
def test_an_odd_tag_is_ignored_or_named_with_its_value(make_series, keyword):
    folder = make_series([0, 2, 4], InstanceNumber=1, EchoTime=3)
    value = (UNNEEDED | NEEDED)[keyword]
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        with_raw(path, keyword, b"", value)
    if keyword in UNNEEDED:
        assert read_volume(folder).voxels[:, 0, 0].tolist() == [0, 10, 20]
        return
    with pytest.raises(InputError) as refused:
        read_volume(folder)
    assert f"its {keyword} is '{value.decode()}'" in str(refused.value)


@pytest.mark.parametrize("value", [rb"1.25\0.75", b"1.25\0\\0.750"])
@pytest.mark.parametrize("vr", [b"UT", b""], ids=["UT", "DS"])
def test_pixel_spacing_is_read_from_a_long_text_or_with_a_null_inside(make_series, vr, value):
    folder = make_series([0, 2, 4])
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        with_raw(path, "PixelSpacing", vr, value)
    assert read_volume(folder).grid.spacing == (0.75, 1.25, 2.0)


UNPLACED = dict.fromkeys(["PixelSpacing", "ImagePositionPatient", "ImageOrientationPatient", "SliceThickness"])


def test_ultrasound_spacing_is_that_of_its_regions(tmp_path, dicom):
    def region(delta, kind=1):
        item = Dataset()
        item.PhysicalUnitsXDirection = item.PhysicalUnitsYDirection = 3
        item.PhysicalDeltaX, item.PhysicalDeltaY, item.RegionSpatialFormat = delta, 2 * delta, kind
        return item

    tags = {"Modality": "US", "SOPClassUID": UltrasoundImageStorage, **UNPLACED}
    for regions, spacing in (([region(0.02), region(9.0, 3)], (0.2, 0.4)), ([region(0.02), region(0.03)], (1.0, 1.0))):
        dataset = dicom.slice(RAMP, SequenceOfUltrasoundRegions=regions, **tags)
        volume = read_volume(dicom.save(dataset, tmp_path / "a.dcm"))
        assert volume.grid.spacing[:2] == pytest.approx(spacing)
        assert ("does not state its pixel spacing" in notes_of(volume)) == (spacing == (1.0, 1.0))


@pytest.mark.parametrize("spacing", [4.0, -4.0])
def test_spect_lies_where_its_detector_says(tmp_path, dicom, spacing):
    detector = Dataset()
    detector.ImagePositionPatient, detector.ImageOrientationPatient = [1, 2, 3], [1, 0, 0, 0, 1, 0]
    frames = np.stack([RAMP + 100 * i for i in range(5)])
    tags = {
        "SOPClassUID": NuclearMedicineImageStorage, "Modality": "NM",
        "ImageType": ["ORIGINAL", "PRIMARY", "RECON TOMO"], "NumberOfFrames": 5,
        "PixelData": frames.tobytes(), "DetectorInformationSequence": [detector],
        "SpacingBetweenSlices": spacing, "ImagePositionPatient": None, "ImageOrientationPatient": None,
    }  # fmt: skip
    path = dicom.save(dicom.slice(RAMP, **tags), tmp_path / "a.dcm")
    volume = read_volume(path)
    np.testing.assert_array_equal(volume.voxels, frames[:: int(np.sign(spacing))])
    assert volume.grid.origin == pytest.approx((1, 2, 3 if spacing > 0 else 3 - 16))
    dicom.save(dicom.slice(RAMP, **(tags | {"SpacingBetweenSlices": None})), path)
    with pytest.raises(InputError, match=r"does not say where each frame lies.*: SpacingBetweenSlices is missing"):
        read_volume(path)


@pytest.mark.parametrize("keyword", ["ImagePositionPatient", "ImageOrientationPatient"])
def test_what_a_cone_beam_ct_in_one_file_lacks_is_named(tmp_path, dicom, keyword):
    frames = np.stack([RAMP + 100 * i for i in range(5)])
    tags = {"NumberOfFrames": 5, "PixelData": frames.tobytes(), "SpacingBetweenSlices": 0.4}
    told = r"the place of each frame \(PerFrameFunctionalGroupsSequence or GridFrameOffsetVector\)"
    with pytest.raises(InputError, match=rf"no volume: {told} is missing \("):
        read_volume(dicom.save(dicom.slice(RAMP, **tags), tmp_path / "a.dcm"))
    with pytest.raises(InputError, match=rf"no volume: {keyword} and {told} are missing \("):
        read_volume(dicom.save(dicom.slice(RAMP, **tags, **{keyword: None}), tmp_path / "a.dcm"))


def test_a_vector_of_offsets_places_frames(tmp_path, dicom):
    frames = np.stack([RAMP + 100 * i for i in range(3)])
    tags = {"NumberOfFrames": 3, "PixelData": frames.tobytes(), "GridFrameOffsetVector": [0, -3, -6]}
    volume = read_volume(dicom.save(dicom.slice(RAMP, **tags), tmp_path / "a.dcm"))
    np.testing.assert_array_equal(volume.voxels, frames[::-1])
    assert volume.grid.spacing[2] == 3
