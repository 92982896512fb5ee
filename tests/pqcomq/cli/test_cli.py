"""The command line as a user types it: good input makes files, bad input one sentence, status 2 and nothing."""

from __future__ import annotations

import json
import subprocess
import sys

import nibabel
import numpy as np
import pytest
import torch

from pqcomq.cli.terminal.lists import repeat_options
from pqcomq.cli.terminal.output import print_table
from pqcomq.errors import InputError
from pqcomq.models.lite_medsam import shipped_checkpoint
from pqcomq.quantization.files.weights_file import load_weights

BOX = ["45", "25", "1", "76", "56", "2"]


@pytest.mark.slow
@pytest.mark.usefixtures("unmeasured")
def test_quantize_then_info(run, ct, tmp_path):
    out = tmp_path / "weights.safetensors"
    arguments = ["--bits", 2, "--calibration", ct, "--calibration-slices", 1, "--out", out]
    status, text, _ = run("quantize", "--model", "lite-medsam", *arguments)
    assert status == 0
    assert "effective bits" in text
    status, text, _ = run("info", out, "--json")
    content = json.loads(text)
    assert content["quantization"]["bits"] == 2
    assert content["file_bytes"] == out.stat().st_size
    assert content["calibration"]["volumes"][0]["modality"] == "CT"
    assert "phantom" not in text.replace(str(out), "")
    status, text, _ = run("info", out)
    assert status == 0
    assert f"bits        2, {content['effective_bits']:.3f} effective per quantized weight" in text


def test_segment_writes_a_mask_on_the_volume_s_own_grid(run, ct, saved, tmp_path):
    for name, choice in (("full", ["--model", "lite-medsam"]), ("low", ["--weights", saved])):
        out = tmp_path / f"{name}.nii.gz"
        status, text, _ = run("segment", ct, *choice, "--box", *BOX, "--out", out, "--json")
        assert status == 0
        mask, image = nibabel.load(out), nibabel.load(ct)
        assert mask.shape == image.shape
        assert np.allclose(mask.affine, image.affine)
        assert json.loads(text)["volume_ml"] == pytest.approx(np.asarray(mask.dataobj).sum() * 0.02)
        assert np.asarray(mask.dataobj).any()


def test_compare_writes_json_csv_and_picture(run, ct, truth, saved, tmp_path):
    out = tmp_path / "new" / "result"
    arguments = ["--weights", saved, "--box", *BOX, "--labels", truth, "--label", 1, "--out", out]
    status, text, _ = run("compare", ct, *arguments)
    assert status == 0
    assert sorted(path.name for path in out.iterdir()) == ["comparison.csv", "comparison.json", "comparison.png"]
    content = json.loads((out / "comparison.json").read_text())
    assert content["agreement_between_models"]["dice"] > 0.9
    assert content["reference"]["accuracy_against_ground_truth"]["dice"] > 0.9
    assert "Dice vs ground truth" in text
    assert content["candidate"]["speed"].partition(":")[0] in ("real", "simulated")
    assert content["candidate"]["speed"].partition(":")[0] in text


def test_a_table_is_never_cut_short(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "30")
    print_table("title", ["what", *"abcdefgh"], [["4-bit Permutation-COMQ", *["0.1234"] * 8]], caption="long " * 30)
    out = capsys.readouterr().out
    assert out.count("0.1234") == 8
    assert "…" not in out


def test_evaluate_prints_a_row_for_each_precision(run, ct, truth, saved, tmp_path):
    out = tmp_path / "evaluation"
    arguments = ["--label", 1, "--weights", saved, "--most-slices", 1, "--out", out, "--json"]
    status, text, _ = run("evaluate", "--volume", ct, "--labels", truth, *arguments)
    assert status == 0
    first, *_others, last = [row["precision"] for row in json.loads(text)["summaries"]]
    assert first == "FP32"
    assert last.startswith("4-bit Permutation-COMQ")
    assert (out / "evaluation.csv").is_file()


def test_files_of_one_title_have_rows_of_their_own_in_an_evaluation(refused, ct, truth, saved, tmp_path, monkeypatch):
    named = []

    def evaluated(_volume, _truth, _labels, models, **_):
        named.extend(each.segmenter.precision for each in models)
        raise InputError("seen")

    monkeypatch.setattr("pqcomq.comparison.evaluate.evaluate", evaluated)
    asked = ["--label", 1, "--runtime", "torch", "--weights", saved, saved, "--out", tmp_path / "out"]
    assert "seen" in refused("evaluate", "--volume", ct, "--labels", truth, *asked)
    mark = load_weights(saved).segmenter.fingerprint[:8]
    assert [each.partition(" (")[2] for each in named] == ["", f"{mark})", f"{mark}_2)"]


def test_volumes_that_are_none_are_refused(refused, ct, saved, tmp_path):
    out = tmp_path / "out"
    compare = ["--weights", saved, "--box", *BOX, "--out", out]
    text = tmp_path / "notes.nii.gz"
    text.write_text("not a volume")
    assert text.name in refused("compare", text, *compare)
    cut = tmp_path / "cut.nii.gz"
    cut.write_bytes(ct.read_bytes()[:20000])
    assert cut.name in refused("compare", cut, *compare)
    four = tmp_path / "four.nii.gz"
    nibabel.save(nibabel.Nifti1Image(np.zeros((4, 4, 4, 3), np.int16), np.eye(4)), four)
    assert "4" in refused("compare", four, *compare)
    assert "none.nii" in refused("compare", tmp_path / "none.nii", *compare)
    assert not out.exists()


