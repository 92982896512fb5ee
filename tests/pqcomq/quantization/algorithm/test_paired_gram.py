"""Moments of two models' inputs against the tokens themselves."""

from __future__ import annotations

import pytest
import torch

from pqcomq.quantization.algorithm.config import QuantizationConfig
from pqcomq.quantization.algorithm.gram import InputGram
from pqcomq.quantization.algorithm.paired_gram import PairedGram
from pqcomq.quantization.algorithm.quantize_layer import quantize_layer


@pytest.fixture
def tokens():
    """Inputs of 12 channels in full precision and as a quantized model distorts them; weights of 5 outputs."""
    generator = torch.Generator().manual_seed(3)
    full = torch.randn(300, 12, generator=generator) @ torch.randn(12, 12, generator=generator) + 1.5
    seen = full + 0.3 * torch.randn(300, 12, generator=generator) @ torch.randn(12, 12, generator=generator) - 0.4
    return full, seen, torch.randn(5, 12, generator=generator)


def paired(full, seen, batches=3):
    both = PairedGram.empty(12)
    for a, b in zip(seen.chunk(batches), full.chunk(batches), strict=True):
        both.add(a, b)
    return both


def test_the_target_is_the_ridge_regression_on_the_tokens(tokens):
    full, seen, weight = tokens
    damping = 0.2
    ridge = damping * seen.square().sum() / 12  # a share of the mean diagonal of X̂ᵀX̂
    # min ‖X Wᵀ − X̂ W′ᵀ‖² + ridge ‖W′ − W‖², as ordinary least squares on stacked rows.
    rows = torch.cat([seen, ridge.sqrt() * torch.eye(12)]).double()
    wanted = torch.cat([full @ weight.T, ridge.sqrt() * weight.T]).double()
    expected = torch.linalg.lstsq(rows, wanted).solution.T
    assert torch.allclose(paired(full, seen).target(weight, damping).double(), expected, atol=1e-3)


def test_strong_damping_keeps_the_weights_and_alike_inputs_too(tokens):
    full, seen, weight = tokens
    assert torch.allclose(paired(full, seen).target(weight, 1e6), weight, atol=1e-4)
    assert paired(full, seen).target(weight, 0.0) is weight
    same = PairedGram.same(paired(full, full).full)
    assert same.alike
    assert same.target(weight, 0.1) is weight


def test_the_share_lost_is_that_of_the_outputs(tokens):
    full, seen, weight = tokens
    quantized = (weight * 4).round() / 4
    grams = paired(full, seen)
    outputs = full @ weight.T
    expected = float((outputs - seen @ quantized.T).square().sum() / outputs.square().sum())
    assert grams.share_lost(weight, quantized) == pytest.approx(expected, rel=1e-4)
    same = PairedGram.same(grams.full)
    alike = float((outputs - full @ quantized.T).square().sum() / outputs.square().sum())
    assert same.share_lost(weight, quantized) == pytest.approx(alike, rel=1e-4)


def test_dead_inputs_change_nothing(tokens):
    _, _, weight = tokens
    nothing = torch.zeros(300, 12)
    assert paired(nothing, nothing).target(weight, 1.0) is weight


def test_a_layer_that_nothing_ever_reached_is_rounded_as_if_all_inputs_counted_alike(tokens):
    _, _, weight = tokens
    layer = torch.nn.Linear(12, 5)
    layer.weight.data = weight
    settings = QuantizationConfig(bits=8, group_size=12, inputs="quantized")
    result = quantize_layer(layer, PairedGram.empty(12), settings)
    assert result.input_range is None
    assert result.error == 0.0
    assert (result.weight.dequantize() - weight).abs().max() < 0.02 * weight.abs().max()


def test_tokens_known_in_full_precision_alone_count_as_unchanged(tokens):
    full, seen, weight = tokens
    further = InputGram.empty(12)
    further.add(2.0 * full[:50])
    both = paired(full, seen)
    both.add_unchanged(further)
    wanted = paired(torch.cat([full, 2.0 * full[:50]]), torch.cat([seen, 2.0 * full[:50]]), batches=1)
    for found, right in ((both.full.gram, wanted.full.gram), (both.seen.gram, wanted.seen.gram)):
        torch.testing.assert_close(found, right, rtol=1e-4, atol=1e-2)
    torch.testing.assert_close(both.cross, wanted.cross, rtol=1e-4, atol=1e-2)
    assert (both.seen.count, both.seen.low, both.seen.high) == (350, wanted.seen.low, wanted.seen.high)
    torch.testing.assert_close(both.target(weight, 0.2), wanted.target(weight, 0.2), rtol=1e-3, atol=1e-3)
