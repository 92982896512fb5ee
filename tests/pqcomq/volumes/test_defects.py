"""Series with each defect that hospitals hand over: what stops the load, what the remedies make of it."""

from __future__ import annotations

import gc
import shutil
import warnings
import zipfile

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.fileset import FileSet
from pydicom.uid import ExplicitVRLittleEndian, MediaStorageDirectoryStorage, SegmentationStorage, generate_uid

from pqcomq.errors import InputError
from pqcomq.volumes.dicom.scan import scan_of, scanning
from pqcomq.volumes.dicom.series import SeriesChoiceNeeded, list_series
from pqcomq.volumes.dicom.stacking.resampling import resampled
from pqcomq.volumes.geometry_report import GeometryReport
from pqcomq.volumes.import_issues import RemedyNeeded, chosen_remedies
from pqcomq.volumes.volume_choice import PartChoiceNeeded
from pqcomq.volumes.volume_reader import read_volume, reading_volume

TILT = np.radians(20)
TILTED = [1, 0, 0, 0, np.cos(TILT), -np.sin(TILT)]


def needed(path, kind=RemedyNeeded, **options):
    with pytest.raises(kind) as question:
        read_volume(path, **options)
    message = str(question.value)
    assert message.count("\n") == 0
    assert path.name in message
    return question.value


def linear(place):
    """A value that is linear in the patient's millimetres, which linear interpolation keeps."""
    x, y, z = np.moveaxis(np.asarray(place, dtype=float), -1, 0)
    return 3 * x - 2 * y + 5 * z + 200


def linear_series(make_series, positions, orientation=(1, 0, 0, 0, 1, 0), shape=(12, 10), **tags):
    """A series that shows ``linear`` at its pixels' places; pixel spacing 1.25 (rows) and 0.75 (columns)."""
    row, column = np.array(orientation[:3]), np.array(orientation[3:])
    r, c = np.indices(shape)

    def change(index, dataset):
        where = np.array([float(v) for v in dataset.ImagePositionPatient])
        places = where + c[..., None] * 0.75 * row + r[..., None] * 1.25 * column
        dataset.Rows, dataset.Columns = shape
        dataset.PixelData = np.rint(linear(places) * 8).astype(np.int16).tobytes()

    return make_series(
        positions, change=change, ImageOrientationPatient=list(orientation), RescaleSlope=0.125, Modality="MR", **tags
    )


def inner_errors(volume):
    """How far voxels that lie inside the source are from ``linear`` at their place."""
    z, y, x = np.indices(volume.voxels.shape)
    places = volume.grid.to_patient(np.stack([x, y, z], axis=-1))
    inside = volume.voxels != 0
    return np.abs(volume.voxels - linear(places))[inside], inside


def test_a_tilted_gantry_is_resampled_only_when_asked(make_series):
    folder = linear_series(make_series, [[0, 0, 4.0 * i] for i in range(9)], TILTED)
    question = needed(folder)
    assert question.finding.kind == "tilt"
    assert question.finding.remedies == ("resample",)
    assert "20°" in str(question)
    assert needed(folder, remedies=["largest"]).finding.kind == "tilt"
    volume = read_volume(folder, remedies=["resample"])
    assert chosen_remedies(volume.findings) == ("resample",)
    assert volume.planes == ()
    errors, inside = inner_errors(volume)
    assert inside.sum() > 0.9 * 9 * 12 * 10 * 0.8
    # Pixels at a plane's rim are mixed with what lies outside; all others must be where they were.
    assert np.median(errors) < 0.1
    assert (errors < 0.2).mean() > 0.8
    np.testing.assert_allclose(volume.grid.spacing, (0.75, 1.25, 4 * np.cos(TILT)), rtol=1e-6)


