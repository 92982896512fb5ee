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


def test_heights_in_place_of_offsets_leave_the_first_frame_where_the_file_is(tmp_path, dicom):
    frames = np.stack([RAMP + 100 * i for i in range(3)])
    tags = {"NumberOfFrames": 3, "PixelData": frames.tobytes(), "GridFrameOffsetVector": [-401, -398, -395]}
    dataset = dicom.slice(RAMP, ImagePositionPatient=[0, 0, -401], **tags)
    volume = read_volume(dicom.save(dataset, tmp_path / "a.dcm"))
    np.testing.assert_array_equal(volume.voxels, frames)
    assert volume.grid.origin == (0, 0, -401)


def test_a_lookup_table_of_a_picture_that_shows_low_values_bright_is_turned_and_not_its_numbers(tmp_path, dicom):
    table = Dataset()
    table.LUTDescriptor, table.ModalityLUTType = [12, 0, 16], "US"
    table.LUTData = (np.arange(12, dtype=np.uint16) ** 2).tobytes()
    tags = {"ModalityLUTSequence": [table], "RescaleSlope": None, "RescaleIntercept": None, "Modality": "CR"}
    dataset = dicom.slice(RAMP.astype(np.uint16), PhotometricInterpretation="MONOCHROME1", **tags)
    volume = read_volume(dicom.save(dataset, tmp_path / "a.dcm"))
    np.testing.assert_array_equal(volume.voxels[0], 121 - RAMP**2)


@pytest.mark.parametrize("modality", ["PT", "MR"])
def test_slices_without_a_scale_among_others_with_one_are_told(make_series, modality):
    def change(index, dataset):
        if index == 2:
            del dataset.RescaleSlope, dataset.RescaleIntercept

    volume = read_volume(make_series(range(0, 10, 2), change=change, Modality=modality, RescaleSlope=2.5))
    found = [each for each in volume.findings if each.kind == "mixed"]
    assert [each.severity for each in found] == ["doubtful"]
    assert "1 of 5 slices state neither a rescale slope nor an intercept" in str(found[0])
    without = {"RescaleSlope": None, "RescaleIntercept": None}
    for tags in ({}, without):
        assert "state neither" not in notes_of(read_volume(make_series([0, 2], f"{len(tags)}", Modality="MR", **tags)))


def test_a_header_without_a_sign_is_told(tmp_path, dicom):
    volume = read_volume(dicom.save(dicom.slice(RAMP - 1000, PixelRepresentation=None), tmp_path / "a.dcm"))
    assert "(PixelRepresentation); they are taken to have none" in notes_of(volume)
    assert [each.severity for each in volume.findings if each.kind == "values"] == ["doubtful"]


@pytest.mark.parametrize(("shape", "told"), [((40, 40), False), ((40, 39), True), ((39, 40), True)])
def test_pixel_data_longer_than_rows_and_columns_ask_for_are_told(tmp_path, dicom, shape, told):
    pixels = np.arange(1600, dtype=np.int16).reshape(40, 40)
    dataset = dicom.slice(pixels, Rows=shape[0], Columns=shape[1], PixelData=pixels.tobytes() + bytes(60))
    volume = read_volume(dicom.save(dataset, tmp_path / "a.dcm"))
    assert ("longer than rows and columns ask for" in notes_of(volume)) == told


@pytest.mark.parametrize(
    ("stored", "told"),
    [
        (np.uint16([0, 4095]), False), (np.uint16([0, 4096]), True),
        (np.int16([-2048, 2047]), False), (np.int16([0, 0xFFF]), False), (np.int16([0, 4096]), True),
        (np.int16([0, -2049]), True),
    ],
)  # fmt: skip
def test_values_beyond_the_bits_stored_are_told(tmp_path, dicom, stored, told):
    dataset = dicom.slice(np.resize(stored, (4, 3)), BitsStored=12, HighBit=11)
    assert ("Bits beyond those stored" in notes_of(read_volume(dicom.save(dataset, tmp_path / "a.dcm")))) == told


