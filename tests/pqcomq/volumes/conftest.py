"""Images, files and DICOM series that the volume tests share."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, EnhancedCTImageStorage, ExplicitVRLittleEndian, generate_uid

SHARED_DATA = Path(__file__).parents[4] / "shared" / "data"
OBLIQUE = np.linalg.qr(np.array([[0.9, -0.3, 0.1], [0.3, 0.8, -0.4], [0.05, 0.45, 0.9]]))[0]

DIRECTIONS = {
    "axial": np.eye(3),
    "feet_to_head_flipped": np.diag([1.0, 1.0, -1.0]),
    "ras": np.diag([-1.0, -1.0, 1.0]),
    "sagittal": np.array([[0.0, 0, 1], [1, 0, 0], [0, -1, 0]]),
    "coronal": np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]]),
    "oblique": OBLIQUE,
    "oblique_mirrored": OBLIQUE @ np.diag([1.0, -1.0, 1.0]),
}


@pytest.fixture
def shared_data() -> Path:
    """The folder of real volumes beside the checkout."""
    if not (SHARED_DATA / "abdomen_ct.nii.gz").is_file():
        pytest.skip("the real volumes are not beside this checkout (../shared/data)")
    return SHARED_DATA


@pytest.fixture(params=DIRECTIONS, ids=str)
def direction(request: pytest.FixtureRequest) -> np.ndarray:
    """Direction cosines of one kind of acquisition, (3, 3), index axes as columns."""
    return DIRECTIONS[request.param]


def image_of(voxels: np.ndarray, direction: np.ndarray | None = None) -> sitk.Image:
    """A SimpleITK image of ``voxels`` (z, y, x) with uneven spacing and an odd origin."""
    image = sitk.GetImageFromArray(voxels)
    image.SetSpacing((0.75, 1.25, 3.5))
    image.SetOrigin((-112.25, 37.5, -401.0))
    if direction is not None:
        image.SetDirection([float(v) for v in direction.ravel()])
    return image


@pytest.fixture
def random_image(direction: np.ndarray) -> sitk.Image:
    """5 x 6 x 7 voxels (x y z) of CT-like noise."""
    voxels = np.random.default_rng(0).integers(-1024, 2000, (7, 6, 5)).astype(np.int16)
    return image_of(voxels, direction)


def dicom_slice(pixels: np.ndarray, **tags: Any) -> Dataset:
    """A CT slice of 16-bit ``pixels`` (rows, columns); None as a tag's value leaves the tag out."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = CTImageStorage
    dataset = Dataset()
    dataset.file_meta = meta
    values: dict[str, Any] = {
        "SOPClassUID": CTImageStorage, "SOPInstanceUID": generate_uid(), "SeriesInstanceUID": "1.2.3.4",
        "SeriesNumber": 4, "SeriesDescription": "Abdomen", "Modality": "CT", "PatientName": "Doe^Jane",
        "PatientID": "4711", "Rows": pixels.shape[0], "Columns": pixels.shape[1], "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2", "BitsAllocated": 16, "BitsStored": 16, "HighBit": 15,
        "PixelRepresentation": int(pixels.dtype.kind == "i"), "PixelSpacing": [1.25, 0.75], "SliceThickness": 2,
        "ImageOrientationPatient": [1, 0, 0, 0, 1, 0], "ImagePositionPatient": [0, 0, 0],
        "RescaleSlope": 1, "RescaleIntercept": 0, "PixelData": pixels.tobytes(),
    } | tags  # fmt: skip
    for keyword, value in values.items():
        if value is not None:
            setattr(dataset, keyword, value)
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    return dataset


def save(dataset: Dataset, path: Path) -> Path:
    """Write a data set as a DICOM file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.save_as(path, enforce_file_format=True)
    return path


MakeSeries = Callable[..., Path]


@pytest.fixture
def make_series(tmp_path: Path) -> MakeSeries:
    """A function that writes one slice a position, in shuffled file order, and returns the folder."""

    def make(
        positions: Any, folder: str = "Doe_Jane", change: Callable[[int, Dataset], None] | None = None, **tags: Any
    ) -> Path:
        order = np.random.default_rng(len(positions)).permutation(len(positions))
        for index, position in enumerate(positions):
            pixels = np.full((4, 3), 10 * index, np.int16)
            where = position if np.ndim(position) else [-5.0, 7.0, float(position)]
            dataset = dicom_slice(pixels, **({"ImagePositionPatient": list(where)} | tags))
            if change is not None:
                change(index, dataset)
            save(dataset, tmp_path / folder / "deeper" / f"{tags.get('SeriesInstanceUID', '')}{order[index]:03d}")
        return tmp_path / folder

    return make


def enhanced_ct(frames: np.ndarray, heights: list[float], slopes: list[float]) -> Dataset:
    """An enhanced multi-frame CT of ``frames`` (frame, rows, columns) at ``heights`` (mm)."""

    def item(**values: Any) -> pydicom.Sequence:
        dataset = Dataset()
        for keyword, value in values.items():
            setattr(dataset, keyword, value)
        return pydicom.Sequence([dataset])

    dataset = dicom_slice(
        frames[0], SOPClassUID=EnhancedCTImageStorage, NumberOfFrames=len(frames), PixelData=frames.tobytes(),
        ImagePositionPatient=None, ImageOrientationPatient=None, PixelSpacing=None, RescaleSlope=None,
        RescaleIntercept=None, SliceThickness=None,
    )  # fmt: skip
    dataset.file_meta.MediaStorageSOPClassUID = EnhancedCTImageStorage
    dataset.SharedFunctionalGroupsSequence = item(
        PlaneOrientationSequence=item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0]),
        PixelMeasuresSequence=item(PixelSpacing=[1.25, 0.75], SliceThickness=2),
    )
    groups = [
        item(
            PlanePositionSequence=item(ImagePositionPatient=[-5, 7, height]),
            PixelValueTransformationSequence=item(RescaleSlope=slope, RescaleIntercept=-1000, RescaleType="HU"),
        )[0]
        for height, slope in zip(heights, slopes, strict=True)
    ]
    dataset.PerFrameFunctionalGroupsSequence = pydicom.Sequence(groups)
    return dataset


@pytest.fixture(name="image_of")
def image_of_fixture() -> Callable[..., sitk.Image]:
    """The function ``image_of``."""
    return image_of


@pytest.fixture
def dicom() -> SimpleNamespace:
    """The functions that make and save DICOM data sets."""
    return SimpleNamespace(slice=dicom_slice, save=save, enhanced=enhanced_ct)


@pytest.fixture
def as_nobody(tmp_path: Path) -> Callable[[], AbstractContextManager[None]]:
    """A context in which file permissions hold even where the tests run as root; ``tmp_path`` stays reachable."""

    @contextmanager
    def context() -> Iterator[None]:
        if not hasattr(os, "geteuid"):
            pytest.skip("no file permissions to speak of on this system")
        if os.geteuid() != 0:
            yield
            return
        opened = [folder for folder in tmp_path.parents if folder.stat().st_mode & 0o001 == 0]
        modes = [(folder, stat.S_IMODE(folder.stat().st_mode)) for folder in (tmp_path, *opened)]
        for folder, mode in modes:
            folder.chmod(mode | 0o555)
        os.seteuid(65534)
        try:
            yield
        finally:
            os.seteuid(0)
            for folder, mode in modes:
                folder.chmod(mode)

    return context