@pytest.mark.parametrize("heights", [[0, 2, 4, 8, 10, 12], [0, 2, 4, 7, 10, 11]], ids=["missing", "uneven"])
@pytest.mark.parametrize("orientation", [(1, 0, 0, 0, 1, 0), (0, 1, 0, 0, 0, -1), (0.8, 0.6, 0, -0.6, 0.8, 0)])
def test_gaps_are_bridged_or_left_out_as_the_user_says(make_series, heights, orientation):
    normal = np.cross(orientation[:3], orientation[3:])
    positions = [np.array([5.0, -7.0, 11.0]) + height * normal for height in heights]
    folder = linear_series(make_series, positions, orientation)
    question = needed(folder)
    assert question.finding.kind in ("missing", "uneven")
    assert question.finding.remedies == ("resample", "largest")
    bridged = read_volume(folder, remedies=["resample"])
    errors, _inside = inner_errors(bridged)
    assert errors.max() < 0.2
    size, spacing = bridged.file_grid.size, bridged.file_grid.spacing
    assert spacing[2] * (size[2] - 1) == pytest.approx(heights[-1] - heights[0])
    largest = read_volume(folder, remedies=["largest"])
    errors, _inside = inner_errors(largest)
    assert errors.max() < 0.2
    assert largest.file_grid.size[2] == 3
    assert len(largest.planes) == 3
    assert "largest" in GeometryReport.of(largest).remedies


def test_both_defects_at_once_are_remedied_together(make_series):
    folder = linear_series(make_series, [[0, 0, z] for z in (0, 4, 8, 16, 20)], TILTED)
    volume = read_volume(folder, remedies=["resample"])
    assert [f.kind for f in volume.findings if f.chosen] == ["missing", "tilt"]
    # The largest stack is still tilted.
    assert needed(folder, remedies=["largest"]).finding.kind == "tilt"
    both = read_volume(folder, remedies=["largest", "resample"])
    assert chosen_remedies(both.findings)


def test_resampling_leaves_planes_that_lie_on_the_grid_alone():
    planes = np.random.default_rng(0).integers(-1000, 1000, (4, 5, 6)).astype(np.int16)
    places = np.array([[0, 0, 0], [0, 0, 1.0], [0, 0, 2.0], [0, 0, 4.0]])
    result = resampled(planes, places, (5, 5, 6), -1024)
    np.testing.assert_array_equal(result[[0, 1, 2, 4]], planes)
    np.testing.assert_allclose(result[3], (planes[2].astype(float) + planes[3]) / 2, atol=0.51)


def test_slices_doubled_without_a_reason_keep_the_first_of_each_place(make_series):
    def number(index, dataset):
        dataset.InstanceNumber = index + 1

    folder = make_series([0, 2, 2, 4, 6], change=number)
    assert needed(folder).finding.kind == "double"
    volume = read_volume(folder, remedies=["largest"])
    assert volume.voxels[:, 0, 0].tolist() == [0, 10, 30, 40]


@pytest.mark.parametrize(
    ("keyword", "values", "label"),
    [
        ("EchoNumbers", [1, 2], "echo 1"),
        ("TemporalPositionIdentifier", [1, 2], "time 1"),
        ("AcquisitionNumber", [4, 10], "acquisition 4"),
        ("DiffusionBValue", [0.0, 800.0], "b-value"),
        ("ImageType", [["ORIGINAL", "PRIMARY", "M"], ["ORIGINAL", "PRIMARY", "P"]], "image type"),
        (None, None, "repetition 1"),
    ],
)
def test_repetitions_of_one_place_are_parts_to_choose_from(make_series, keyword, values, label):
    def mark(index, dataset):
        dataset.InstanceNumber = index + 1
        dataset.ContentTime = f"1015{index:02d}"  # a time of its own for each image says nothing
        if keyword:
            setattr(dataset, keyword, values[index % 2])

    folder = make_series([0, 0, 2, 2, 4, 4], change=mark)
    question = needed(folder, PartChoiceNeeded)
    assert len(question.parts) == 2
    assert question.parts[0].startswith(label)
    assert read_volume(folder, part=1).voxels[:, 0, 0].tolist() == [0, 20, 40]
    assert read_volume(folder, part=2).voxels[:, 0, 0].tolist() == [10, 30, 50]
    assert len(read_volume(folder, remedies=["largest"]).voxels) == 3
    with pytest.raises(InputError, match="parts 1 to 2"):
        read_volume(folder, part=3)


