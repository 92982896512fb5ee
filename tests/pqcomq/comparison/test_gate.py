from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from pqcomq.comparison.gate import Tolerance, judge, overall
from pqcomq.errors import InputError
from pqcomq.segmentation.box import Box3D
from pqcomq.segmentation.prompt import Prompt
from pqcomq.segmentation.scribble import Scribble


@pytest.fixture
def cube(phantom):
    mask = np.zeros(phantom.voxels.shape, bool)
    mask[1:5, 20:30, 20:30] = True  # 400 voxels
    return mask


def less(mask, voxels):
    """The mask without its first voxels."""
    fewer = mask.copy()
    fewer[tuple(axis[:voxels] for axis in np.nonzero(mask))] = False
    return fewer


def test_a_hair_s_breadth_passes_and_a_tenth_fails(phantom, cube, comparison_of):
    near = judge(comparison_of(phantom, cube, less(cube, 8)), Tolerance(), "Right kidney")
    assert near.outcome == "pass"
    assert near.volume_difference_percent == pytest.approx(-2)
    assert "Right kidney, 4-bit test: PASS. Dice between the models is 0.9899" in near.sentence
    assert "2.00 % smaller than full precision's, within the 5 %" in near.sentence
    assert "4 slices (1 to 4) of one volume" in near.sentence
    far = judge(comparison_of(phantom, cube, less(cube, 40)), Tolerance(), "Liver")
    assert far.outcome == "fail"
    assert "below the 0.98" in far.sentence
    assert "outside the 5 %" in far.sentence


def test_doubt_is_told_beside_the_verdict_and_does_not_decide_it(phantom, cube, comparison_of):
    comparison = comparison_of(phantom, cube, cube)
    assert "in doubt" not in judge(comparison, Tolerance(), "a").sentence, "nothing is known of it"
    scores = [replace(each, candidate_stability=0.6 + z / 10) for z, each in enumerate(comparison.slices)]
    doubtful = replace(comparison, slices=tuple(scores))
    told = judge(doubtful, Tolerance(), "a")
    assert told.outcome == "pass"
    assert "By itself it is in doubt on 2 of 4 slices (stability below 0.8)." in told.sentence
    assert "on 4 of 4 slices (stability below 1)" in judge(doubtful, Tolerance(stability=1), "a").sentence
    with pytest.raises(InputError, match="lies from 0 to 1, not 80"):
        Tolerance(stability=80)


def test_each_criterion_alone_can_fail(phantom, cube, comparison_of):
    comparison = comparison_of(phantom, cube, less(cube, 8))
    assert judge(comparison, Tolerance(0.995, 5), "a").outcome == "fail"
    assert judge(comparison, Tolerance(0.98, 1.9), "a").outcome == "fail"
    assert judge(comparison, Tolerance(0.98, 2.0), "a").outcome == "pass", "the limit itself passes"
    moved = judge(comparison_of(phantom, cube, np.roll(cube, 3, axis=2)), Tolerance(), "a")
    assert moved.outcome == "fail"
    assert moved.volume_difference_percent == 0
    assert "the same as full precision's, within" in moved.sentence


def test_a_figure_that_misses_its_limit_by_a_hair_is_not_told_as_the_limit(phantom, cube, comparison_of):
    comparison = comparison_of(phantom, cube, cube)
    agreement = replace(comparison.agreement, dice=0.97996, volume_difference_percent=-5.004)
    told = judge(replace(comparison, agreement=agreement), Tolerance(), "a").sentence
    assert "Dice between the models is 0.97996, below the 0.98 asked for." in told
    assert "5.004 % smaller than full precision's, outside the 5 % asked for." in told


def test_nothing_against_nothing_is_no_pass(phantom, cube, comparison_of):
    nothing = np.zeros_like(cube)
    box = comparison_of(phantom, cube, cube).box
    empty = judge(comparison_of(phantom, nothing, nothing, box=box), Tolerance(), "Pancreas")
    assert empty.outcome == "undecided"
    invented = judge(comparison_of(phantom, nothing, cube, box=box), Tolerance(), "Pancreas")
    assert invented.outcome == "fail"
    assert "Full precision found nothing" in invented.sentence
    passed = judge(comparison_of(phantom, cube, cube), Tolerance(), "Liver")
    assert overall([passed]) == "pass"
    assert overall([passed, empty]) == "undecided"
    assert overall([passed, empty, invented]) == "fail"
    assert overall([]) == "undecided"
    json.dumps([each.to_dict() for each in (empty, invented, passed)], allow_nan=False)


def test_the_verdict_says_how_the_slices_were_prompted(phantom, cube, comparison_of):
    comparison = comparison_of(phantom, cube, cube)
    assert "following its own masks" in judge(comparison, Tolerance(), "a").rests_on
    assert "same box on every slice" in judge(replace(comparison, mode="same"), Tolerance(), "a").rests_on
    drawn = replace(comparison, mode="same", prompt=Prompt(scribble=Scribble(((1, 20, 20, 25),))))
    assert "same scribble on every slice" in judge(drawn, Tolerance(), "a").rests_on
    assert "not accuracy" in judge(comparison, Tolerance(), "a").rests_on


@pytest.mark.parametrize("numbers", [(0, 5), (1.01, 5), (float("nan"), 5), (0.9, -1), (0.9, float("nan"))])
def test_tolerances_that_mean_nothing_are_refused(numbers):
    with pytest.raises(InputError, match="must"):
        Tolerance(*numbers)


def test_the_verdict_in_a_few_words_names_what_was_missed(comparison_of, phantom):
    left = np.zeros(phantom.grid.shape_zyx, dtype=bool)
    left[1:5, 30:50, 30:50] = True
    right = left.copy()
    right[:, 45:] = False
    found = comparison_of(phantom, left, right)  # Dice 6/7, volume −25 %
    assert judge(found, Tolerance(0.8, 30), "disc").short == "PASS: Dice ≥ 0.8, volume within 30 %"
    assert judge(found, Tolerance(0.9, 30), "disc").short == "FAIL: Dice < 0.9"
    assert judge(found, Tolerance(0.9, 20), "disc").short == "FAIL: Dice < 0.9, volume > 20 % off"
    nothing = comparison_of(phantom, left & False, left & False, box=Box3D(30, 30, 1, 50, 50, 4))
    assert judge(nothing, Tolerance(), "disc").short.startswith("UNDECIDED")
