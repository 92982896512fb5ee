"""Seconds left of a quantization, on a clock of the test's own."""

from __future__ import annotations

import pytest

from pqcomq.quantization.planning import time_estimate
from pqcomq.quantization.planning.time_estimate import TimeEstimate, expected_passes


@pytest.fixture
def clock(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(time_estimate.time, "perf_counter", lambda: now[0])
    return now


def told(clock, second, estimate, phase, share):
    clock[0] = second
    return estimate.left(phase, share)


@pytest.mark.parametrize("speed", [0.1, 1.0, 20.0])
def test_a_run_as_expected_is_told_to_the_second(clock, speed):
    passes = expected_passes(8, plans=True, walks=True)
    whole, done = sum(passes.values()) * speed, 0.0
    estimate = TimeEstimate(8, plans=True, walks=True)
    for phase, count in passes.items():
        for step in range(1, 11):
            second = (done + count * step / 10) * speed
            assert told(clock, second, estimate, phase, step / 10) == pytest.approx(whole - second)
        done += count
    assert estimate.left("quantize", 1.0) == pytest.approx(0.0)


def test_layers_of_unlike_cost_mislead_it_by_no_more_than_a_third_of_the_whole(clock):
    """As measured with LiteMedSAM at 4 bits: half of the steps take a seventh of its time, or six sevenths."""
    estimate = TimeEstimate(8, plans=True, walks=True)
    told(clock, 18.0, estimate, "calibrate", 1.0)
    estimate.left("plan", 0.01)
    measured = [(5.0, "plan", 0.5), (14.0, "plan", 0.55), (34.0, "plan", 1.0), (40.5, "quantize", 0.07),
                (49.0, "quantize", 0.43), (61.0, "quantize", 0.66), (68.0, "quantize", 1.0)]  # fmt: skip
    for after, phase, share in measured:
        left = told(clock, 18.0 + after, estimate, phase, share)
        assert abs(left - (68.0 - after)) < 86.0 / 3, (after, left)


def test_what_is_known_of_a_phase_that_comes_first_is_told_from_its_beginning(clock):
    estimate = TimeEstimate(2, plans=False, walks=True)
    clock[0] = 1.5
    estimate.expect("quantize", 8.0, 1.5)
    assert told(clock, 1.6, estimate, "quantize", 0.01) == pytest.approx(12.0, rel=0.05)


def test_without_calibration_the_phase_s_own_speed_is_all_there_is(clock):
    estimate = TimeEstimate(8, plans=False, walks=False)
    assert told(clock, 3.0, estimate, "quantize", 0.25) == pytest.approx(9.0)
