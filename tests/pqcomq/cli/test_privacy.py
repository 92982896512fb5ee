"""Strings that name a patient, planted in a series: none of them comes out again, in no file and in no message."""

from __future__ import annotations

import base64
import gzip
import io
import logging
import re
import zipfile

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

pytestmark = pytest.mark.slow

SECRETS = {
    "PatientName": "Zwetschge^Kunigunde", "PatientID": "PID471108", "PatientBirthDate": "19330217",
    "PatientAge": "093Y", "OtherPatientIDs": "ALT0815", "PatientComments": "Sekretvermerk",
    "PatientAddress": "Geheimweg", "StudyDate": "20191103", "StudyTime": "101112.131", "SeriesDate": "20191104",
    "AcquisitionDate": "20191105", "ContentDate": "20191106", "StudyID": "STUDY77", "AccessionNumber": "ACC991",
    "ReferringPhysicianName": "Wurzelmann^Hubertus", "InstitutionName": "Hintertupfing",
    "InstitutionAddress": "Talstrasse", "StationName": "STATION9", "OperatorsName": "Operator^Otto",
    "DeviceSerialNumber": "SN55512", "RequestingPhysician": "Anforder^Anna", "ImageComments": "Bildkommentar",
}  # fmt: skip
UIDS = {
    "StudyInstanceUID": "1.2.826.4711.1",
    "SeriesInstanceUID": "1.2.826.4711.2",
    "FrameOfReferenceUID": "1.2.826.4711.3",
}
BOX = ("20", "20", "0", "44", "44", "1")


def planted():
    """What is searched for: whole values, and the parts of names."""
    return {part for value in SECRETS.values() for part in (value, *value.split("^"))} - {"Otto", "Anna"}


@pytest.fixture
def series(tmp_path):
    """Three slices of a disc in a disc, named and dated."""
    folder = tmp_path / "in" / "anna" / "scan"
    folder.mkdir(parents=True)
    y, x = np.indices((64, 64))
    for z in range(3):
        dataset = Dataset()
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        pixels = np.where(
            (y - 32) ** 2 + (x - 32) ** 2 < 100, 150, np.where((y - 32) ** 2 + (x - 32) ** 2 < 784, 40, -999)
        )
        values = SECRETS | UIDS | {
            "SOPClassUID": CTImageStorage, "SOPInstanceUID": f"1.2.826.4711.4.{z}", "Modality": "CT", "SeriesNumber": 4,
            "InstanceNumber": z + 1, "Rows": 64, "Columns": 64, "SamplesPerPixel": 1, "BitsAllocated": 16,
            "PhotometricInterpretation": "MONOCHROME2", "BitsStored": 16, "HighBit": 15, "PixelRepresentation": 1,
            "RescaleSlope": 1, "RescaleIntercept": 0, "PixelSpacing": [2, 2], "SliceThickness": 5, "PatientSex": "O",
            "ImageOrientationPatient": [1, 0, 0, 0, 1, 0], "ImagePositionPatient": [0, 0, 5 * z],
            "PositionReferenceIndicator": "", "PixelData": pixels.astype(np.int16).tobytes(),
        }  # fmt: skip
        for keyword, value in values.items():
            setattr(dataset, keyword, value)
        dataset.save_as(folder / f"{z}.dcm", enforce_file_format=True)
    return folder


def texts_of(name, data):
    """Everything readable in a file: inside compression and pictures' base64 too."""
    yield data
    if name.endswith(".gz"):
        yield gzip.decompress(data)
    elif name.endswith((".zip", ".npz")):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for info in archive.infolist():
                yield archive.read(info)
    elif name.endswith(".parquet"):
        import pandas as pd

        yield pd.read_parquet(io.BytesIO(data)).to_csv().encode()
    elif name.endswith(".html"):
        for coded in re.findall(rb"base64,([A-Za-z0-9+/=]+)", data):
            yield base64.b64decode(coded)


def found_in(place, *messages):
    """Every planted string in the files below a folder, in their names and in messages."""
    found = set()
    for path in (each for each in place.rglob("*") if each.is_file()):
        contents = [path.relative_to(place).as_posix().encode(), *texts_of(path.name, path.read_bytes())]
        found |= {(secret, path.name) for secret in planted() if any(secret.encode() in each for each in contents)}
    return found | {(secret, "a message") for secret in planted() if any(secret in each for each in messages)}


