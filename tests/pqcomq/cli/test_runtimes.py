"""--runtime and bench, as a user types them."""

from __future__ import annotations

import json
import shutil
import socket
from dataclasses import replace

import pytest
import SimpleITK as sitk

from pqcomq.backends import processor
from pqcomq.backends.fastest import hindrance
from pqcomq.backends.obstacle import available
from pqcomq.backends.runtime import Runtime
from pqcomq.cli import main
from pqcomq.quantization.files.weights_file import load_weights, save_weights
from pqcomq.quantization.planning.presets import default_config
from pqcomq.quantization.quantize_model import quantize_model

pytestmark = pytest.mark.skipif(not available(Runtime.openvino), reason="OpenVINO does not run here")

BOX = ["45", "25", "1", "76", "56", "2"]


@pytest.fixture(scope="session")
def integers(lite_medsam, calibration, finish, made_once):
    """A file whose weights run as integers."""
    settings = replace(default_config("lite-medsam", 8, integers=True), sweeps=1)

    def make(path):
        save_weights(finish(quantize_model(lite_medsam, calibration, settings)), path)

    return made_once("integers.safetensors", make)


def test_segment_says_what_ran_and_asks_nothing_of_the_network(run, ct, saved, tmp_path, monkeypatch):
    def refuse(*_):
        raise AssertionError("something was sent")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    out = tmp_path / "mask.nii.gz"
    arguments = ["--weights", saved, "--box", *BOX, "--out", out, "--json"]
    status, text, err = run("segment", ct, *arguments, "--runtime", "openvino")
    assert status == 0, err
    ran = json.loads(text)["execution"]
    assert ran["runtime"].startswith("OpenVINO")
    assert ran["activations"] == "FP32"
    assert not ran["simulated"]
    assert sitk.GetArrayFromImage(sitk.ReadImage(str(out))).any()


def test_without_a_choice_the_fastest_is_taken_and_both_ratios_are_told(run, ct, saved, tmp_path):
    out = tmp_path / "out"
    status, text, err = run("compare", ct, "--weights", saved, "--box", *BOX, "--out", out)
    assert status == 0, err
    content = json.loads((out / "comparison.json").read_text())
    ran = content["candidate"]["execution"]
    assert ran["setting"].startswith("openvino")
    assert ran["why"].startswith(f"Fastest here: {ran['setting']}")
    reference = content["reference"]["execution"]
    assert (reference["setting"], reference["activations"]) == ("openvino", "FP32")
    assert [each["against"] for each in content["encoder_speedups"]] == ["FP32 in torch", "FP32 in OpenVINO"]
    assert ran["why"] in " ".join(text.split())


def test_compare_runs_both_sides_on_the_same_library(run, ct, saved, tmp_path):
    arguments = ["--weights", saved, "--box", *BOX, "--out", tmp_path / "out", "--json"]
    status, text, err = run("compare", ct, *arguments, "--runtime", "openvino")
    assert status == 0, err
    content = json.loads(text)
    for side in ("reference", "candidate"):
        assert content[side]["execution"]["runtime"].startswith("OpenVINO")
        assert content[side]["speed"] == "real"


@pytest.fixture(scope="module")
def session(phantom, saved, tmp_path_factory):
    """A session on one slice, made on OpenVINO; tests leave it as it is."""
    folder = tmp_path_factory.mktemp("session")
    sitk.WriteImage(phantom.to_file_grid(phantom.voxels), str(folder / "phantom.nii.gz"))
    asked = ["--volume", folder / "phantom.nii.gz", "--weights", saved, "--box", *BOX[:2], 2, *BOX[3:], "--no-jitter"]
    with pytest.raises(SystemExit) as end:
        main([str(each) for each in ["report", *asked, "--runtime", "openvino", "--out", folder / "out"]])
    assert not end.value.code
    return folder / "out"


def test_a_session_is_made_and_replayed_on_the_runtime_that_was_asked_for(run, ct, session, without_openvino):
    out = session
    found = json.loads((out / "session.json").read_text())["objects"][0]["comparisons"][0]["found"]
    assert [found[side]["execution"]["setting"] for side in ("reference", "candidate")] == ["openvino", "openvino"]
    assert "4-bit Permutation-COMQ, OpenVINO FP32: OpenVINO 20" in (out / "report.html").read_text(encoding="utf-8")

    status, text, err = run("replay", out, "--volume", ct)
    assert status == 0, text + err
    assert "The same: all" in text
    assert "median ms of encoder" in text

    without_openvino()
    status, text, err = run("replay", out, "--volume", ct)
    assert (status, text) == (2, "")
    assert "made with runtime openvino" in err
    assert "not installed" in err
    assert "--runtime" in err
    _, text, err = run("replay", out, "--volume", ct, "--runtime", "torch", "--json")
    told = json.loads(text)["elsewhere"]
    assert [each["replayed"].partition(" ")[0] for each in told if each["what"].startswith("what ran")] == ["torch"] * 2


