"""Doubt that a model tells of itself, and the cascade that rests on it."""

from __future__ import annotations

import json
import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from pqcomq.cohort.statistics.cascade_threshold import CascadeThreshold
from pqcomq.cohort.statistics.doubt_statistics import (
    COMBINED,
    area_under_roc,
    cascaded,
    catching,
    doubt_statistics,
    sent_by_other_patients,
)
from pqcomq.errors import InputError
from pqcomq.quantization.files.weights_file import load_weights
from pqcomq.segmentation.cascade import CascadeRunner
from pqcomq.segmentation.doubt import doubt_of, moved_prompts, stability_score
from pqcomq.segmentation.slice_runner import SliceRunner
from pqcomq.volumes.volume_reader import read_volume

pd = pytest.importorskip("pandas")
pytest.importorskip("statsmodels")

BOX = np.array([50, 30, 70, 50], np.float32)


def test_stability_is_the_share_of_the_reach_that_is_sure():
    logits = torch.tensor([[5.0, 2.0, 0.5], [-0.5, -3.0, -9.0]])
    assert stability_score(logits) == 2 / 4
    assert stability_score(torch.full((2, 2), -9.0)) == 0
    told = doubt_of(logits, [1.0, 0.5])
    assert told.moved_boxes == 0.75
    assert 0 < told.certainty < 1
    assert doubt_of(torch.full((2, 2), -9.0), [1.0]).certainty == 0


def test_moved_boxes_stay_inside_and_keep_a_width():
    for box in ([0, 0, 1, 1], [94, 94, 96, 96], [10, 20, 60, 70]):
        moved = moved_prompts(np.array(box, np.float32), (96, 96))
        assert moved.shape == (4, 4)
        assert (moved >= 0).all() and (moved <= 96).all()
        assert (moved[:, 2:] - moved[:, :2] >= 1).all()


def table(agreement, stability, patients):
    return pd.DataFrame(
        {
            "patient": patients,
            "full_dice": 0.9,
            "quantized_dice": 0.9 * np.asarray(agreement),
            "dice_between_models": agreement,
            "doubt_stability": stability,
            "doubt_moved_boxes": 0.5,
            "doubt_certainty": 0.5,
        }
    )


def below(pairs, threshold):
    return (pairs["doubt_stability"] < threshold).to_numpy()


def test_area_under_roc():
    disagrees = np.array([True, True, False, False])
    assert area_under_roc(np.array([0.9, 0.8, 0.2, 0.1]), disagrees) == 1
    assert area_under_roc(np.array([0.9, 0.1, 0.5, 0.5]), disagrees) == 0.5
    assert math.isnan(area_under_roc(np.array([0.1, 0.2]), np.array([True, True])))


def test_a_threshold_catches_the_disagreements_it_was_made_for():
    stability = np.linspace(0, 1, 101)
    threshold = catching(stability, stability <= 0.4)
    assert 0.38 <= threshold < 0.4
    assert (stability[:41] < threshold).mean() >= 0.95
    assert catching(stability, np.zeros(101, bool)) == 0


def test_a_cascade_sends_the_doubtful_first():
    rng = np.random.default_rng(0)
    stability = rng.uniform(0.5, 1, 200)
    agreement = np.where(stability < 0.6, 0.5, 0.99)
    found = doubt_statistics(table(agreement, stability, np.arange(200) % 20), "2-bit", 50.0, 200.0)
    assert found.auroc["stability score"] == 1
    assert found.auroc["agreement under moved boxes"] == 0.5
    assert found.auroc[COMBINED] > 0.99
    assert found.caught > 0.9 and found.sent < 0.3
    nothing, *_, everything = found.curve
    assert (nothing.sent, nothing.threshold, nothing.milliseconds) == (0, 0, 50)
    assert (everything.sent, everything.dice, everything.between) == (1, pytest.approx(0.9), 1)
    assert everything.milliseconds == 250
    dice = [each.dice for each in found.curve]
    assert dice == sorted(dice)
    json.dumps(found.to_dict(), allow_nan=False)
    few = doubt_statistics(table(agreement[:3], stability[:3], np.arange(3)), "2-bit", 50.0, 200.0)
    assert [each.sent for each in few.curve] == pytest.approx([0, 1 / 3, 2 / 3, 1]), "no share twice"


