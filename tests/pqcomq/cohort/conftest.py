"""A cohort of small phantoms on the disk, and LiteMedSAM rounded to nearest, which takes no time."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

from pqcomq.backends.runtime import Runtime
from pqcomq.cohort.cases.find_cases import find_cases
from pqcomq.cohort.running.prepare import settings_of
from pqcomq.cohort.settings import CohortProtocol
from pqcomq.quantization.files.weights_file import save_weights
from pqcomq.quantization.planning.presets import default_config
from pqcomq.quantization.quantize_model import quantize_model
from pqcomq.volumes.volume import Volume


def write_case(folder, seed):
    """A disc of soft tissue with a blob labelled 1, and a spot of four voxels a slice labelled 7."""
    folder.mkdir(parents=True)
    z, y, x = np.indices((6, 96, 96))
    blob = (y - 40 - 2 * seed) ** 2 + (x - 60) ** 2 < (8 + z) ** 2
    voxels = np.where((y - 48) ** 2 + (x - 48) ** 2 < 40**2, 50, -1000)
    voxels = np.where(blob, 150, voxels) + np.random.default_rng(seed).normal(0, 10, voxels.shape)
    image = sitk.GetImageFromArray(voxels.astype(np.int16))
    image.SetSpacing((2.0, 2.0, 5.0))
    volume = Volume.of(image, "CT", "phantom")
    labels = blob.astype(np.uint8)
    labels[:, 80:82, 40:42] = 7
    sitk.WriteImage(volume.to_file_grid(volume.voxels), str(folder / "image.nii.gz"))
    sitk.WriteImage(volume.to_file_grid(labels), str(folder / "labels.nii.gz"))


@pytest.fixture(scope="session")
def phantoms(tmp_path_factory):
    """Three cases; tests leave them as they are."""
    folder = tmp_path_factory.mktemp("phantoms")
    for seed, name in enumerate(("anna", "bert", "carl")):
        write_case(folder / name, seed)
    (folder / "labels.json").write_text('{"1": "blob"}')
    return folder


@pytest.fixture(scope="session")
def rounded(lite_medsam, calibration, finish, made_once):
    """Weights of LiteMedSAM at 4 bits, rounded to nearest."""

    def make(path):
        save_weights(finish(quantize_model(lite_medsam, calibration, default_config("lite-medsam", 4, "rtn"))), path)

    return made_once("rounded.safetensors", make)


@pytest.fixture(scope="session")
def quick(rounded):
    """One slice a label."""
    return settings_of([rounded], runtime=Runtime.torch, protocol=CohortProtocol(most_slices=1, protocols=("slice",)))


@pytest.fixture
def ct_series(tmp_path):
    """A folder of three CT slices as DICOM files."""
    folder = tmp_path / "series"
    folder.mkdir()
    shared = {name: generate_uid() for name in ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID")}
    for z in range(3):
        image = Dataset()
        image.file_meta = FileMetaDataset()
        image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        values = shared | {
            "SOPClassUID": CTImageStorage, "SOPInstanceUID": generate_uid(), "Modality": "CT", "InstanceNumber": z + 1,
            "ImagePositionPatient": [0, 0, 5.0 * z], "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
            "Rows": 16, "Columns": 16, "SamplesPerPixel": 1, "PhotometricInterpretation": "MONOCHROME2",
            "BitsAllocated": 16, "BitsStored": 16, "HighBit": 15, "PixelRepresentation": 1, "RescaleSlope": 1,
            "RescaleIntercept": 0, "PixelSpacing": [2, 2], "SliceThickness": 5, "PatientID": "P1",
            "PixelData": np.arange(256, dtype=np.int16).tobytes(),
        }  # fmt: skip
        for keyword, value in values.items():
            setattr(image, keyword, value)
        image.file_meta.MediaStorageSOPClassUID = image.SOPClassUID
        image.file_meta.MediaStorageSOPInstanceUID = image.SOPInstanceUID
        image.save_as(folder / f"{z}.dcm", enforce_file_format=True)
    return folder


@pytest.fixture(scope="session")
def cases(phantoms):
    return find_cases(phantoms)
