"""Options that would do nothing beside others are refused before anything is read or written."""

from __future__ import annotations

import pytest

BOX = ["45", "25", "1", "76", "56", "2"]
NOTHING = "nowhere.nii.gz"


@pytest.mark.parametrize(
    ("arguments", "idle"),
    [
        (["demo", "--out", "folder"], "--out"),
        (["demo", "--overwrite"], "--overwrite"),
        (["bench", "--out", "b", "--quick", "--most-slices", 3], "--most-slices"),
        (["bench", "--out", "b", "--quick", "--published-passes", 3], "--published-passes"),
        (["bench", "--out", "b", "--modality", "MR"], "--modality"),
        (["bench", "--out", "b", "--labels-part", 2], "--labels-part"),
        (["segment", NOTHING, "--weights", "w", "--checkpoint", "c", "--box", *BOX, "--out", "m.nii"], "--checkpoint"),
        (["compare", NOTHING, "--weights", "w", "--out", "o", "--box", *BOX, "--labels-part", 1], "--labels-part"),
        (["compare", NOTHING, "--weights", "w", "--out", "o", "--box", *BOX, "--with-patient"], "--with-patient"),
        (["compare", NOTHING, "--weights", "w", "--out", "o", "--box", *BOX, "--name", "liver"], "--name"),
        (
            ["report", "--volume", NOTHING, "--weights", "w", "--out", "o", "--no-jitter", "--jitter-px", 3],
            "--jitter-px",
        ),
        (["report", "--volume", NOTHING, "--weights", "w", "--out", "o", "--labels-part", 1], "--labels-part"),
        (["card", "w.safetensors", "--margin", 0.1], "--margin"),
        (["gate", "nowhere", "--loss-margin", 0.01], "--loss-margin"),
        (["models", "list", "--accept-licence"], "--accept-licence"),
        (["info", "w.safetensors", "--part", 2], "--part"),
        (["cohort", "--synthetic", 1, "--weights", "w", "--model", "medsam", "--out", "o"], "--model"),
        (["cohort", "--synthetic", 1, "--scheduler", "tcp://a:1", "--workers", 2, "--out", "o"], "--workers"),
    ],
    ids=lambda given: given if isinstance(given, str) else given[0],
)
def test_an_option_that_would_do_nothing_is_refused(refused, tmp_path, monkeypatch, arguments, idle):
    monkeypatch.chdir(tmp_path)
    assert refused(*arguments).startswith(f"pqcomq: {idle} would do nothing: ")


@pytest.mark.parametrize("given", [["--dice", 0.9], ["--volume-percent", 3], ["--doubt-below", 0.5]])
def test_a_cohort_is_not_held_against_a_session_s_tolerance(refused, tmp_path, monkeypatch, given):
    monkeypatch.setattr("pqcomq.cohort.cohort_store.CohortStore.is_at", lambda _folder: True)
    assert "--loss-margin" in refused("gate", tmp_path, *given)


@pytest.mark.parametrize("change", ["bits=2", "method = rtn", "stored_bits=2"])
def test_a_setting_with_an_option_of_its_own_is_not_overruled(refused, ct, tmp_path, change):
    asked = ["quantize", "--bits", 4, "--calibration", ct, "--out", tmp_path / "w.safetensors", "--set", change]
    assert "an option of its own, --" in refused(*asked)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--weights", "w"], "--weights are ready; --bits, --method, --published"),
        (["--calibrate-on", "own"], "--published: weights by the papers' settings are made once"),
    ],
)
def test_weights_as_published_are_made_once_for_all_cases(refused, tmp_path, arguments, told):
    assert told in refused("cohort", "--synthetic", 4, "--published", *arguments, "--out", tmp_path / "o")
