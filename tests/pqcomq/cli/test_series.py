"""Listing series and reporting geometry on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pydicom
import SimpleITK as sitk

TREE = Path(pydicom.__file__).parent / "data" / "test_files" / "dicomdirtests"


def test_series_are_listed_without_patients_unless_asked(run):
    for source in (TREE, TREE / "DICOMDIR"):
        status, text, _ = run("series", source)
        assert status == 0
        assert "SmartScore" in text
        assert "--part 2: sagittal, 1 slice" in text
        assert "161 missing slices" in text
        assert "Doe" not in text
        assert "98890234" not in text.replace(str(source), "")
    assert "Doe^Peter (98890234)" in run("series", TREE, "--with-patient")[1]


def test_series_as_json(run):
    status, text, _ = run("series", TREE, "--json")
    listed = json.loads(text)["series"]
    assert status == 0
    assert len(listed) == 13
    gated = next(series for series in listed if series["number"] == 5)
    assert (gated["slices"], gated["size_xy"], gated["spacing_mm"][2], gated["problem"]) == (5, [16, 16], 2.5, "")
    assert "patient_name" not in gated
    assert "Doe" in json.dumps(json.loads(run("series", TREE, "--json", "--with-patient")[1]))


def test_a_place_without_series_is_refused(run, tmp_path):
    for path in (tmp_path, tmp_path / "none"):
        status, text, error = run("series", path)
        assert (status, text) == (2, "")
        assert path.name in error
        assert error.count("\n") == 1


def test_info_reports_geometry_and_takes_remedies(run, tmp_path):
    status, _, error = run("info", TREE, "--series", "51.28319.0.2")
    assert status == 2
    assert "161 missing slices" in error
    assert "'resample'" in error and "'largest'" in error
    status, text, _ = run("info", TREE, "--series", "51.28319.0.2", "--remedy", "largest", "--json")
    report = json.loads(text)
    assert status == 0
    assert report["remedies"] == ["largest"]
    assert report["findings"][0]["severity"] == "harmful"
    assert report["size"] == [16, 16, 3]
    image = sitk.GetImageFromArray(np.arange(60, dtype=np.int16).reshape(3, 4, 5))
    image.SetDirection((0.8, 0.6, 0, -0.6, 0.8, 0, 0, 0, 1))
    sitk.WriteImage(image, str(tmp_path / "a.mha"))
    status, text, _ = run("info", tmp_path / "a.mha")
    assert status == 0
    assert "5 x 4 x 3 voxels" in text
    assert "oblique by 36.9°" in text
    assert "doubtful: Taken for MR" in text
