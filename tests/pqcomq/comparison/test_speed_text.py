"""What is said of speed: against what, and whether low bits had a part in it."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from pqcomq.cli.compare import print_comparison
from pqcomq.comparison.evaluate import ModelSummary
from pqcomq.comparison.measures.latency import Latency
from pqcomq.comparison.model_result import Comparison
from pqcomq.comparison.presentation.comparison_text import comparison_rows, figure_rows, side_lines
from pqcomq.comparison.presentation.evaluation_table import evaluation_table
from pqcomq.comparison.presentation.speed_text import speed_lines, speed_rows
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


def test_a_ratio_below_one_does_not_stand_alone_in_the_terminal_either(comparison, capsys):
    print_comparison(slower(comparison, "widened to FP32 when loaded"))
    assert "Low bits save the file's size here, not time." in " ".join(capsys.readouterr().out.split())
    print_comparison(comparison)
    assert "not time" not in capsys.readouterr().out


def test_simulated_low_bits_have_no_ratio(phantom, comparison_of):
    mask = np.ones(phantom.voxels.shape, dtype=bool)
    simulated = comparison_of(phantom, mask, mask)
    assert simulated.speedups == ()
    line, says = speed_lines(simulated, simulated.candidate)
    assert line.endswith("(simulated)")
    assert says == "Low bits save the file's size here, not time: torch runs them widened"
    kept = replace(simulated.candidate.execution, weights="packed, widened to float32 for each layer")
    packed = replace(simulated, candidate=replace(simulated.candidate, execution=kept))
    assert speed_lines(packed, packed.candidate)[1] == "Packed weights save memory here, not time"
    assert speed_rows(simulated) == [
        ("Encoder, times FP32 in torch", "", "no low-bit speed here"),
        ("Speed", "real", "simulated: runs as FP32"),
    ]
    assert "×" not in " ".join(text for row in speed_rows(simulated) for text in row)


def test_a_simulated_model_stands_in_one_table_with_a_real_one(comparison):
    simulated = replace(comparison, candidate=replace(comparison.candidate, simulated=True))
    rows = {row[0]: row[1:] for row in figure_rows([simulated, comparison])}
    assert rows["Encoder, times FP32 in OpenVINO"] == ("", "no low-bit speed here", "2.67")
    assert rows["Speed"] == ("real", "simulated: runs as FP32", "real, weights widened to BF16")


def summary(precision, bits, milliseconds, execution, *, simulated=False):
    latency = Latency.of([milliseconds])
    return ModelSummary(
        "LiteMedSAM",
        precision,
        bits,
        bits,
        10**6,
        simulated,
        0.9,
        0.5,
        0.9,
        1.0,
        0.7,
        {1: 0.9},
        latency,
        latency,
        execution,
    )


def test_a_table_of_an_evaluation_holds_every_model_against_full_precision_in_float32():
    in_bfloat16 = replace(ran("BF16", "openvino-bf16"), activations="BF16")
    rows = [
        summary("FP32", 32.0, 600.0, Execution.torch(quantized=False)),
        summary("FP32, OpenVINO", 32.0, 400.0, replace(ran("FP32", "openvino"), activations="FP32")),
        summary("BF16, OpenVINO", 32.0, 140.0, in_bfloat16),
        summary("4-bit, OpenVINO BF16 widened", 4.6, 150.0, in_bfloat16),
        summary("4-bit", 4.6, 610.0, Execution.torch(quantized=True), simulated=True),
    ]
    columns, cells = evaluation_table(rows)
    assert columns[-2:] == ["× FP32 in torch", "× FP32 in OpenVINO"]
    assert [row[-2:] for row in cells] == [
        ["1.00", "0.67"],
        ["1.50", "1.00"],
        ["4.29", "2.86"],
        ["4.00", "2.67"],
        [""] * 2,
    ]
    measured, simulated = (columns.index(each) for each in ("encoder ms", "simulated: encoder ms"))
    assert [row[measured] for row in cells] == ["600", "400", "140", "150", ""], "no column holds both kinds of speed"
    assert [row[simulated] for row in cells] == ["", "", "", "", "610"]
    assert (columns[2], columns[5]) == ("worst", "worst vs FP32") and (cells[0][2], cells[0][5]) == ("0.500", "0.700")
    assert "simulated: encoder ms" not in evaluation_table(rows[:-1])[0]


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
