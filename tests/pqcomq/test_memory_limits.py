"""Small files that would take gigabytes: what they take is measured in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile

import numpy as np
import pytest
import SimpleITK as sitk
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    RTStructureSetStorage,
    generate_uid,
)

MIB = 2**20

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the peak of a process is read as POSIX tells it")

MEASURED = """
import resource, sys
from pathlib import Path
import numpy as np
from pqcomq.errors import InputError
from pqcomq.masks.read_masks import read_masks
from pqcomq.volumes.volume_reader import read_volume
from pqcomq.volumes.dicom.scan import scan_of
small = read_volume(Path(sys.argv[1]))  # what libraries take once they are used
unit = 1 if sys.platform == "darwin" else 1024
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
try:
    {work}
except InputError as problem:
    print("refused", problem)
print("grown", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit - before)
"""


@pytest.fixture
def measure(tmp_path):
    """Runs a line in a fresh process; gives what it printed and by how much its memory grew."""
    path = tmp_path / "small.nii.gz"
    sitk.WriteImage(sitk.GetImageFromArray(np.zeros((2, 4, 4), np.int16)), str(path))

    def measured(work, *arguments):
        code = MEASURED.replace("{work}", work)
        command = [sys.executable, "-c", code, str(path), *map(str, arguments)]
        text = subprocess.run(
            command,
            capture_output=True,
            encoding="utf-8",
            env=os.environ | {"PYTHONUTF8": "1"},
            timeout=240,
            check=True,
        ).stdout
        return text, int(text.split("grown ")[1])

    return measured


def dataset_of(syntax, **values):
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    return dataset


def image_of(syntax=ExplicitVRLittleEndian, pixels=b"\0" * 2 * 256, **values):
    return dataset_of(
        syntax,
        **{
            "SOPClassUID": CTImageStorage, "SOPInstanceUID": generate_uid(), "StudyInstanceUID": "1.2.3",
            "SeriesInstanceUID": "1.2.3.4", "FrameOfReferenceUID": "1.2.3.5", "Modality": "CT", "Rows": 16,
            "Columns": 16, "SamplesPerPixel": 1, "PhotometricInterpretation": "MONOCHROME2", "BitsAllocated": 16,
            "BitsStored": 16, "HighBit": 15, "PixelRepresentation": 0, "PixelSpacing": [1, 1], "SliceThickness": 1,
            "ImageOrientationPatient": [1, 0, 0, 0, 1, 0], "ImagePositionPatient": [0, 0, 0], "PixelData": pixels,
        } | values,
    )  # fmt: skip


def structure_set(contours_by_region):
    regions = range(1, len(contours_by_region) + 1)
    dataset = dataset_of(
        ExplicitVRLittleEndian, SOPClassUID=RTStructureSetStorage, SOPInstanceUID=generate_uid(), Modality="RTSTRUCT"
    )
    dataset.StructureSetROISequence = [named(number) for number in regions]
    dataset.ROIContourSequence = []
    for number, contours in zip(regions, contours_by_region, strict=True):
        region = Dataset()
        region.ReferencedROINumber, region.ContourSequence = number, []
        for points in contours:
            contour = Dataset()
            contour.ContourGeometricType, contour.NumberOfContourPoints = "CLOSED_PLANAR", len(points)
            contour.ContourData = [f"{value:g}" for value in np.asarray(points).ravel()]
            region.ContourSequence.append(contour)
        dataset.ROIContourSequence.append(region)
    return dataset


def named(number):
    region = Dataset()
    region.ROINumber, region.ROIName, region.ReferencedFrameOfReferenceUID = number, f"region {number}", "1.2.3.5"
    return region


READ = "v = read_volume(Path(sys.argv[2])); before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit; "


@pytest.fixture
def volume(tmp_path):
    """512 × 512 × 120 voxels on the disk, 63 MB in memory."""
    path = tmp_path / "v.nii.gz"
    image = sitk.GetImageFromArray(np.zeros((120, 512, 512), np.int16))
    sitk.WriteImage(image, str(path))
    return path


def test_a_contour_that_runs_to_and_fro(measure, tmp_path, volume):
    count = 9_000
    points = np.zeros((count, 3))
    points[:, 0] = np.linspace(1, 500, count)
    points[1::2, 1] = 505
    points[:, 2] = 3
    structure_set([[points[part : part + 3000] for part in range(0, count, 3000)]]).save_as(
        tmp_path / "s.dcm", enforce_file_format=True
    )
    text, grown = measure(f"{READ}read_masks(Path(sys.argv[3]), v)", volume, tmp_path / "s.dcm")
    assert "to and fro" in text
    assert grown < 150 * MIB


def test_fifty_regions_on_top_of_one_another(measure, tmp_path, volume):
    square = np.array([[20, 20], [20, 300], [300, 300], [300, 20]], float)
    region = [np.column_stack([square, np.full(4, float(z))]) for z in (3, 4)]
    structure_set([region] * 50).save_as(tmp_path / "s.dcm", enforce_file_format=True)
    work = f"{READ}m = read_masks(Path(sys.argv[3]), v); print(len(m.maps), m.mask(50).sum())"
    text, grown = measure(work, volume, tmp_path / "s.dcm")
    assert text.startswith(f"50 {2 * 280 * 280}")
    assert grown < 150 * MIB, "fifty whole maps take 1.5 GB"


def test_regions_whose_maps_would_take_all_memory_are_refused(measure, tmp_path, volume):
    square = np.array([[0, 0], [0, 511], [511, 511], [511, 0]], float)
    region = [np.column_stack([square, np.full(4, float(z))]) for z in (0, 119)]
    structure_set([region] * 90).save_as(tmp_path / "s.dcm", enforce_file_format=True)
    text, grown = measure(f"{READ}read_masks(Path(sys.argv[3]), v)", volume, tmp_path / "s.dcm")
    assert "on top of one another" in text
    assert grown < 2600 * MIB


@pytest.mark.slow
def test_a_deflated_file_at_listing(measure, tmp_path):
    path = tmp_path / "d" / "bomb.dcm"
    path.parent.mkdir()
    image_of(DeflatedExplicitVRLittleEndian, pixels=bytes(800 * MIB)).save_as(path, enforce_file_format=True)
    assert path.stat().st_size < 2 * MIB
    text, grown = measure("print(len(scan_of(Path(sys.argv[2])).planes))", path.parent)
    assert text.startswith("1\n")
    assert grown < 200 * MIB


@pytest.mark.slow
def test_a_zip_of_large_members(measure, tmp_path):
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for z in range(6):
            member = tmp_path / "member.dcm"
            large = image_of(pixels=bytes(200 * MIB), ImagePositionPatient=[0, 0, z], InstanceNumber=z)
            large.save_as(member, enforce_file_format=True)
            archive.write(member, f"{z}.dcm")
    text, grown = measure("print(read_volume(Path(sys.argv[2])).voxels.shape)", path)
    assert text.startswith("(6, 16, 16)")
    assert grown < 600 * MIB, "six members at once take 1.2 GB"


def test_a_member_that_states_more_than_it_can_hold_is_told(tmp_path):
    from pqcomq.errors import InputError
    from pqcomq.volumes.dicom.file_discovery import DicomFile, Opener

    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("a.dcm", bytes(20 * MIB))
    with Opener() as opener, pytest.raises(InputError, match="more bytes than it can hold"):
        opener.seekable(DicomFile(path, "a.dcm"))