def test_a_folder_of_two_series_asks_which(refused, tmp_path, saved):
    from pydicom.data import get_testdata_file

    folder = tmp_path / "series"
    folder.mkdir()
    for name in ("CT_small.dcm", "MR_small.dcm"):
        with open(get_testdata_file(name), "rb") as source:  # noqa: PTH123
            (folder / name).write_bytes(source.read())
    sentence = refused("segment", folder, "--weights", saved, "--box", *BOX, "--out", tmp_path / "m.nii.gz")
    assert "CT" in sentence
    assert "MR" in sentence


@pytest.mark.parametrize(
    "box", [["0", "0", "0", "500", "10", "1"], ["5", "5", "4", "9", "9", "2"], ["-1", "0", "0", "5", "5", "1"]]
)
def test_a_box_outside_the_volume_is_refused(refused, ct, saved, tmp_path, box):
    assert "96 × 96 × 6" in refused("compare", ct, "--weights", saved, "--box", *box, "--out", tmp_path)


def test_checkpoints_that_do_not_fit_are_refused(refused, ct, tmp_path):
    out = tmp_path / "w.safetensors"
    arguments = ["--bits", 4, "--calibration", ct, "--calibration-slices", 1, "--out", out]
    assert "name its checkpoint" in refused("quantize", "--model", "medsam", *arguments)
    foreign = tmp_path / "foreign.pth"
    torch.save({"weight": torch.ones(1)}, foreign)
    assert foreign.name in refused("quantize", "--model", "medsam", "--checkpoint", foreign, *arguments)
    cut = tmp_path / "cut.pth"
    cut.write_bytes(shipped_checkpoint().read_bytes()[:100_000])
    assert cut.name in refused("quantize", "--checkpoint", cut, *arguments)


def test_files_that_are_there_are_not_replaced_unless_told(refused, run, ct, saved, tmp_path):
    out = tmp_path / "mask.nii.gz"
    out.write_bytes(b"precious")
    assert "exists already" in refused("segment", ct, "--weights", saved, "--box", *BOX, "--out", out)
    assert run("segment", ct, "--weights", saved, "--box", *BOX, "--out", out, "--overwrite")[0] == 0
    weights = tmp_path / "weights.safetensors"
    weights.write_bytes(b"precious")
    assert "exists already" in refused("quantize", "--bits", 4, "--calibration", ct, "--out", weights)


def test_folders_that_cannot_be_written_are_told_before_any_work(refused, ct, saved):
    assert "cannot be written to the folder" in refused(
        "compare", ct, "--weights", saved, "--box", *BOX, "--out", "/proc/pqcomq/result"
    )
    assert "is not a folder" in refused("compare", ct, "--weights", saved, "--box", *BOX, "--out", ct / "result")
    assert "there is no folder" in refused(
        "segment", ct, "--weights", saved, "--box", *BOX, "--out", "/nowhere/at/all/mask.nii.gz"
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--bits", "3"], "bit width 3"),
        ([], "--bits: choose one of 2, 4, 8"),
        (["--method", "ecq"], "from 1 to 6"),
        (["--method", "ecq", "--stored-bits", "0.5"], "from 1 to 6"),
        (["--method", "ecq", "--bits", "2"], "have no bit width"),
        (["--bits", "2", "--stored-bits", "2.6"], "belongs to --method ecq"),
        (["--method", "ecq", "--stored-bits", "2.6", "--integer"], "--integer: belongs to weights of a bit width"),
        (["--bits", "4", "--integer", "--published"], "--integer: weights on multiples of one scale"),
        (["--method", "ecq", "--stored-bits", "2.6", "--published"], "--published: entropy-coded weights are this"),
        (["--bits", "4", "--published", "--set", "zero_point=odd"], "--published: zero point 'odd'"),
        (["--bits", "4", "--calibration-slices", "7"], "fewer than the 7"),
        (["--bits", "4", "--window", "liver"], "window 'liver'"),
        (["--bits", "4", "--window", "40,0"], "above 0"),
        (["--bits", "4", "--calibration-slices", "1", "--set", "group_size=33"], "set the budget to none too"),
    ],
)
def test_settings_out_of_range_are_told(refused, ct, tmp_path, arguments, words):
    assert words in refused("quantize", *arguments, "--calibration", ct, "--out", tmp_path / "w.safetensors")


def test_truth_needs_both_its_options_and_the_label(refused, ct, truth, saved, tmp_path):
    compare = ["compare", ct, "--weights", saved, "--box", *BOX, "--out", tmp_path]
    assert "go together" in refused(*compare, "--labels", truth)
    assert "Label 5 does not occur" in refused(*compare, "--labels", truth, "--label", 5)


def test_lists_may_follow_one_option():
    assert repeat_options(["evaluate", "--label", "1", "2", "--json", "--weights", "a", "b"]) == [
        *["evaluate", "--label", "1", "--label", "2", "--json", "--weights", "a", "--weights", "b"]
    ]
    assert repeat_options(["compare", "v", "--label", "1"]) == ["compare", "v", "--label", "1"]
    assert repeat_options([]) == []


def test_a_missing_option_has_status_2(run):
    assert run("quantize", "--bits", 4)[0] == 2
    assert run("--version")[1].startswith("pqcomq ")


@pytest.mark.slow  # the import contracts tell the same at once
def test_the_engine_loads_neither_napari_nor_qt():
    code = (
        "import sys, pqcomq.cli; from pqcomq.models.registry import load_model; load_model('lite-medsam');"
        "gui = ('napari', 'qtpy', 'PySide6', 'PyQt6', 'magicgui', 'vispy');"
        "print([m for m in sys.modules if m.split('.')[0] in gui])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