def test_a_cascade_is_full_precision_below_the_threshold_and_the_quantized_model_above():
    pairs = table([0.5, 0.9, 0.99], np.array([0.4, 0.6, 0.8]), ["a", "b", "c"])
    given = cascaded(pairs, below(pairs, 0.6))
    assert given["quantized_dice"].tolist() == pytest.approx([0.9, 0.81, 0.891])
    assert given["dice_between_models"].tolist() == [1, 0.9, 0.99]
    assert given["difference"].tolist() == pytest.approx([0, -0.09, -0.009])
    assert pairs["quantized_dice"][0] == pytest.approx(0.45)
    assert cascaded(pairs, below(pairs, 1))["difference"].tolist() == [0, 0, 0]


@pytest.fixture
def cohort(monkeypatch, tmp_path):
    """A cohort's result of two weights files on two runtimes; pairs are what a test says."""
    names = ["FP32", *(f"{bits}-bit, {runtime}" for bits in (4, 2) for runtime in ("openvino", "torch"))]
    kept = {"protocols": ["slice"]}
    place = "pqcomq.cohort.statistics.cascade_threshold"
    monkeypatch.setattr(f"{place}.paired", lambda _scores, name, _protocol: kept[name])
    monkeypatch.setattr(f"{place}.protocols_of", lambda _scores: kept["protocols"])
    files = [SimpleNamespace(fingerprint=each) for each in ("four", "two")]
    settings = SimpleNamespace(quantized=files, runtimes=("openvino", "torch"))
    store, models = SimpleNamespace(folder=tmp_path), [SimpleNamespace(name=each) for each in names]
    return SimpleNamespace(settings=settings, models=models, scores=None, scored=20, store=store, kept=kept)


def test_a_cohort_tells_the_threshold_of_its_weights(cohort):
    stability = np.linspace(0, 1, 101)
    cohort.kept["2-bit, openvino"] = table(np.where(stability <= 0.4, 0.5, 0.99), stability, np.arange(101) % 20)
    found = CascadeThreshold.of(cohort, "two")
    assert 0.38 < found.threshold < 0.4 and found.threshold == round(found.threshold, 3)
    assert found.threshold >= found.doubt.threshold, "what is just below is caught, also as fields show it"
    assert found.sentence.startswith("2-bit, openvino on 20 cases: at least 95% of its 41 disagreements")
    assert f"below {found.threshold:.3f}" in found.sentence


def test_a_threshold_of_one_patient_was_tried_on_nobody_else(cohort):
    cohort.scored = 1
    cohort.kept["2-bit, openvino"] = table([0.5, 0.99, 0.99], np.array([0.4, 0.6, 0.8]), ["anna"] * 3)
    found = CascadeThreshold.of(cohort, "two")
    assert math.isnan(found.doubt.sent) and math.isnan(found.doubt.caught), "0 % would be a finding"
    assert found.sentence.startswith("2-bit, openvino on 1 case: at least 95% of its 1 disagreement with")
    assert found.sentence.endswith("Of a single patient nobody knows what it catches on another.")


def test_every_point_of_a_cascade_is_what_its_threshold_gives():
    stability = np.repeat([0.0, 0.7, 0.9], [60, 30, 10])  # empty masks have a score of 0
    pairs = table(np.where(stability == 0, 0.2, 0.95), stability, np.arange(100) % 10)
    found = doubt_statistics(pairs, "2-bit", 50.0, 200.0)
    assert [each.sent for each in found.curve] == pytest.approx([0, 0.6, 0.9, 1])
    for point in found.curve:
        given = cascaded(pairs, below(pairs, point.threshold))
        assert point.sent == (stability < point.threshold).mean()
        assert (point.dice, point.between) == (given["quantized_dice"].mean(), given["dice_between_models"].mean())
        assert point.worst_decile == pytest.approx(np.sort(given["quantized_dice"])[:10].mean())
        right, doubtful, wrong = point.strata
        assert (right.prompts, doubtful.prompts, wrong.prompts) == (100, 0, 0)
        assert (right.dice, right.losing) == (point.dice, point.losing)


