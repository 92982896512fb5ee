"""How fast and in how much memory series are read.

``python tests/benchmarks/volume_reading.py [SLICES] [HEADERS] [SYNTAX...]``; syntaxes: plain, jpegls, jpeg2000, rle.

Makes a series of 512 x 512 CT slices in a temporary folder for each syntax, reads it alternately with SimpleITK's
series reader and with pqcomq, each time in a process of its own, and prints times, their ratio, and the peak of memory
by the size of the array. Compressed ones are read a third way, decoded in pqcomq's own process: what it costs that
damaged pictures end a decoder's process and not this one, in time of the clock and of all processors. Then the headers
of many tiny files of several series are scanned. Files are warm in the cache.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from imagecodecs import jpeg2k_encode, jpegls_encode
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    CTImageStorage,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
    generate_uid,
)

ROUNDS = 5

_CHILD = """
import json, resource, sys, time
from pathlib import Path
import SimpleITK as sitk
from pqcomq.volumes.dicom.decoding import decode, decoders
from pqcomq.volumes.dicom.scan import scan_of
from pqcomq.volumes.volume_reader import read_volume

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

what, folder = sys.argv[1], sys.argv[2]
spent = resource.getrusage(resource.RUSAGE_SELF)
before, processors, began = peak(), spent.ru_utime + spent.ru_stime, time.perf_counter()
if what == "sitk":
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(folder))
    image = reader.Execute()
    size = image.GetNumberOfPixels() * image.GetSizeOfPixelComponent()
elif what == "sitk-pixels":
    names = sorted(str(path) for path in Path(folder).iterdir())
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(names)
    began = time.perf_counter()
    image = reader.Execute()
    size = image.GetNumberOfPixels() * image.GetSizeOfPixelComponent()
elif what in ("pqcomq", "pqcomq-inside"):
    if what == "pqcomq-inside":
        decode.can_start_processes = lambda: False
    size = read_volume(Path(folder)).voxels.nbytes
else:
    size = len(scan_of(Path(folder)).planes)
seconds = time.perf_counter() - began
decoders.decoders().end()  # so that what they took is counted
own, others = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
processors = sum(each.ru_utime + each.ru_stime for each in (own, others)) - processors
print(json.dumps({"seconds": seconds, "processors": processors, "size": size, "more": peak() - before}))
"""


def slice_of(pixels: np.ndarray, index: int, series: int) -> Dataset:
    """One CT slice with some forty tags, as scanners write them."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID, meta.MediaStorageSOPClassUID = ExplicitVRLittleEndian, CTImageStorage
    dataset = Dataset()
    dataset.file_meta = meta
    values = {
        "SOPClassUID": CTImageStorage, "SOPInstanceUID": generate_uid(), "StudyInstanceUID": "1.2.3",
        "SeriesInstanceUID": f"1.2.3.{series}", "SeriesNumber": series, "InstanceNumber": index + 1, "Modality": "CT",
        "Manufacturer": "none", "StudyDate": "20200101", "StudyTime": "101500", "SeriesDescription": "Abdomen 1.0",
        "PatientName": "No^Body", "PatientID": "0", "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"], "KVP": 120,
        "ProtocolName": "abdomen", "ConvolutionKernel": "B30f", "FrameOfReferenceUID": "1.2.4",
        "Rows": pixels.shape[0], "Columns": pixels.shape[1], "SamplesPerPixel": 1, "BitsAllocated": 16,
        "PhotometricInterpretation": "MONOCHROME2", "BitsStored": 12, "HighBit": 11, "PixelRepresentation": 0,
        "PixelSpacing": [0.7, 0.7], "SliceThickness": 1, "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
        "ImagePositionPatient": [-180, -180, float(index)], "RescaleSlope": 1, "RescaleIntercept": -1024,
        "WindowCenter": 40, "WindowWidth": 400, "PixelData": pixels.tobytes(),
    }  # fmt: skip
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    return dataset


def compressed(dataset: Dataset, pixels: np.ndarray, syntax: str) -> Dataset:
    """The slice in another transfer syntax, without loss."""
    if syntax == "plain":
        return dataset
    if syntax == "rle":
        dataset.compress(RLELossless)
        return dataset
    frame = jpegls_encode(pixels) if syntax == "jpegls" else jpeg2k_encode(pixels, level=0, codecformat="j2k")
    dataset.file_meta.TransferSyntaxUID = JPEGLSLossless if syntax == "jpegls" else JPEG2000Lossless
    dataset.PixelData = encapsulate([frame])
    dataset["PixelData"].VR, dataset["PixelData"].is_undefined_length = "OB", True
    return dataset


def make_series(folder: Path, count: int, side: int, series: int, syntax: str = "plain") -> None:
    """Write a series of ``count`` slices: a body in air, with the noise of a scanner."""
    rows, columns = np.indices((side, side)) / side - 0.5
    body = np.where(np.hypot(rows * 1.3, columns) < 0.42, 1064, 24)
    generator = np.random.default_rng(series)
    for index in range(count):
        pixels = np.clip(body + generator.normal(0, 12, body.shape), 0, 4095).astype(np.uint16)
        dataset = compressed(slice_of(pixels, index, series), pixels, syntax)
        dataset.save_as(folder / f"{series}_{index:05d}.dcm", enforce_file_format=True)


def measured(what: str, folder: Path) -> dict[str, float]:
    """Read in a process of its own."""
    done = subprocess.run([sys.executable, "-c", _CHILD, what, str(folder)], capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def measure_series(slices: int, syntax: str) -> None:
    """Measure one syntax and print."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "series")
        folder.mkdir()
        make_series(folder, slices, 512, 1, syntax)
        ways = ("sitk", "sitk-pixels", "pqcomq", "scan", *(("pqcomq-inside",) if syntax != "plain" else ()))
        runs = {what: [] for what in ways}
        for _ in range(ROUNDS):
            for what, results in runs.items():
                results.append(measured(what, folder))
        seconds = {what: statistics.median(r["seconds"] for r in results) for what, results in runs.items()}
        array = runs["pqcomq"][0]["size"]
        for what in runs:
            peak = statistics.median(r["more"] for r in runs[what]) / array
            ratio = seconds[what] / seconds["sitk"]
            told = f"{seconds[what]:6.2f} s, x {ratio:.2f} of SimpleITK, {peak:.2f} arrays"
            print(f"{syntax:8} {what:12} {slices} slices: {told}")
        alone = seconds["pqcomq"] / seconds["sitk-pixels"]
        print(f"{syntax:8} pqcomq by SimpleITK's pixels alone, names given in order: x {alone:.2f}", flush=True)
        if "pqcomq-inside" in runs:
            pairs = [
                statistics.median(
                    apart[which] / inside[which]
                    for apart, inside in zip(runs["pqcomq"], runs["pqcomq-inside"], strict=True)
                )
                for which in ("seconds", "processors")
            ]
            print(f"{syntax:8} decoders' processes: x {pairs[0]:.3f} time, x {pairs[1]:.3f} processors", flush=True)


def main(slices: int = 1000, headers: int = 5000, *syntaxes: str) -> None:
    """Measure and print."""
    for syntax in syntaxes or ("plain",):
        measure_series(slices, syntax)
    with tempfile.TemporaryDirectory() as name:
        many = Path(name, "many")
        many.mkdir()
        for series in range(10):
            make_series(many, headers // 10, 16, series)
        scans = [measured("scan", many)["seconds"] for _ in range(3)]
        print(f"headers of {headers} files: {statistics.median(scans):.2f} s")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]), *sys.argv[3:])