def test_scouts_beside_a_stack_are_parts_of_their_own(make_series):
    def turn(index, dataset):
        if index >= 5:
            dataset.ImageOrientationPatient = [0, 1, 0, 0, 0, -1]

    folder = make_series([0, 2, 4, 6, 8, 0, 3], change=turn)
    question = needed(folder, PartChoiceNeeded)
    assert [part.split(",")[0] for part in question.parts] == ["axial", "sagittal"]
    volume = read_volume(folder, remedies=["largest"])
    assert len(volume.voxels) == 5
    assert any("of its 2 parts this is number 1" in note for note in volume.notes)
    (info,) = list_series(folder)
    assert info.plane == "axial, sagittal"
    assert "different orientations" in info.problem


def test_padding_is_air_in_ct_and_nothing_elsewhere(tmp_path, dicom):
    pixels = np.array([[100, -2000], [300, 400]], np.int16)
    tags = {"PixelPaddingValue": -2000, "RescaleIntercept": -24}
    volume = read_volume(dicom.save(dicom.slice(pixels, **tags), tmp_path / "a.dcm"))
    assert volume.voxels[0].tolist() == [[76, -1024], [276, 376]]
    assert any("25.00% of the voxels are marked" in note for note in volume.notes)
    volume = read_volume(dicom.save(dicom.slice(pixels, Modality="MR", **tags), tmp_path / "b.dcm"))
    assert volume.voxels[0].tolist() == [[76, 0], [276, 376]]
    # A range, and a number whose bits stand for a negative one, as some scanners write it.
    wide = {"PixelPaddingValue": -2000, "PixelPaddingRangeLimit": -1900}
    far = np.array([[100, -1950], [300, 400]], np.int16)
    assert read_volume(dicom.save(dicom.slice(far, **wide), tmp_path / "c.dcm")).voxels[0, 0, 1] == -1024


def test_padding_far_off_does_not_widen_the_type(tmp_path, dicom):
    pixels = np.array([[100, 63536], [300, 400]], np.uint16)
    volume = read_volume(dicom.save(dicom.slice(pixels, PixelPaddingValue=63536, Modality="MR"), tmp_path / "a.dcm"))
    assert volume.voxels.dtype == np.int16
    assert volume.voxels[0].tolist() == [[100, 0], [300, 400]]


@pytest.mark.parametrize(
    ("stored", "slope", "intercept", "kind"),
    [
        (np.uint16([0, 65535]), 1, 0, np.int32),
        (np.uint16([0, 65535]), 1, -32768, np.int16),
        (np.int16([-32768, 32767]), 1, -1024, np.int32),
        (np.int16([-10, 10]), -1, 5, np.int16),
        (np.int16([-10, 10]), 0.5, 0, np.float32),
        (np.uint32([0, 4_000_000_000]), 1, 0, np.float32),
        (np.uint8([0, 255]), 2, -1024, np.int16),
    ],
)
def test_values_are_what_slope_and_intercept_say_in_a_type_that_holds_them(
    tmp_path, dicom, stored, slope, intercept, kind
):
    pixels = np.resize(stored, (4, 4))
    bits = stored.dtype.itemsize * 8
    tags = {"BitsAllocated": bits, "BitsStored": bits, "HighBit": bits - 1, "RescaleSlope": slope}
    path = dicom.save(dicom.slice(pixels, RescaleIntercept=intercept, **tags), tmp_path / "a.dcm")
    volume = read_volume(path)
    assert volume.voxels.dtype == kind
    np.testing.assert_array_equal(volume.voxels[0], (pixels.astype(np.float64) * slope + intercept).astype(kind))


def test_one_slice_that_needs_a_wider_type_widens_all(make_series):
    def change(index, dataset):
        dataset.RescaleSlope = 1 if index != 3 else 100

    volume = read_volume(make_series(range(0, 100, 2), change=change))
    assert volume.voxels.dtype == np.int16
    volume = read_volume(
        make_series(range(0, 100, 2), "b", change=lambda i, d: setattr(d, "RescaleSlope", 1 + 4999 * (i == 3)))
    )
    assert volume.voxels.dtype == np.int32
    assert volume.voxels[:5, 0, 0].tolist() == [0, 10, 20, 150_000, 40]


