"""What is said of speed: against what, and whether low bits had a part in it."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from pqcomq.comparison.latency import Latency
from pqcomq.comparison.result import Comparison
from pqcomq.comparison.speed_text import speed_lines, speed_rows
from pqcomq.comparison.text import comparison_rows, side_lines
from pqcomq.comparison.torch_baseline import TorchBaseline
from pqcomq.models.execution import Execution

WHY = "Fastest here: openvino-bf16-widened."


def ran(weights, setting, why=""):
    return Execution("OpenVINO 2026.4.1", weights, "BF16", False, 2, ("avx2",), setting, why)


@pytest.fixture
def comparison(phantom, comparison_of):
    """Full precision in 400 ms on OpenVINO and 600 ms in torch, four bits in 150 ms."""
    mask = np.zeros(phantom.voxels.shape, dtype=bool)
    mask[1:4, 30:50, 30:50] = True
    made = comparison_of(phantom, mask, mask)
    reference = replace(made.reference, encoder=Latency.of([400.0]), execution=ran("FP32", "openvino"))
    candidate = replace(
        made.candidate,
        encoder=Latency.of([150.0]),
        simulated=False,
        execution=ran("widened to BF16 when loaded", "openvino-bf16-widened", WHY),
    )
    return replace(made, reference=reference, candidate=candidate, torch_encoder=Latency.of([600.0]))


def slower(comparison, weights):
    candidate = replace(comparison.candidate, encoder=Latency.of([420.0]), execution=ran(weights, "openvino"))
    return replace(comparison, candidate=candidate)


def test_the_first_ratio_is_against_torch_and_the_second_against_the_same_library(comparison):
    one, other, *_ = speed_lines(comparison, comparison.candidate)
    assert re.fullmatch(r"Encoder 150 ms · decoder \d+ ms \(real\)", one)
    assert other == "4.0 × FP32 in torch · 2.7 × in OpenVINO"
    assert speed_lines(comparison, comparison.reference)[1] == "Encoder in torch 600 ms"
    rows = {row[0]: row[1:] for row in comparison_rows(comparison)}
    assert rows["Encoder, times FP32 in torch"] == ("", "4.00")
    assert rows["Encoder, times FP32 in OpenVINO"] == ("", "2.67")
    assert rows["Encoder in torch, median"] == ("600 ms", "")
    assert rows["Speed"] == ("real", "real, weights widened to BF16")


def test_what_was_taken_and_why_stands_on_the_plate(comparison):
    assert side_lines(comparison, comparison.candidate)[-1] == WHY
    assert WHY not in side_lines(comparison, comparison.reference)


@pytest.mark.parametrize(
    ("weights", "says"),
    [
        ("packed, widened inside the product", "Packed weights save memory here, not time"),
        ("widened to FP32 when loaded", "Low bits save the file's size here, not time"),
    ],
)
def test_a_ratio_below_one_never_stands_alone(comparison, weights, says):
    low = slower(comparison, weights)
    assert speed_lines(low, low.candidate)[1:] == ["1.4 × FP32 in torch · 1.0 × in OpenVINO", says]
    assert says not in speed_lines(comparison, comparison.candidate)


def test_simulated_low_bits_have_no_ratio(phantom, comparison_of):
    mask = np.ones(phantom.voxels.shape, dtype=bool)
    simulated = comparison_of(phantom, mask, mask)
    assert simulated.speedups == ()
    (line,) = speed_lines(simulated, simulated.candidate)
    assert line.endswith("(simulated)")
    assert speed_rows(simulated) == [("Speed", "real", "simulated: runs as FP32")]
    assert "×" not in " ".join(text for row in speed_rows(simulated) for text in row)


def test_records_keep_both_ratios_and_older_ones_are_read(comparison):
    content = comparison.to_dict()
    assert content["encoder_speedups"] == [
        {"against": "FP32 in torch", "times": 4.0},
        {"against": "FP32 in OpenVINO", "times": pytest.approx(400 / 150)},
    ]
    assert content["candidate"]["execution"]["why"] == WHY
    masks = comparison.reference.mask, comparison.candidate.mask
    assert Comparison.from_dict(content, *masks).to_dict() == content
    del content["full_precision_encoder_in_torch"], content["encoder_speedups"]
    old = Comparison.from_dict(content, *masks)
    assert [each.against for each in old.speedups] == ["FP32 in OpenVINO"]


class Runner:
    """Encodes in a given time, the first pass in twice that."""

    def __init__(self, milliseconds):
        self.milliseconds, self.cached, self.passes = milliseconds, set(), 0

    def is_cached(self, z):
        return z in self.cached

    def encode(self, z, *, again=False):
        if z in self.cached and not again:
            return self.milliseconds
        self.cached.add(z)
        self.passes += 1
        return self.milliseconds * (2 if self.passes == 1 else 1)


def test_torch_is_timed_on_three_slices_after_a_pass_that_is_not_counted():
    runner = Runner(600.0)
    baseline = TorchBaseline(runner)
    assert baseline.latency is None
    for z in range(10):
        baseline.take_turn(z)
    assert baseline.latency.each_ms == (600.0,) * 3
    assert runner.passes == 4


def test_a_model_that_takes_long_in_torch_is_timed_once():
    runner = Runner(6000.0)
    baseline = TorchBaseline(runner)
    for z in range(10):
        baseline.take_turn(z)
    assert (runner.passes, baseline.latency.passes) == (1, 1)


def test_nothing_is_timed_where_torch_runs_the_comparison():
    baseline = TorchBaseline(None)
    baseline.take_turn(0)
    assert baseline.latency is None
