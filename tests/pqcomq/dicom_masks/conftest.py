"""A patient's CT series as a hospital would hand it over: named, dated, described; and masks on it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, EnhancedCTImageStorage, ExplicitVRLittleEndian, generate_uid

from pqcomq.volumes.volume import Volume
from pqcomq.volumes.volume_reader import read_volume

SECRETS = {
    "PatientName": "Zwetschge^Kunigunde", "PatientID": "PID-4711-08", "PatientBirthDate": "19330217",
    "PatientSex": "O", "PatientAge": "093Y", "OtherPatientIDs": "ALT-0815", "PatientComments": "Sekretvermerk",
    "PatientAddress": "Geheimweg 7", "StudyDate": "20191103", "StudyTime": "101112", "SeriesDate": "20191104",
    "AcquisitionDate": "20191105", "ContentDate": "20191106", "StudyID": "STUDY-77", "AccessionNumber": "ACC-991",
    "ReferringPhysicianName": "Wurzelmann^Hubertus", "InstitutionName": "Klinikum Hintertupfing",
    "InstitutionAddress": "Talstrasse 3", "StationName": "STATION9", "StudyDescription": "Abdomen Zwetschge",
    "SeriesDescription": "Venous Zwetschge", "OperatorsName": "Operator^Otto", "DeviceSerialNumber": "SN-55512",
    "RequestingPhysician": "Anforder^Anna", "ProtocolName": "Prot Zwetschge", "ImageComments": "Bild Zwetschge",
}  # fmt: skip
"""What must not be found in any export unless asked for."""

OBLIQUE = np.linalg.qr(np.array([[0.9, -0.3, 0.1], [0.3, 0.8, -0.4], [0.05, 0.45, 0.9]]))[0]
OBLIQUE *= np.sign(np.linalg.det(OBLIQUE))

ORIENTATIONS = {
    "axial": np.eye(3)[:, :2],
    "sagittal": np.array([[0.0, 0], [1, 0], [0, -1]]),
    "coronal": np.array([[1.0, 0], [0, 0], [0, -1]]),
    "prone": -np.eye(3)[:, :2],
    "head_down": np.array([[-1.0, 0], [0, 1], [0, 0]]),
    "oblique": OBLIQUE[:, :2],
}
"""Cosines along a row and down a column, as columns (3, 2)."""

SHAPE = (6, 9, 7)
"""Slices, rows, columns: rows × columns are no multiple of 8, so that packed frames do not end with a byte."""
SPACING = (2.5, 1.25, 0.75)
CORNER = np.array([-112.254321, 37.512345, -401.087654])

MakeSeries = Callable[..., Path]


def image_header(**tags: Any) -> Dataset:
    """What all images of the series have in common."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    values = SECRETS | {
        "SOPClassUID": CTImageStorage, "SOPInstanceUID": generate_uid(), "Modality": "CT", "SeriesNumber": 4,
        "Manufacturer": "Scanners", "PositionReferenceIndicator": "", "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"],
        "Rows": SHAPE[1], "Columns": SHAPE[2], "SamplesPerPixel": 1, "PhotometricInterpretation": "MONOCHROME2",
        "BitsAllocated": 16, "BitsStored": 16, "HighBit": 15, "PixelRepresentation": 1, "RescaleSlope": 1,
        "RescaleIntercept": 0, "PixelSpacing": list(SPACING[1:]), "SliceThickness": SPACING[0],
    } | tags  # fmt: skip
    for keyword, value in values.items():
        if value is not None:
            setattr(dataset, keyword, value)
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    return dataset


def voxels() -> np.ndarray:
    """CT-like noise (slice, row, column)."""
    return np.random.default_rng(0).integers(-1000, 1000, SHAPE).astype(np.int16)


def position(orientation: np.ndarray, index: int) -> list[float]:
    """LPS millimetres of a slice's first pixel, as scanners write them: rounded."""
    normal = np.cross(orientation[:, 0], orientation[:, 1])
    return [round(float(v), 6) for v in CORNER + index * SPACING[0] * normal]


@pytest.fixture
def make_series(tmp_path: Path) -> MakeSeries:
    """A function that writes a series, one file a slice in shuffled order, and returns its folder."""

    def make(orientation: str = "axial", folder: str = "series", **tags: Any) -> Path:
        cosines = ORIENTATIONS[orientation]
        shared = {name: generate_uid() for name in ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID")}
        (tmp_path / folder).mkdir()
        for index, name in enumerate(np.random.default_rng(1).permutation(SHAPE[0])):
            dataset = image_header(
                **shared
                | {
                    "ImagePositionPatient": position(cosines, index),
                    "ImageOrientationPatient": [float(v) for v in cosines.T.ravel()],
                    "InstanceNumber": index + 1,
                    "PixelData": voxels()[index].tobytes(),
                }
                | tags
            )
            dataset.save_as(tmp_path / folder / f"IM{name:03d}", enforce_file_format=True)
        return tmp_path / folder

    return make


@pytest.fixture
def enhanced(tmp_path: Path) -> Path:
    """The axial series as one enhanced multi-frame file, its frames from the top down."""
    cosines = ORIENTATIONS["axial"]
    dataset = image_header(
        SOPClassUID=EnhancedCTImageStorage, NumberOfFrames=SHAPE[0], PixelData=voxels()[::-1].tobytes(),
        StudyInstanceUID=generate_uid(), SeriesInstanceUID=generate_uid(), FrameOfReferenceUID=generate_uid(),
        PixelSpacing=None, SliceThickness=None, RescaleSlope=None, RescaleIntercept=None,
    )  # fmt: skip
    dataset.SharedFunctionalGroupsSequence = [
        item(
            PlaneOrientationSequence=[item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])],
            PixelMeasuresSequence=[item(PixelSpacing=list(SPACING[1:]), SliceThickness=SPACING[0])],
            PixelValueTransformationSequence=[item(RescaleSlope=1, RescaleIntercept=0, RescaleType="HU")],
        )
    ]
    dataset.PerFrameFunctionalGroupsSequence = [
        item(
            PlanePositionSequence=[item(ImagePositionPatient=position(cosines, index))],
            FrameContentSequence=[item(FrameAcquisitionDateTime="20191105101112", StackID="1")],
        )
        for index in reversed(range(SHAPE[0]))
    ]
    path = tmp_path / "enhanced.dcm"
    dataset.save_as(path, enforce_file_format=True)
    return path


def item(**values: Any) -> Dataset:
    """A sequence's item."""
    dataset = Dataset()
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    return dataset


@pytest.fixture(params=ORIENTATIONS, ids=str)
def volume(request: pytest.FixtureRequest, make_series: MakeSeries) -> Volume:
    """The series in each orientation."""
    return read_volume(make_series(request.param))


@pytest.fixture
def axial(make_series: MakeSeries) -> Volume:
    """The series as it is most often."""
    return read_volume(make_series("axial"))


@pytest.fixture
def image_in_memory() -> Volume:
    """A volume that never was DICOM."""
    return Volume.of(sitk.GetImageFromArray(voxels()), "CT", "in memory")
