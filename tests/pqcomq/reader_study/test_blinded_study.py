from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from pqcomq.errors import InputError
from pqcomq.reader_study.blinded_study import Answer, BlindedReading
from pqcomq.reader_study.preference import Preference
from pqcomq.reader_study.trials import Item, dealt, items_of

ITEMS = [Item("liver", "4-bit test", z) for z in range(20)]


def prefer(reading, model):
    """Answer every trial for one model, as a reader who knows would."""
    while reading.current is not None:
        left = reading.current.quantized_is_left == (model == "quantized")
        reading.answer("left" if left else "right", 1.5)
    return reading


def test_only_slices_that_differ_are_read(phantom, comparison_of):
    one = np.zeros(phantom.voxels.shape, bool)
    one[:, 20:40, 20:40] = True
    other = one.copy()
    other[2, 20] = other[4, 30] = False
    comparison = comparison_of(phantom, one, other)
    assert [item.z for item in items_of("disc", comparison, 10)] == [2, 4]
    assert [item.z for item in items_of("disc", comparison, 1)] == [2]
    assert items_of("disc", comparison_of(phantom, one, one), 10) == []


def test_the_deal_is_seeded_shuffled_and_balanced():
    deal = dealt(ITEMS, seed=7)
    assert deal == dealt(ITEMS, seed=7)
    assert deal != dealt(ITEMS, seed=8)
    assert sorted(trial.item.z for trial in deal) == list(range(20))
    assert [trial.item.z for trial in deal] != list(range(20))
    assert sum(trial.quantized_is_left for trial in deal) == 10
    firsts = [dealt(ITEMS[:1], seed)[0].quantized_is_left for seed in range(40)]
    assert 8 < sum(firsts) < 32, "with one trial the side must still be chance"


def test_each_of_several_models_is_left_in_half_of_its_own_trials():
    items = [Item("liver", precision, z) for precision in ("2-bit", "8-bit") for z in range(6)]
    for seed in range(20):
        deal = dealt(items, seed)
        for precision in ("2-bit", "8-bit"):
            own = [trial.quantized_is_left for trial in deal if trial.item.precision == precision]
            assert sum(own) == 3, f"a reader who always says left would favour one of them (seed {seed})"


def test_the_side_cannot_be_told_from_slice_or_number():
    """Over many deals the quantized model is left as often on every slice and at every number."""
    by_slice, by_number = np.zeros(20), np.zeros(20)
    for seed in range(400):
        for trial in dealt(ITEMS, seed):
            by_slice[trial.item.z] += trial.quantized_is_left
            by_number[trial.number - 1] += trial.quantized_is_left
    for counts in (by_slice, by_number):
        assert counts.min() > 140
        assert counts.max() < 260


def test_names_are_told_only_at_the_end(tmp_path):
    reading = BlindedReading.of(ITEMS[:3], seed=1)
    log = tmp_path / "reading.csv"
    reading.answer("left", 2.25)
    reading.answer("none", 4)
    reading.write(log)
    for secret in ("quantized", "full", "4-bit", "seed"):
        assert secret not in log.read_text()
    with pytest.raises(ValueError, match="finished"):
        _ = reading.preference
    reading.answer("right", 1)
    reading.write(log)
    with log.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["choice"] for row in rows] == ["left", "none", "right"]
    assert [row["seconds"] for row in rows] == ["2.25", "4", "1"]
    assert {row["seed"] for row in rows} == {"1"}, "the seed deals the sides again"
    for row, trial in zip(rows, reading.trials, strict=True):
        assert row["left_was"] == ("quantized" if trial.quantized_is_left else "full precision")
        chosen = {"left": row["left_was"], "right": row["right_was"], "none": "none"}[row["choice"]]
        assert row["preferred"] == chosen
    with pytest.raises(ValueError, match="finished"):
        reading.answer("left", 1)
    assert reading.outcome.startswith(reading.preference.sentence)
    assert reading.outcome.endswith(
        "Time for a pair: median 2.2 s, from 1.0 to 4.0 s (median 1.6 s where one was preferred, 4.0 s where none)."
    )


@pytest.mark.parametrize(("model", "wins"), [("full precision", 20), ("quantized", 0)])
def test_a_reader_who_always_prefers_one_model_is_found_out(model, wins):
    found = prefer(BlindedReading.of(ITEMS, seed=3), model).preference
    assert (found.full, found.quantized, found.none) == (wins, 20 - wins, 0)
    assert (found.left, found.right) == (10, 10)
    assert "probability <0.001." in found.sentence, "no test proves 0"
    assert f"full precision won {wins / 20:.0%}" in found.sentence


def test_a_reader_who_always_says_left_favours_nobody():
    reading = BlindedReading.of(ITEMS, seed=3)
    while reading.current is not None:
        reading.answer("left", 1)
    assert (reading.preference.full, reading.preference.quantized) == (10, 10)
    assert "left chosen 20 times" in reading.preference.sentence
    assert "probability 1.000" in reading.preference.sentence


def test_a_model_that_loses_is_not_hidden_by_one_that_does_not():
    reading = BlindedReading.of([Item("liver", name, z) for name in ("2-bit", "8-bit") for z in range(8)], seed=3)
    while reading.current is not None:
        hidden = reading.current
        reading.answer("none" if hidden.item.precision == "8-bit" else "left", 1)
        if hidden.item.precision == "2-bit" and hidden.quantized_is_left:
            reading.answers[-1] = Answer(hidden, "right", 1)
    low, high = reading.outcome.split(" 8-bit: ")
    assert low.startswith("2-bit: 8 trials: full precision preferred 8 times, quantized 0 times, neither 0 times")
    assert "full precision won 100%" in low
    assert high.startswith("8 trials: full precision preferred 0 times, quantized 0 times, neither 8 times")
    assert reading.to_dict()["summary"] == reading.summary
    with pytest.raises(ValueError, match="finished"):
        _ = BlindedReading(3, reading.trials).summary


def test_nothing_to_read_or_to_decide():
    with pytest.raises(InputError, match="nothing to read"):
        BlindedReading.of([], seed=0)
    assert "saw no difference" in Preference(0, 0, 3, 0, 0).sentence
    assert Preference(1, 0, 0, 1, 0).sentence.startswith("1 trial: full precision preferred once, quantized 0 times")


def test_a_finished_reading_survives_its_session():
    reading = prefer(BlindedReading.of(ITEMS[:5], seed=9), "quantized")
    again = BlindedReading.from_dict(json.loads(json.dumps(reading.to_dict())))
    assert again.preference == reading.preference
    assert again.rows() == reading.rows()
    assert again.trials == reading.trials
    damaged = reading.to_dict()
    damaged["rows"][0]["choice"] = "up"
    with pytest.raises(ValueError, match="up"):
        BlindedReading.from_dict(damaged)