def test_old_overlays_in_unused_bits_are_no_part_of_the_picture(tmp_path, dicom):
    pixels = np.array([[5, 5 + 0x8000], [4095, 4095 + 0x1000]], np.uint16)
    tags = {"BitsStored": 12, "HighBit": 11}
    assert read_volume(dicom.save(dicom.slice(pixels, **tags), tmp_path / "a.dcm")).voxels[0].tolist() == [
        [5, 5],
        [4095, 4095],
    ]
    signed = np.array([[0x0FFF, 1], [0x0800, 2]], np.int16)  # twelve bits, the sign not carried on
    assert read_volume(dicom.save(dicom.slice(signed, **tags), tmp_path / "b.dcm")).voxels[0].tolist() == [
        [-1, 1],
        [-2048, 2],
    ]


def test_a_modality_lookup_table_is_applied(tmp_path, dicom):
    table = Dataset()
    table.LUTDescriptor = [4, 0, 16]
    table.ModalityLUTType = "US"
    table.LUTData = np.array([7, 70, 700, 7000], np.uint16).tobytes()
    pixels = np.array([[0, 1], [2, 3]], np.uint16)
    dataset = dicom.slice(pixels, ModalityLUTSequence=[table], RescaleSlope=None, RescaleIntercept=None)
    volume = read_volume(dicom.save(dataset, tmp_path / "a.dcm"))
    assert volume.voxels[0].tolist() == [[7, 70], [700, 7000]]


def test_mosaics_and_colour_are_refused_by_name(tmp_path, dicom):
    pixels = np.zeros((4, 3), np.int16)
    mosaic = dicom.slice(pixels, ImageType=["ORIGINAL", "PRIMARY", "M", "MOSAIC"], Modality="MR")
    with pytest.raises(InputError, match=r"holds mosaics .*a\.dcm"):
        read_volume(dicom.save(mosaic, tmp_path / "a.dcm"))
    colour = dicom.slice(pixels, PhotometricInterpretation="RGB", SamplesPerPixel=3)
    with pytest.raises(InputError, match=r"holds colour images.*b\.dcm"):
        read_volume(dicom.save(colour, tmp_path / "b.dcm"))


def compressed(dataset, encoder, syntax):
    """The data set with its pixels compressed."""
    import imagecodecs

    pixels = np.frombuffer(dataset.PixelData, np.uint16).reshape(dataset.Rows, dataset.Columns)
    stream = getattr(imagecodecs, encoder[0])(pixels, **encoder[1])
    dataset.PixelData = pydicom.encaps.encapsulate([stream])
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta.TransferSyntaxUID = syntax
    return dataset


ENCODERS = {
    "JPEG lossless": (("jpeg8_encode", {"lossless": True, "bitspersample": 16}), pydicom.uid.JPEGLosslessSV1),
    "JPEG-LS": (("jpegls_encode", {}), pydicom.uid.JPEGLSLossless),
    "JPEG 2000": (
        ("jpeg2k_encode", {"level": 0, "codecformat": "j2k", "reversible": True}),
        pydicom.uid.JPEG2000Lossless,
    ),
}