@pytest.mark.parametrize(
    ("padding", "modality", "told"), [(0, "CT", True), (-1000, "CT", False), (90, "CT", False), (0, "MR", False)]
)
def test_padding_amid_the_other_values_is_told_to_be_in_doubt(tmp_path, dicom, padding, modality, told):
    pixels = np.array([[-1000, 0, 40], [60, 90, -80]], np.int16)
    dataset = dicom.slice(pixels, PixelPaddingValue=padding, Modality=modality)
    volume = read_volume(dicom.save(dataset, tmp_path / "a.dcm"))
    assert ("lies amid the other values" in notes_of(volume)) == told


def test_two_copies_of_a_file_that_cannot_be_read_are_refused_as_one_is(tmp_path, dicom):
    dataset = dicom.slice(RAMP, BitsAllocated=1, BitsStored=1, HighBit=0, Modality="OT")
    for name in ("a", "b"):
        dicom.save(dataset, tmp_path / "series" / name)
    with pytest.raises(InputError, match="stores 1 bits a pixel"):
        read_volume(tmp_path / "series")


def in_codestream(dataset, codestream, syntax=pydicom.uid.JPEGLSLossless):
    """The data set with one compressed frame."""
    dataset.PixelData = encapsulate([codestream])
    dataset["PixelData"].VR, dataset["PixelData"].is_undefined_length = "OB", True
    dataset.file_meta.TransferSyntaxUID = syntax
    return dataset


@pytest.mark.parametrize("kind", ["JPEG-LS", "JPEG 2000"])
def test_a_blank_slice_that_a_few_bytes_stand_for_is_no_damage(tmp_path, dicom, kind):
    import imagecodecs

    blank = np.zeros((2048, 2048), np.uint16)
    if kind == "JPEG-LS":
        codestream, syntax = imagecodecs.jpegls_encode(blank), pydicom.uid.JPEGLSLossless
    else:
        codestream = imagecodecs.jpeg2k_encode(blank, level=0, codecformat="j2k", reversible=True)
        syntax = pydicom.uid.JPEG2000Lossless
    dataset = dicom.slice(RAMP, Rows=2048, Columns=2048, RescaleIntercept=-1024)
    path = dicom.save(in_codestream(dataset, codestream, syntax), tmp_path / "a.dcm")
    np.testing.assert_array_equal(read_volume(path).voxels[0], blank.astype(int) - 1024)
    dataset.Rows, dataset.Columns = 60000, 60000
    with pytest.raises(InputError, match="states more pixels than it can hold"):
        read_volume(dicom.save(dataset, path))


def test_compressed_values_wider_than_the_header_s_are_refused_and_not_cut(tmp_path, dicom):
    import imagecodecs

    values = (np.arange(12, dtype=np.uint16) * 100).reshape(4, 3)
    dataset = dicom.slice(values, BitsAllocated=8, BitsStored=8, HighBit=7, Modality="OT")
    with pytest.raises(InputError, match=r"cannot be decoded.*a\.dcm"):
        read_volume(dicom.save(in_codestream(dataset, imagecodecs.jpegls_encode(values)), tmp_path / "a.dcm"))


@pytest.mark.parametrize("vr", ["OB", "OW"])
def test_bytes_in_words_of_a_big_endian_file_stand_as_pydicom_reads_them(tmp_path, dicom, vr):
    frames = np.arange(45, dtype=np.uint8).reshape(3, 5, 3)  # frames begin in the middle of words
    stored = np.append(frames.ravel(), np.uint8(0))
    dataset = dicom.slice(
        frames[0], BitsAllocated=8, BitsStored=8, HighBit=7, NumberOfFrames=3, GridFrameOffsetVector=[0, 3, 6],
        PixelData=(stored.reshape(-1, 2)[:, ::-1] if vr == "OW" else stored).tobytes(), Modality="OT",
    )  # fmt: skip
    dataset["PixelData"].VR = vr
    dataset.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRBigEndian
    path = dicom.save(dataset, tmp_path / "a.dcm")
    np.testing.assert_array_equal(pydicom.dcmread(path).pixel_array, frames)
    np.testing.assert_array_equal(read_volume(path).voxels, frames)


def test_a_slope_beyond_all_integers_on_a_slice_of_zeros_is_no_fault(tmp_path, dicom):
    volume = read_volume(dicom.save(dicom.slice(RAMP * 0, RescaleSlope="1e30"), tmp_path / "a.dcm"))
    assert not volume.voxels.any()
