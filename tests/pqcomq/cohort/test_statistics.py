"""Statistics of cohorts against what is known of them."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest

from pqcomq.cli.terminal.cohort_output import difference_table
from pqcomq.cohort.cases.case import NotScored
from pqcomq.cohort.scoring.loaded_models import FULL_PRECISION, QUANTIZED
from pqcomq.cohort.statistics.cohort_statistics import CohortStatistics
from pqcomq.cohort.statistics.paired_statistics import (
    ALL_LABELS,
    clustered_interval,
    overall,
    paired_differences,
    patients_needed,
)
from pqcomq.cohort.statistics.pairs import paired
from pqcomq.cohort.statistics.prompt_summary import ALL_PROMPTS, prompt_summaries, summarised
from pqcomq.cohort.statistics.volume_agreement import limits_of_agreement, volume_agreement
from pqcomq.errors import InputError

pd = pytest.importorskip("pandas")
stats = pytest.importorskip("scipy.stats")
pytest.importorskip("statsmodels")


def table(full, quantized, *, patients=None, labels=None, protocol="slice", volumes=None):
    """Scores of a prompt a case, with Dice as given."""
    rows = []
    for place, (one, other) in enumerate(zip(full, quantized, strict=True)):
        for role, model, value in ((FULL_PRECISION, "FP32", one), (QUANTIZED, "2-bit", other)):
            rows.append(
                {
                    "case": f"case {place:03d}",
                    "patient": f"case {place:03d}" if patients is None else patients[place],
                    "modality": "CT",
                    "protocol": protocol,
                    "label": "liver" if labels is None else labels[place],
                    "label_number": 1,
                    "slice": place,
                    "model": model,
                    "role": role,
                    "dice_against_ground_truth": value,
                    "nsd_against_ground_truth": value,
                    "hd95_mm_against_ground_truth": 1.0,
                    "dice_between_models": value,
                    "nsd_between_models": value,
                    "ground_truth_ml": 10.0,
                    "volume_ml": 10.0 if volumes is None else volumes[role == QUANTIZED][place],
                    "mask_is_empty": False,
                }
            )
    return pd.DataFrame(rows)


def differences(*arguments, margin=0.01, **named):
    return paired_differences(paired(table(*arguments, **named), "2-bit", "slice"), "2-bit", "slice", margin)


def test_an_interval_of_independent_patients_is_scipy_s_own():
    values = np.random.default_rng(1).normal(0, 1, 30)
    low, high = clustered_interval(values, np.arange(30).astype(str))
    own = stats.bootstrap(
        (values,), np.mean, method="BCa", n_resamples=9999, rng=np.random.default_rng(0)
    ).confidence_interval
    assert (low, high) == pytest.approx((own.low, own.high), abs=0.02)


def test_cases_of_one_patient_count_as_one():
    values = np.random.default_rng(1).normal(0, 1, 12)
    alone = clustered_interval(values, np.arange(12).astype(str))
    repeated = clustered_interval(np.repeat(values, 8), np.repeat(np.arange(12), 8).astype(str))
    as_if_independent = clustered_interval(np.repeat(values, 8), np.arange(96).astype(str))
    assert repeated == pytest.approx(alone, abs=1e-3)
    assert as_if_independent[1] - as_if_independent[0] < 0.5 * (alone[1] - alone[0])


def test_patients_who_are_alike_have_an_interval_of_one_point():
    patients = np.repeat([f"P{number:02d}" for number in range(12)], 2)
    for one, other, mean in ((0.01, -0.01, 0.0), (0.0, -0.06, -0.03)):
        values = np.tile([one, other], 12)  # every patient loses the same on average, and no case what another does
        assert clustered_interval(values, patients) == pytest.approx((mean, mean))
    found = differences([0.9] * 24, list(0.9 + values), patients=list(patients))
    assert [each.outcome for each in found] == ["fail", "fail"]


@pytest.mark.slow
def test_few_patients_never_pass_however_equal():
    (together, *_) = differences([0.9] * 9, [0.9] * 9)
    assert together.outcome == "undecided"
    assert "9 patients are too few to decide on a margin of 0.01" in together.sentence
    (one, *_) = differences([0.9], [0.9])
    assert "One patient is too few" in one.sentence
    many = differences([0.9] * 40, [0.9] * 40, patients=["the same"] * 20 + ["another"] * 20)
    assert {each.outcome for each in many} == {"undecided"}


@pytest.mark.slow
def test_few_patients_fail_where_an_exact_test_shows_the_loss():
    full = np.full(6, 0.9)
    for lost in (np.linspace(0.4, 0.5, 6), np.full(6, 0.4)):  # of ranks that are tied, too
        (together, *_) = found = differences(full, full - lost)
        assert overall(found) == "fail"
        assert together.loss_p == pytest.approx(1 / 2**6)
        assert (
            "6 patients are few, yet a signed-rank test shows that it loses more than the 0.01 allowed"
            in together.finding
        )
        assert {each.outcome for each in differences(full[1:], full[1:] - lost[1:])} == {"undecided"}, "five cannot"
    assert {each.outcome for each in differences(full, full - [0.4, 0.4, 0.4, 0.4, 0.4, -0.5])} == {"undecided"}
    assert {each.outcome for each in differences(full, full - 0.01)} == {"undecided"}, "no more than is allowed"


@pytest.mark.slow
def test_the_lower_bound_decides():
    noise = np.random.default_rng(2).normal(0, 0.004, 40)
    full = np.full(40, 0.9)
    assert overall(differences(full, full + noise)) == "pass"
    assert overall(differences(full, full - 0.05 + noise)) == "fail"
    unclear = differences(full, full - 0.01 + noise)
    assert overall(unclear) == "undecided"
    assert "neither shown nor ruled out" in unclear[0].sentence
    assert overall(differences(full, full - 0.05 + noise, margin=0.1)) == "pass"


def test_one_label_that_fails_fails_all():
    noise = np.random.default_rng(3).normal(0, 0.004, 60)
    loss = np.where(np.arange(60) < 40, 0.0, 0.2)
    labels = ["liver"] * 40 + ["vessel"] * 20
    found = {each.label: each for each in differences(np.full(60, 0.9), 0.9 - loss + noise, labels=labels)}
    assert found["liver"].outcome == "pass"
    assert found["vessel"].outcome == "fail"
    assert overall(list(found.values())) == "fail"
    assert set(found) == {ALL_LABELS, "liver", "vessel"}


def test_holm_s_correction_is_over_the_labels():
    quantized = 0.8 + np.random.default_rng(4).normal(0.003, 0.01, 30)
    labels = ["a"] * 15 + ["b"] * 15
    found = {each.label: each for each in differences(np.full(30, 0.8), quantized, labels=labels)}
    own = [stats.wilcoxon(part - 0.8).pvalue for part in (quantized[:15], quantized[15:])]
    assert min(found["a"].wilcoxon_p, found["b"].wilcoxon_p) == pytest.approx(min(1.0, 2 * min(own)))


def test_no_table_tells_a_probability_of_nought():
    quantized = 0.8 - np.random.default_rng(4).uniform(0.05, 0.06, 15)
    columns, rows = difference_table(differences([0.8] * 15, quantized))
    assert {row[columns.index("Wilcoxon p (Holm)")] for row in rows} == {"<0.001"}


def test_patients_needed():
    # A one-sided paired t-test at 2.5 %, 80 % power, effect 0.5: 34 pairs in every textbook's table.
    assert patients_needed(0.0, 0.02, 0.01) == 34
    assert patients_needed(0.05, 0.02, 0.01) == 34, "a gain that was observed makes no case smaller"
    assert patients_needed(-0.005, 0.02, 0.01) > 100
    assert patients_needed(-0.01, 0.02, 0.01) is None
    assert patients_needed(0.0, math.nan, 0.01) is None
    assert patients_needed(0.0, 0.0, 0.01) == 10


def test_what_a_mean_hides():
    full = [0.95] * 9 + [0.3] * 5 + [0.6]
    quantized = [0.94] * 8 + [0.40] + [0.5] * 5 + [0.6]
    found = summarised(paired(table(full, quantized), "2-bit", "slice"), "2-bit", "slice", False)
    right, doubtful, wrong = found.strata
    assert found.dice > np.mean(full)
    assert (right.prompts, doubtful.prompts, wrong.prompts) == (9, 1, 5)
    assert right.dice == pytest.approx(np.mean([0.94] * 8 + [0.40]))
    assert (right.worst_dice, right.losing) == (0.40, pytest.approx(1 / 9))
    assert found.losing == pytest.approx(1 / 15)
    assert (found.worst_dice, found.most_lost) == (0.40, pytest.approx(0.55))
    assert found.worst_decile == pytest.approx(0.45)
    assert found.worst_at[0] == "case 008"


def test_beside_a_difference_stands_what_single_prompts_lose():
    together, liver, vessel = differences(
        [0.9] * 4, [0.9, 0.95, 0.9, 0.1], labels=["liver", "liver", "vessel", "vessel"], patients=list("abab")
    )
    assert (together.losing, together.most_lost) == (0.25, pytest.approx(0.8))
    assert (liver.losing, liver.most_lost, vessel.losing) == (0, 0, 0.5)
    columns, rows = difference_table([together, liver])
    place = columns.index("prompts lose > .1")
    assert [row[place - 1 : place + 1] for row in rows] == [["-0.800", "25.0 %"], ["0", "0.0 %"]]
    assert all(len(row) == len(columns) for row in rows)


def test_each_label_has_its_worst_prompts_beside_its_mean():
    scores = table([0.9] * 4, [0.9, 0.8, 0.7, 0.1], labels=["liver", "liver", "vessel", "vessel"])
    models = [SimpleNamespace(name="FP32"), SimpleNamespace(name="2-bit")]
    (whole,) = (each for each in prompt_summaries(scores, models) if each.model == "2-bit")
    assert (whole.part, whole.prompts, whole.worst_dice) == (ALL_PROMPTS, 4, 0.1)
    found = prompt_summaries(scores, models, "label")
    assert [(each.part, each.model) for each in found] == [
        ("liver", "FP32"),
        ("liver", "2-bit"),
        ("vessel", "FP32"),
        ("vessel", "2-bit"),
    ]
    vessel = found[-1]
    assert (vessel.prompts, vessel.dice, vessel.worst_dice, vessel.losing) == (2, pytest.approx(0.4), 0.1, 1)
    assert [each.part for each in prompt_summaries(scores, models, "modality")] == ["CT", "CT"]


def test_volumes_by_bland_and_altman():
    full = np.array([100.0, 50.0, 20.0, 10.0])
    quantized = full + np.array([2.0, -1.0, 1.0, 0.0])
    rows = table([0.9] * 4, [0.9] * 4, protocol="organ", volumes=(full, quantized))
    found = volume_agreement(paired(rows, "2-bit", "organ"), "2-bit")
    difference = quantized - full
    assert found.bias_ml == pytest.approx(0.5)
    assert found.limits_ml == pytest.approx(
        (0.5 - 1.959964 * difference.std(ddof=1), 0.5 + 1.959964 * difference.std(ddof=1))
    )
    assert found.greatest_percent == pytest.approx(5.0)


def test_a_volume_where_full_precision_has_none_is_the_greatest_difference():
    volumes = np.array([100.0, 0.0, 0.0]), np.array([102.0, 300.0, 0.0])
    rows = table([0.9] * 3, [0.9] * 3, protocol="organ", volumes=volumes)
    found = volume_agreement(paired(rows, "2-bit", "organ"), "2-bit")
    assert found.greatest_percent == math.inf, "not the 2 % of the others"
    assert found.to_dict()["greatest_percent"] is None
    nothing = volume_agreement(paired(rows.iloc[-2:], "2-bit", "organ"), "2-bit")
    assert math.isnan(nothing.greatest_percent)


def test_organs_of_one_patient_are_no_independent_observations():
    from statsmodels.formula.api import ols
    from statsmodels.stats.anova import anova_lm

    rng = np.random.default_rng(5)
    patients = np.repeat(np.arange(8), rng.integers(1, 6, 8))
    difference = rng.normal(0, 5, 8)[patients] + rng.normal(0, 1, len(patients))
    low, high = limits_of_agreement(difference, patients.astype(str))
    among, within = anova_lm(ols("d ~ C(p)", pd.DataFrame({"d": difference, "p": patients})).fit())["mean_sq"]
    counts = np.bincount(patients)
    size = (len(patients) - (counts**2).sum() / len(patients)) / 7
    spread = 1.959964 * math.sqrt((among - within) / size + within)
    assert (low, high) == pytest.approx((difference.mean() - spread, difference.mean() + spread), rel=1e-5)
    assert high - low > 2 * 1.959964 * difference.std(ddof=1), "as if they were independent"


def test_limits_of_one_patient_say_nothing_of_another():
    assert all(math.isnan(each) for each in limits_of_agreement(np.array([1.0, 2.0, 4.0]), np.array(["a"] * 3)))
    alike = limits_of_agreement(np.array([-1.0, 1.0, -1.0, 1.0]), np.array(["a", "a", "b", "b"]))
    assert alike == pytest.approx((-1.959964 * math.sqrt(2), 1.959964 * math.sqrt(2))), "no negative variance"


def test_a_cohort_of_which_no_case_was_scored_says_why():
    result = SimpleNamespace(scores=pd.DataFrame(), not_scored=[NotScored("anna", "", "It holds no label.")])
    with pytest.raises(InputError) as told:
        CohortStatistics.check(result, 0.01)
    assert str(told.value) == "No case of the cohort was scored (anna: It holds no label)."
