from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from pqcomq.quantization.algorithm.column_steps import quantize_columns
from pqcomq.quantization.algorithm.config import QuantizationConfig
from pqcomq.quantization.algorithm.integer_weight import step_sizes
from pqcomq.quantization.algorithm.output_error import relative_error
from pqcomq.quantization.algorithm.quantize_matrix import quantize_matrix
from pqcomq.quantization.files.entropy_stream import encoded
from pqcomq.quantization.planning.presets import default_config


def coded(bits):
    return default_config(None, 8, "ecq", stored_bits=bits)


@pytest.fixture(scope="module")
def layer():
    """Weights (256, 192) and the Gram matrix of inputs that depend on each other and differ in size."""
    generator = torch.Generator().manual_seed(7)
    inputs = torch.randn(2000, 192, generator=generator) @ torch.randn(192, 192, generator=generator)
    inputs *= torch.exp(torch.randn(192, generator=generator))
    rows = torch.exp(0.5 * torch.randn(256, 1, generator=generator))
    return 0.02 * rows * torch.randn(256, 192, generator=generator), inputs.T @ inputs


@pytest.mark.parametrize("bits", [1.0, 2.6, 3.5, 6.0])
def test_it_takes_the_bits_that_were_asked_for(layer, bits):
    weight, gram = layer
    made = quantize_columns(weight, gram, coded(bits), (256, 192))
    # The tables, which all layers of a model share, are left aside.
    assert 8 * encoded([made]).words.nbytes / weight.numel() == pytest.approx(bits, abs=0.12)


def test_more_bits_leave_six_decibels_less_error_each(layer):
    weight, gram = layer
    two, four = (
        relative_error(weight, quantize_columns(weight, gram, coded(bits), (256, 192)).dequantize(), gram)
        for bits in (3.0, 5.0)
    )
    assert two / four == pytest.approx(16, rel=0.35)


def test_at_the_bits_that_groups_take_it_loses_less_than_half(layer):
    weight, gram = layer
    fixed = quantize_matrix(weight, gram, QuantizationConfig(2))
    bits = fixed.storage_bits / weight.numel()
    made = quantize_columns(weight, gram, coded(bits), (256, 192))
    losses = [relative_error(weight, each.dequantize(), gram) for each in (made, fixed)]
    assert losses[0] < 0.5 * losses[1]


def test_each_column_leaves_the_same_error(layer):
    weight, gram = layer
    made = quantize_columns(weight, gram, replace(coded(4.0), order="cyclic"), (256, 192))
    from pqcomq.quantization.algorithm.coordinate_descent import feedback_factor
    from pqcomq.quantization.algorithm.quantize_matrix import damped

    factor = feedback_factor(damped(gram, 0.01))
    left = (factor.diagonal() * step_sizes(made.step)).log2()  # (m,)
    assert float(left.max() - left.min()) < 0.2


def test_steps_are_powers_of_two_with_an_eighth_as_exponent():
    exponents = torch.arange(-200, 200, dtype=torch.int16)
    assert torch.allclose(step_sizes(exponents).double(), 2.0 ** (exponents.double() / 8), rtol=1e-7, atol=0)
    assert torch.equal(step_sizes(exponents[::8]), 2.0 ** (exponents[::8].float() / 8))


@pytest.mark.parametrize("value", [0.0, 1.0, -3e-9])
def test_constant_weights_and_dead_inputs_give_finite_codes(value):
    gram = torch.zeros(40, 40)
    gram[:20, :20] = torch.eye(20)
    for energy in (gram, torch.zeros(40, 40)):
        made = quantize_columns(torch.full((160, 40), value), energy, coded(3.0), (160, 40))
        assert torch.isfinite(made.dequantize()).all()
        assert torch.allclose(made.dequantize(), torch.full((160, 40), value), rtol=0.5, atol=1e-12)


def test_dead_outputs_and_columns_give_finite_codes(layer):
    weight, gram = layer
    weight = weight.clone()
    weight[3], weight[:, 5] = 0.0, 0.0
    made = quantize_columns(weight, gram, coded(3.0), (256, 192)).dequantize()
    assert torch.isfinite(made).all()
    assert float(made[3].abs().max()) == 0.0


def test_what_cannot_be_coded_is_refused(layer):
    weight, gram = layer
    broken = weight.clone()
    broken[0, 0] = float("nan")
    with pytest.raises(ValueError, match="weights hold values that are not finite"):
        quantize_columns(broken, gram, coded(2.6), (256, 192))
    with pytest.raises(ValueError, match="inputs hold values that are not finite"):
        quantize_columns(weight, gram * float("inf"), coded(2.6), (256, 192))
    unlike = weight.clone()
    unlike[0, 0] = 1e6
    with pytest.raises(ValueError, match="too unlike for one step"):
        quantize_columns(unlike, gram, coded(2.6), (256, 192))