def test_a_runtime_of_another_version_is_named(run, ct, session, tmp_path):
    out = shutil.copytree(session, tmp_path / "session")
    content = json.loads((out / "session.json").read_text())
    content["objects"][0]["comparisons"][0]["found"]["candidate"]["execution"]["setting"] = "abacus"
    (out / "session.json").write_text(json.dumps(content))
    status, text, err = run("replay", out, "--volume", ct)
    assert (status, text) == (2, "")
    assert "made with runtime 'abacus', which this version does not know" in err


def test_weights_that_are_no_integers_are_refused_for_eight_bit_inputs(run, ct, saved, tmp_path, monkeypatch):
    monkeypatch.setattr(processor, "sums_bytes_exactly", lambda: True)  # nothing is computed
    arguments = ["--weights", saved, "--box", *BOX, "--out", tmp_path / "mask.nii.gz"]
    status, out, err = run("segment", ct, *arguments, "--runtime", "openvino-int8")
    assert status == 2
    assert "quantize it with --integer" in err
    assert out == ""
    assert not (tmp_path / "mask.nii.gz").exists()


def test_integer_weights_come_back_with_the_ranges_of_their_inputs(integers):
    model = load_weights(integers)
    assert model.input_ranges.keys() == model.weights.keys()
    assert all(low < high for low, high in model.input_ranges.values())


def test_a_damaged_range_is_told(integers, saved, tmp_path):
    from safetensors import safe_open
    from safetensors.torch import load_file, save_file

    with safe_open(integers, framework="pt") as stream:
        head = json.loads(stream.metadata()["pqcomq"])
    next(iter(head["layers"].values()))["input_range"] = [1e400, 2]
    path = tmp_path / "damaged.safetensors"
    save_file(load_file(integers), path, metadata={"pqcomq": json.dumps(head)})
    with pytest.raises(ValueError, match="manifest is damaged"):
        load_weights(path)


def test_bench_tells_every_setting_against_the_same_baselines(run, ct, truth, saved, integers, tmp_path, monkeypatch):
    """Of the settings that run here, one in floats and one in integers: each of them is compiled twice."""
    few = (Runtime.openvino, Runtime.openvino_int8)
    here = [each for each in few if hindrance(each) is None]
    monkeypatch.setattr("pqcomq.backends.fastest.hindrance", lambda each: None if each in here else "left out")
    monkeypatch.setattr("pqcomq.comparison.benchmark._ROUNDS", 2)
    out = tmp_path / "bench"
    arguments = ["--volume", ct, "--labels", truth, "--label", 1, "--most-slices", 1, "--out", out]
    status, text, err = run("bench", *arguments, "--weights", saved, integers, "--quick")
    assert status == 0, err
    content = json.loads((out / "bench.json").read_text())
    rows = content["summaries"]
    assert [row["precision"] for row in rows[:2]] == ["FP32", "FP32, OpenVINO"]
    assert rows[0]["execution"]["runtime"].startswith("torch")
    in_bytes = [row for row in rows if "8-bit inputs" in row["precision"]]
    assert len(in_bytes) == len(here) - 1
    assert len(rows) == 2 + 1 + len(here)
    assert not any("8-bit inputs" in row["precision"] for row in rows if "4-bit" in row["precision"])
    assert not any(row["simulated"] for row in rows)
    assert content["encoder_as_published_in_torch"]["passes"] == 1
    assert [each["passes"] for each in content["decoder_of_boxes_at_once"]] == [2] * len(rows)
    unquantized = [row for row in rows if row["effective_bits"] == 32]
    fastest = min(unquantized, key=lambda row: row["encoder"]["median_ms"])
    assert content["fastest_unquantized"] == fastest["precision"]
    for row, speedups in zip(rows, content["speedups"], strict=True):
        mine = row["encoder"]["median_ms"]
        assert speedups["setting"] == row["precision"]
        assert speedups["encoder_against_fp32_in_torch"] == rows[0]["encoder"]["median_ms"] / mine
        assert speedups["encoder_against_fp32_on_the_fast_runtime"] == rows[1]["encoder"]["median_ms"] / mine
        assert speedups["encoder_against_the_fastest_unquantized"] == fastest["encoder"]["median_ms"] / mine
    assert len(content["slices_of_a_volume_per_second"]) == len(rows)
    assert min(content["slices_of_a_volume_per_second"]) > 0
    assert "authors' own code" in text
    assert "fastest unquantized" in text
    assert "5 boxes ms" in text
    assert (out / "bench.png").read_bytes().startswith(b"\x89PNG")
    status, _, err = run("bench", "--out", out)
    assert status == 2
    assert "exists already" in err