def test_nothing_that_names_a_patient_comes_out(run, series, tmp_path, caplog, monkeypatch):
    pytest.importorskip("pyarrow")
    monkeypatch.setenv("PQCOMQ_DEBUG", "1")
    for name in ("pqcomq", "pydicom", "highdicom"):
        caplog.set_level(logging.DEBUG, name)
    out, weights = tmp_path / "out", tmp_path / "out" / "w.safetensors"
    out.mkdir()
    truth, torch = out / "truth.nii.gz", ("--runtime", "torch")
    told = []

    def ran(*arguments, status=0):
        code, text, errors = run(*arguments)
        assert code in (status if isinstance(status, tuple) else (status,)), text + errors
        told.extend((text, errors))

    ran("info", series)
    ran("info", series, "--json")
    ran("series", series)
    ran("series", series, "--json")
    quick = ("--calibration-slices", "1", "--method", "rtn")
    ran("quantize", "--bits", "8", *quick, "--calibration", series, "--out", weights)
    for ending in (".nii.gz", ".nrrd", ".mha", ".dcm", ".rtstruct.dcm"):
        made = truth if ending == ".nii.gz" else out / f"mask{ending}"
        ran("segment", series, "--weights", weights, "--box", *BOX, "--out", made, *torch, "--json")
    given = ("--weights", weights, "--box", *BOX, *torch)
    ran("compare", series, *given, "--masks", "dcm", "--out", out / "compared")
    ran("report", "--volume", series, *given, "--no-jitter", "--out", out / "session")
    ran("gate", out / "session", status=(0, 1, 3))
    ran("gate", out / "session", "--json", status=(0, 1, 3))
    ran("replay", out / "session", "--volume", series, status=(0, 1))
    ran("export", weights, "--to", "safetensors-fp16", "--out", out / "exported")
    ran("card", weights, "--overwrite")
    ran(
        "evaluate",
        "--volume",
        series,
        "--weights",
        weights,
        "--labels",
        truth,
        "--label",
        "1",
        *torch,
        "--out",
        out / "judged",
    )
    (series.parent / "labels.nii.gz").write_bytes(truth.read_bytes())
    scored = ("--most-slices", "1", "--prompted-by", "slice", "--workers", "1", "--least-voxels", "1")
    ran("cohort", series.parent.parent, "--weights", weights, *scored, *torch, "--out", out / "cohort")
    ran("gate", out / "cohort", status=(0, 1, 3))
    ran("reproduce", out / "cohort")
    ran("card", weights, "--cohort", out / "cohort", "--overwrite")
    monkeypatch.setattr("pqcomq.backends.fastest.hindrance", lambda _runtime: "left out")  # torch alone is quick
    monkeypatch.setattr("pqcomq.comparison.benchmark._ROUNDS", 1)
    truths = ("--volume", series, "--labels", truth, "--label", "1")
    ran("bench", "--weights", weights, *truths, "--quick", "--published-passes", "0", "--out", out / "bench")
    # Refusals, and a fault of the program with its traceback.
    (series / "cut.dcm").write_bytes((series / "0.dcm").read_bytes()[:900])
    ran("info", series)
    ran("info", series / "cut.dcm", status=2)
    (series / "0.dcm").unlink()
    (series / "2.dcm").write_bytes((series / "1.dcm").read_bytes()[:-64])
    ran("segment", series, *given, "--out", out / "none.nii.gz", status=2)

    def fault(*_given, **_named):
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr("pqcomq.cli.info.opened", fault)
    ran("info", series, status=70)
    assert len(SECRETS) == 22
    assert found_in(out, *told, caplog.text) == set()


def test_the_search_finds_what_is_asked_for(run, series, saved, tmp_path):
    """Asked for with --with-patient the name is there, so the search sees it."""
    out = tmp_path / "out"
    out.mkdir()
    given = ("--weights", saved, "--box", *BOX, "--runtime", "torch", "--with-patient")
    assert run("segment", series, *given, "--out", out / "mask.dcm")[0] == 0
    assert ("PID471108", "mask.dcm") in found_in(out)
    assert ("PID471108", "mask.json") in found_in(out)