def test_a_patient_is_sent_on_by_the_threshold_of_the_others():
    stability = np.array([0.1, 0.9, 0.5, 0.9, 0.3, 0.9])
    agreement = [0.2, 1, 0.2, 1, 0.99, 1]
    pairs = table(agreement, stability, list("aabbcc"))
    # a: below b's 0.5; b: below a's 0.1; c: below both, at which it loses nothing.
    assert sent_by_other_patients(pairs).tolist() == [True, False, False, False, True, False]
    found = doubt_statistics(pairs, "2-bit")
    assert (found.sent, found.caught) == (pytest.approx(1 / 3), 0.5)
    assert not sent_by_other_patients(pairs.assign(patient="a")).any(), "there are no others"


def test_a_cohort_that_tells_no_threshold_says_why(cohort, tmp_path):
    with pytest.raises(InputError, match="did not score these weights, but others: 4-bit, openvino"):
        CascadeThreshold.of(cohort, "eight")
    cohort.kept["4-bit, openvino"] = table(np.full(20, 0.99), np.linspace(0.5, 1, 20), np.arange(20))
    with pytest.raises(InputError, match="4-bit, openvino never disagreed with full precision there"):
        CascadeThreshold.of(cohort, "four")
    cohort.kept["protocols"] = ["organ"]
    with pytest.raises(InputError, match="no case of it was scored slice by slice"):
        CascadeThreshold.of(cohort, "four")


def test_without_disagreement_nothing_is_claimed():
    found = doubt_statistics(table(np.full(20, 0.99), np.linspace(0.5, 1, 20), np.arange(20)), "8-bit")
    assert found.disagreeing == 0
    assert math.isnan(found.auroc["stability score"]) and math.isnan(found.threshold) and math.isnan(found.caught)
    assert found.sent == 0
    json.dumps(found.to_dict(), allow_nan=False)


def test_a_cascade_takes_either_model_s_mask(rounded, phantoms, lite_medsam):
    volume = read_volume(phantoms / "anna" / "image.nii.gz")
    small = load_weights(rounded).segmenter
    alone = SliceRunner(small, volume).segment(2, BOX)
    full = SliceRunner(lite_medsam, volume).segment(2, BOX)
    assert not np.array_equal(alone, full)
    never, always = (CascadeRunner(small, lite_medsam, threshold, volume) for threshold in (0.0, 1.0))
    assert np.array_equal(never.segment(2, BOX), alone)
    assert np.array_equal(always.segment(2, BOX), full)
    assert (never.sent, always.sent) == ([], [2])
    assert never.full.encoded_ms == []
    (small, nothing), both = never.seconds, always.seconds
    assert small > 0 and nothing == 0 and min(both) > 0


def test_segment_records_what_was_sent_on(rounded, phantoms, tmp_path):
    from pqcomq.cli import main

    out = tmp_path / "mask.nii.gz"
    asked = ["segment", phantoms / "anna" / "image.nii.gz", "--box", 50, 30, 2, 70, 50, 3, "--out", out]
    with pytest.raises(SystemExit) as end:
        main([str(each) for each in [*asked, "--weights", rounded, "--runtime", "torch", "--cascade", 1]])
    assert not end.value.code
    record = json.loads((tmp_path / "mask.json").read_text(encoding="utf-8"))
    assert record["objects"][0]["origin"]["cascade"] == {"threshold": 1.0, "full_precision_slices": [2, 3]}


@pytest.mark.parametrize(
    ("score", "told"),
    [("1.5", "--cascade 1.5: a stability score lies from 0 to 1."), ("nowhere", "no cohort's results")],
)
def test_segment_tells_of_a_threshold_that_is_none(rounded, phantoms, tmp_path, capsys, score, told):
    from pqcomq.cli import main

    volume, out = phantoms / "anna" / "image.nii.gz", tmp_path / "mask.nii.gz"
    asked = ["segment", volume, "--box", 50, 30, 2, 70, 50, 3, "--out", out, "--weights", rounded, "--cascade", score]
    with pytest.raises(SystemExit) as end:
        main([str(each) for each in asked])
    assert end.value.code == 2 and told in capsys.readouterr().err
    assert not out.exists()