@pytest.mark.parametrize("kind", ENCODERS)
@pytest.mark.parametrize("seed", range(4))
def test_compressed_slices_are_read_or_refused_however_damaged(tmp_path, dicom, kind, seed):
    generator = np.random.default_rng(seed)
    pixels = generator.integers(0, 4096, (48, 40)).astype(np.uint16)
    dataset = compressed(dicom.slice(pixels, RescaleIntercept=-1024), *ENCODERS[kind])
    path = dicom.save(dataset, tmp_path / "a.dcm")
    np.testing.assert_array_equal(read_volume(path).voxels[0], pixels.astype(int) - 1024)
    raw = path.read_bytes()
    for cut in (40, len(raw) // 3):  # cut off
        path.write_bytes(raw[:-cut])
        with pytest.raises(InputError, match=r"a\.dcm"):
            read_volume(path)
    for _ in range(5):  # damaged in the middle: other pixels, or a sentence, but an end
        bad = bytearray(raw)
        for at in generator.integers(len(raw) // 2, len(raw), 6):
            bad[at] = generator.integers(256)
        path.write_bytes(bad)
        try:
            read_volume(path)
        except InputError as error:
            assert "a.dcm" in str(error)


def test_a_zip_archive_is_read_without_unpacking(make_series, tmp_path):
    folder = make_series([0, 2, 4])
    expected = read_volume(folder)
    archive = shutil.make_archive(str(tmp_path / "study"), "zip", folder)
    before = set(tmp_path.rglob("*"))
    volume = read_volume(tmp_path / "study.zip")
    np.testing.assert_array_equal(volume.voxels, expected.voxels)
    assert set(tmp_path.rglob("*")) == before
    with volume.planes[1].open() as stream:
        assert pydicom.dcmread(stream).ImagePositionPatient[2] == 2
    assert [s.uid for s in list_series(tmp_path / "study.zip")] == ["1.2.3.4"]
    raw = bytearray((tmp_path / "study.zip").read_bytes())
    with zipfile.ZipFile(archive) as content:
        victim = content.infolist()[1]
    raw[victim.header_offset + 60 : victim.header_offset + 200] = bytes(140)
    (tmp_path / "damaged.zip").write_bytes(raw)
    told = read_volume(tmp_path / "damaged.zip").notes
    assert any("1 file that looks like a slice is empty, damaged or unreadable" in note for note in told)
    (tmp_path / "cut.zip").write_bytes(raw[:-30])
    with pytest.raises(InputError, match=r"cut\.zip"):
        read_volume(tmp_path / "cut.zip")


def test_archives_without_images_or_with_a_password(tmp_path):
    with zipfile.ZipFile(tmp_path / "text.zip", "w") as archive:
        archive.writestr("a.txt", "text" * 100)
    with pytest.raises(InputError, match=r"no DICOM images .*text\.zip"):
        read_volume(tmp_path / "text.zip")
    raw = bytearray((tmp_path / "text.zip").read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        raw[raw.index(signature) + offset] |= 1  # the flag of encryption
    (tmp_path / "locked.zip").write_bytes(raw)
    with pytest.raises(InputError, match=r"locked\.zip"):
        read_volume(tmp_path / "locked.zip")


def test_a_dicomdir_stands_for_the_files_that_it_lists(make_series, tmp_path):
    folder = make_series(
        [0, 2, 4], StudyInstanceUID="1.2.3", StudyDate="20200101", StudyTime="101010", StudyID="1", InstanceNumber=1
    )
    media = FileSet()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        media.add(path)
    media.write(tmp_path / "cd")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # pydicom leaves a temporary folder to the collector
        del media
        gc.collect()
    stranger = next(p for p in folder.rglob("*") if p.is_file())
    dataset = pydicom.dcmread(stranger)
    dataset.SeriesInstanceUID = "1.2.9"
    dataset.save_as(tmp_path / "cd" / "STRANGER")
    volume = read_volume(tmp_path / "cd" / "DICOMDIR")
    assert volume.voxels[:, 0, 0].tolist() == [0, 10, 20]
    with pytest.raises(SeriesChoiceNeeded):
        read_volume(tmp_path / "cd")
    # Media copied in small letters, and names that lead out of the folder.
    for path in sorted((tmp_path / "cd").rglob("*"), key=lambda p: -len(p.parts)):
        if path.name != "DICOMDIR":
            path.rename(path.with_name(path.name.lower()))
    assert len(read_volume(tmp_path / "cd" / "DICOMDIR").voxels) == 3


def test_a_dicomdir_cannot_lead_out_of_its_folder(tmp_path, dicom):
    secret = dicom.save(dicom.slice(np.zeros((4, 3), np.int16)), tmp_path / "SECRET")
    record = Dataset()
    with pytest.warns(UserWarning, match="Invalid value"):
        record.ReferencedFileID = ["..", "SECRET"]
    directory = Dataset()
    directory.file_meta = FileMetaDataset()
    directory.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    directory.file_meta.MediaStorageSOPClassUID = MediaStorageDirectoryStorage
    directory.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    directory.SOPClassUID, directory.DirectoryRecordSequence = MediaStorageDirectoryStorage, [record]
    (tmp_path / "cd").mkdir()
    directory.save_as(tmp_path / "cd" / "DICOMDIR", enforce_file_format=True)
    assert secret.is_file()
    with pytest.raises(InputError, match=r"None of the files that are listed is there .*DICOMDIR"):
        read_volume(tmp_path / "cd" / "DICOMDIR")


def test_masks_beside_a_series_are_listed_on_it(make_series, dicom):
    folder = make_series([0, 2, 4], FrameOfReferenceUID="1.9")
    make_series([0, 2], SeriesInstanceUID="1.2.77", SeriesNumber=9, FrameOfReferenceUID="1.8")
    segmentation = dicom.slice(
        np.zeros((4, 3), np.uint8), SOPClassUID=SegmentationStorage, Modality="SEG", SeriesInstanceUID="1.2.5",
        FrameOfReferenceUID="1.9",
    )  # fmt: skip
    segment, reference = Dataset(), Dataset()
    segment.SegmentLabel, reference.SeriesInstanceUID = "Liver", "1.2.3.4"
    segmentation.SegmentSequence, segmentation.ReferencedSeriesSequence = [segment], [reference]
    dicom.save(segmentation, folder / "mask")
    structures = dicom.slice(
        np.zeros((4, 3), np.uint8), Modality="RTSTRUCT", SeriesInstanceUID="1.2.6", Rows=None, Columns=None,
        PixelData=None, FrameOfReferenceUID="1.8",
    )  # fmt: skip
    roi = Dataset()
    roi.ROIName = "Spleen"
    structures.StructureSetROISequence = [roi]
    dicom.save(structures, folder / "structures")
    by_series, by_frame = list_series(folder)
    assert [(a.kind, a.names) for a in by_series.annotations] == [("SEG", ("Liver",))]
    assert [(a.kind, a.names) for a in by_frame.annotations] == [("RTSTRUCT", ("Spleen",))]
    assert len(read_volume(folder, series="4").voxels) == 3


def test_patients_are_in_the_listing_only_when_asked_for(make_series):
    (info,) = list_series(make_series([0, 2], "plain"))
    assert "Doe" not in str(info) + repr(info) + str(info.to_dict())
    assert info.to_dict(with_patient=True)["patient_name"] == "Doe^Jane"


def test_a_scan_and_a_reading_tell_how_far_they_are_and_can_be_stopped(make_series):
    folder = make_series(range(0, 240, 2))
    steps = list(scanning(folder))
    assert [step.total for step in steps] == [120] * len(steps)
    assert steps[-1].step == 120
    work = reading_volume(folder)
    seen = [next(work) for _ in range(5)]
    assert all(0 < step.step <= step.total for step in seen)
    work.close()
    assert len(scan_of(folder).planes) == 120


def test_enhanced_files_with_several_volumes_are_parts(tmp_path, dicom):
    frames = np.arange(6, dtype=np.int16)[:, None, None] * np.ones((6, 4, 3), np.int16)
    dataset = dicom.enhanced(frames, [0, 2, 4, 0, 2, 4], [1] * 6)
    for index, group in enumerate(dataset.PerFrameFunctionalGroupsSequence):
        content = Dataset()
        content.TemporalPositionIndex = 1 + index // 3
        group.FrameContentSequence = [content]
    path = dicom.save(dataset, tmp_path / "a.dcm")
    assert [p.split(",")[0] for p in needed(path, PartChoiceNeeded).parts] == ["time 1", "time 2"]
    assert read_volume(path, part=2).voxels[:, 0, 0].tolist() == [-997, -996, -995]
