"""Commands where napari or OpenVINO is not installed: the engine runs, and what is missing is named."""

from __future__ import annotations

import importlib.util
import json
import subprocess

import pytest

from pqcomq.cli import demo

BOX = ("48", "28", "3", "72", "52", "3")


def test_a_runtime_that_is_not_installed_is_refused_with_the_command_that_installs_it(
    refused, ct, tmp_path, without_openvino
):
    without_openvino()
    asked = ["--model", "lite-medsam", "--box", *BOX, "--out", tmp_path / "mask.nii.gz"]
    told = refused("segment", ct, *asked, "--runtime", "openvino")
    assert "runtime openvino needs OpenVINO, which is not installed here" in told
    assert 'pip install "napari-pqcomq[openvino]"' in told


@pytest.mark.slow
def test_bench_measures_torch_alone_and_says_so(run, ct, truth, tmp_path, without_openvino):
    without_openvino()
    out = tmp_path / "bench"
    asked = ["--volume", ct, "--labels", truth, "--label", 1, "--most-slices", 1, "--published-passes", 0]
    status, _, err = run("bench", *asked, "--out", out)
    assert status == 0, err
    assert "Measured on torch alone: runtime openvino needs OpenVINO, which is not installed" in err
    rows = json.loads((out / "bench.json").read_text())["summaries"]
    assert [row["precision"] for row in rows] == ["FP32"]


@pytest.mark.parametrize("missing", ["napari", "napari_pqcomq"])
def test_the_demo_in_a_window_names_what_it_needs(refused, monkeypatch, missing):
    found = importlib.util.find_spec
    monkeypatch.setattr(demo.importlib.util, "find_spec", lambda name: None if name == missing else found(name))
    told = refused("demo")
    assert 'the window needs napari, which is not installed: pip install "napari-pqcomq[napari]"' in told
    assert "--headless" in told


@pytest.mark.parametrize(("ended", "status"), [(0, 0), (1, 70), (-11, 70)])
def test_a_window_that_breaks_down_answers_nothing(run, monkeypatch, ended, status):
    """Status 1 is a command's no."""
    monkeypatch.setattr(demo.importlib.util, "find_spec", lambda _name: object())
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(demo.subprocess, "run", lambda command, **_how: subprocess.CompletedProcess(command, ended))
    assert run("demo")[0] == status
