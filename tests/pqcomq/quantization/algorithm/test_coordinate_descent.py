"""The fast blocked Gram form against the slow token form, and what must hold whatever the data."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from pqcomq.quantization.algorithm.config import QuantizationConfig
from pqcomq.quantization.algorithm.coordinate_descent import feedback_factor, rounding_pass
from pqcomq.quantization.algorithm.output_error import relative_error
from pqcomq.quantization.algorithm.qparams import QParams, initial_qparams
from pqcomq.quantization.algorithm.qparams_update import updated_qparams
from pqcomq.quantization.algorithm.quantize_matrix import quantize_matrix
from pqcomq.quantization.algorithm.quantized_weight import QuantizedWeight
from pqcomq.quantization.algorithm.scale_groups import ScaleGroups
from pqcomq.quantization.planning.presets import default_config

_spec = importlib.util.spec_from_file_location("token_reference", Path(__file__).with_name("token_reference.py"))
reference = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(reference)


def layer(rows=6, columns=150, tokens=400, seed=0):
    """Weights and correlated inputs, in float64 so that ties of rounding do not decide a test."""
    generator = torch.Generator().manual_seed(seed)
    X = torch.randn(tokens, columns, dtype=torch.float64, generator=generator)
    X = X @ (torch.eye(columns) + 0.2 * torch.randn(columns, columns, generator=generator)).double()
    return X, torch.randn(rows, columns, dtype=torch.float64, generator=generator)


def per_weight(levels: QParams, row: int):
    scale, zero = levels.per_weight()
    return scale[row].double(), zero[row].double()


@pytest.mark.parametrize("bits", [2, 4, 8])
@pytest.mark.parametrize("group", [16, 64, 150])
def test_a_sweep_equals_the_token_form(bits, group):
    X, W = layer()
    H = X.T @ X
    units = ScaleGroups.of("group", group, W.shape[1])
    levels = initial_qparams(W, H.diagonal(), units, bits, "integer", search_clipping=True)
    codes = levels.nearest(W)
    visit = torch.randperm(W.shape[1], generator=torch.Generator().manual_seed(1))
    quantized = levels.values(codes)
    fast = rounding_pass(quantized, (W - quantized) @ H, H[visit][:, visit], levels, visit)
    for row in range(W.shape[0]):
        slow = reference.descend_codes(X, W[row], codes[row], *per_weight(levels, row), levels.top, visit.tolist())
        assert torch.equal(fast[row], slow)


def test_error_feedback_equals_refitting_all_later_weights_by_least_squares():
    X, W = layer(columns=70)
    H = X.T @ X
    levels = initial_qparams(W, H.diagonal(), ScaleGroups.of("group", 32, 70), 4, "real", search_clipping=False)
    visit = torch.arange(70)
    fast = rounding_pass(W, torch.zeros_like(W), feedback_factor(H), levels, visit)
    for row in range(W.shape[0]):
        assert torch.equal(fast[row], reference.feedback_codes(X, W[row], *per_weight(levels, row), levels.top))


def test_the_scale_update_of_a_whole_channel_is_the_published_one():
    X, W = layer()
    H = X.T @ X
    levels = initial_qparams(
        W, H.diagonal(), ScaleGroups.of("channel", 0, W.shape[1]), 4, "integer", search_clipping=False
    )
    codes = levels.nearest(W)
    updated = updated_qparams(W, H, codes, levels, "integer").levels
    for row in range(W.shape[0]):
        published = reference.best_scale(X, W[row], codes[row], levels.zero_point[row].double())
        assert updated.scale[row].item() == pytest.approx(published, rel=2**-10)  # kept in float16


def test_scales_and_zero_points_of_all_groups_are_the_least_squares_solution():
    X, W = layer(rows=1, columns=48)
    units = ScaleGroups.of("group", 16, 48)
    levels = initial_qparams(W, torch.ones(48).double(), units, 2, "real", search_clipping=False)
    codes = levels.nearest(W)
    updated = updated_qparams(W, X.T @ X, codes, levels, "real").levels
    columns = []
    for basis in (codes[0], torch.ones(48).double()):
        for unit in range(3):
            columns.append(X[:, unit * 16 : unit * 16 + 16] @ basis[unit * 16 : unit * 16 + 16])
    solution = torch.linalg.lstsq(torch.stack(columns, dim=1), (X @ W[0])[:, None]).solution[:, 0]
    assert torch.allclose(updated.scale[0].double(), solution[:3], rtol=2e-3)
    assert torch.allclose((-updated.scale * updated.zero_point)[0].double(), solution[3:], rtol=5e-3, atol=2e-3)


@pytest.mark.parametrize("granularity", ["layer", "channel", "group"])
@pytest.mark.parametrize("zero", ["integer", "real"])
def test_residual_and_error_are_carried_over_as_if_computed_anew(granularity, zero):
    X, W = layer()
    H = X.T @ X
    levels = initial_qparams(
        W, H.diagonal(), ScaleGroups.of(granularity, 16, W.shape[1]), 2, zero, search_clipping=False
    )
    codes = levels.nearest(W)
    update = updated_qparams(W, H, codes, levels, zero)
    missing = W - update.levels.values(codes)
    assert torch.allclose(update.residual, missing @ H, rtol=1e-6, atol=1e-6 * float(H.abs().max()))
    assert update.error == pytest.approx(float((X @ missing.T).square().sum()), rel=1e-6)
    assert update.error < float((X @ (W - levels.values(codes)).T).square().sum())


@pytest.mark.parametrize("bits", [2, 4, 8])
def test_multiples_make_signed_bytes_of_one_scale_a_channel(bits):
    X, W = (part.float() for part in layer(rows=12, columns=100))
    W *= torch.linspace(0.02, 3, 100)  # groups of very different size
    settings = QuantizationConfig(bits=bits, group_size=16, zero_point="symmetric", scales="multiples")
    weight = quantize_matrix(W, X.T @ X, settings)
    scale, middle = weight.scale.double(), 1 << bits - 1
    assert torch.equal(weight.zero_point.unique(), torch.tensor([middle], dtype=torch.uint8))
    for row in scale:
        candidates = [row.max() / k for k in range(1, 16)]
        fits = [base for base in candidates if torch.equal((row / base).round() * base, row)]
        assert fits, "the scales of a channel are whole multiples of one"
        assert float(row.max() / max(fits)) * middle <= 128
    if bits == 4:
        assert len(torch.unique(scale / scale.amin(dim=1, keepdim=True))) > 3


def test_multiples_cost_little_against_free_scales_and_beat_one_scale_a_channel():
    X, W = (part.float() for part in layer(rows=32, columns=256, tokens=600))
    W *= torch.rand(256, generator=torch.Generator().manual_seed(2)) * 2 + 0.05
    H = X.T @ X

    def error(**changes):
        settings = replace(QuantizationConfig(bits=4, group_size=32, zero_point="symmetric"), **changes)
        return relative_error(W, quantize_matrix(W, H, settings).dequantize(), H)

    assert error(scales="multiples") < 1.3 * error()
    assert error(scales="multiples") < 0.8 * error(granularity="channel", permutation="none")


def test_the_update_moves_all_multiples_together_where_none_can_move_alone():
    X, W = layer()
    H = X.T @ X
    units = ScaleGroups.of("group", 16, W.shape[1])
    levels = initial_qparams(W, H.diagonal(), units, 4, "symmetric", search_clipping=False, scales="multiples")
    codes = levels.nearest(W)
    too_small = QParams.rounded(levels.scale * 0.7, levels.zero_point, units, levels.top, "multiples")
    update = updated_qparams(W, H, codes, too_small, "symmetric")
    missing = W - update.levels.values(codes)
    assert update.error == pytest.approx(float((X @ missing.T).square().sum()), rel=1e-6)
    assert update.error < 0.5 * float((X @ (W - too_small.values(codes)).T).square().sum())
    assert torch.equal(
        QParams.rounded(update.levels.scale, levels.zero_point, units, levels.top, "multiples").scale,
        update.levels.scale,
    )


def test_coarse_scales_cost_little_against_free_ones():
    X, W = (part.float() for part in layer(rows=32, columns=256, tokens=600))
    W *= torch.rand(256, generator=torch.Generator().manual_seed(2)) * 2 + 0.05
    H = X.T @ X
    for bits, group_size in ((1, 64), (2, 64), (3, 32), (4, 64)):
        free = quantize_matrix(W, H, QuantizationConfig(bits=bits, group_size=group_size))
        coarse = quantize_matrix(W, H, QuantizationConfig(bits=bits, group_size=group_size, scales="coarse"))
        errors = [relative_error(W, each.dequantize(), H) for each in (coarse, free)]
        assert errors[0] < 1.25 * errors[1]
        assert coarse.storage_bits < free.storage_bits - 10 * free.scale.numel()
        assert torch.equal(QuantizedWeight.of_parts(coarse.parts(), bits, coarse.run, (32, 256)).scale, coarse.scale)


def test_coarse_scales_and_zero_points_move_a_group_at_a_time_and_never_for_the_worse():
    X, W = layer()
    H = X.T @ X
    units = ScaleGroups.of("group", 16, W.shape[1])
    levels = initial_qparams(W, H.diagonal(), units, 2, "real", search_clipping=True, scales="coarse")
    codes = levels.nearest(W)
    too_small = QParams.rounded(levels.scale * 0.8, levels.zero_point + 0.5, units, levels.top, "coarse")
    update = updated_qparams(W, H, codes, too_small, "real")
    missing = W - update.levels.values(codes)
    assert update.error == pytest.approx(float((X @ missing.T).square().sum()), rel=1e-5)
    assert update.error < 0.5 * float((X @ (W - too_small.values(codes)).T).square().sum())
    again = QParams.rounded(update.levels.scale, update.levels.zero_point, units, levels.top, "coarse")
    assert torch.equal(again.scale, update.levels.scale)
    assert torch.equal(again.zero_point, update.levels.zero_point)


def test_scales_of_a_row_that_lie_far_apart_are_raised_to_what_can_be_stored():
    W = torch.randn(4, 128, generator=torch.Generator().manual_seed(3))
    W[:, :64] *= 1e-4
    weight = quantize_matrix(W, torch.eye(128), QuantizationConfig(bits=2, permutation="none", scales="coarse"))
    apart = (weight.scale[:, 1].float() / weight.scale[:, 0].float()).log2()
    assert float(apart.min()) > 2.5
    assert float(apart.max()) < 3.51
    again = QuantizedWeight.of_parts(weight.parts(), 2, weight.run, (4, 128))
    assert torch.equal(again.dequantize(), weight.dequantize())


EVERY_WAY = [
    QuantizationConfig(
        bits=bits,
        granularity=granularity,
        group_size=32,
        order=order,
        zero_point=zero,
        scales="multiples" if zero == "symmetric" else scales,
        feedback=feedback,
    )
    for bits in (2, 4, 8)
    for scales in ("free", "coarse")
    for granularity in ("layer", "channel", "group")
    for order in ("cyclic", "greedy")
    for zero in ("integer", "real", "symmetric")
    for feedback in (False, True)
    if scales == "free" or (bits < 8 and zero == "real" and granularity != "layer")
]


@pytest.mark.parametrize(
    "settings", EVERY_WAY, ids=lambda s: f"{s.bits}{s.granularity}{s.order}{s.zero_point}{s.scales}{s.feedback}"
)
def test_more_sweeps_never_raise_the_error_and_beat_rounding(settings):
    X, W = (part.float() for part in layer(rows=12, columns=100))
    H = X.T @ X
    # The error that falls is the damped one; without damping the two are the same.
    settings = replace(settings, damping=0.0)
    errors = [
        relative_error(W, quantize_matrix(W, H, replace(settings, sweeps=sweeps)).dequantize(), H)
        for sweeps in (0, 1, 4)
    ]
    assert errors[1] <= errors[0] * (1 + 1e-4)
    assert errors[2] <= errors[1] * (1 + 1e-4)
    plain = replace(QuantizationConfig.plain(settings.bits), granularity=settings.granularity, group_size=32)
    assert errors[2] < relative_error(W, quantize_matrix(W, H, plain).dequantize(), H)


def test_the_permutation_is_undone():
    X, W = (part.float() for part in layer())
    W[:, ::3] *= 20  # outliers in every third input
    H = X.T @ X
    for permutation in ("none", "magnitude"):
        quantized = quantize_matrix(W, H, QuantizationConfig(bits=8, permutation=permutation))
        assert relative_error(W, quantized.dequantize(), H) < 1e-4


def test_the_magnitude_permutation_helps_where_inputs_differ_in_size():
    X, W = (part.float() for part in layer())
    W[:, ::3] *= 20
    H = X.T @ X
    error = {
        permutation: relative_error(
            W,
            quantize_matrix(W, H, QuantizationConfig(bits=4, permutation=permutation, group_size=50)).dequantize(),
            H,
        )
        for permutation in ("none", "magnitude")
    }
    assert error["magnitude"] < error["none"]


@pytest.mark.parametrize("damping", [0.01, 0.0])
def test_dead_inputs_are_rounded_to_nearest_and_nothing_becomes_nan(damping):
    X, W = (part.float() for part in layer())
    X[:, 10:20] = 0
    quantized = quantize_matrix(W, X.T @ X, QuantizationConfig(bits=4, feedback=False, damping=damping))
    dead = quantized.dequantize()[:, 10:20]
    spread = quantized.units.spread(quantized.scale.float())
    order = quantized.permutation.long()
    scale = torch.empty_like(W)
    scale[:, order] = spread
    inside = (dead - W[:, 10:20]).abs() <= 0.51 * scale[:, 10:20]
    clipped = torch.empty_like(W)
    clipped[:, order] = ((quantized.codes() == 0) | (quantized.codes() == 15)).float()
    assert bool((inside | clipped[:, 10:20].bool()).all())
    assert float(inside.float().mean()) > 0.5, "codes of no meaning would all stand at an end"
    entirely_dead = quantize_matrix(W, torch.zeros(150, 150), QuantizationConfig(bits=2))
    assert bool(torch.isfinite(entirely_dead.dequantize()).all())


@pytest.mark.parametrize("weights", [torch.zeros(4, 32), torch.full((4, 32), 3.0), torch.full((4, 32), -1e-7)])
@pytest.mark.parametrize("method", ["rtn", "comq", "pcomq"])
def test_constant_weights_stay_finite(weights, method):
    X = torch.randn(64, 32, generator=torch.Generator().manual_seed(0))
    quantized = quantize_matrix(weights, X.T @ X, default_config("lite-medsam", 4, method)).dequantize()
    assert torch.allclose(quantized, weights, atol=0.25 * float(weights.abs().max()) + 1e-4)


@pytest.mark.parametrize("bits", [2, 4])
def test_large_weights_that_are_alike_are_kept(bits):
    weight = torch.randn(8, 65)
    weight[:, 3] = 40.0  # of the largest magnitude: the last of its row, in a group by itself
    made = quantize_matrix(weight, torch.eye(65), default_config(None, bits)).dequantize()
    assert (made[:, 3] - 40).abs().max() < 0.04, "as near as float16 comes"
    alike = quantize_matrix(torch.full((4, 64), -12.5), torch.eye(64), default_config(None, bits)).dequantize()
    assert (alike + 12.5).abs().max() < 0.0125


def test_what_is_not_finite_is_refused():
    with pytest.raises(ValueError, match="weights hold values that are not finite"):
        quantize_matrix(torch.full((2, 4), float("nan")), torch.eye(4), QuantizationConfig(4))
    with pytest.raises(ValueError, match="inputs hold values that are not finite"):
        quantize_matrix(torch.ones(2, 4), torch.full((4, 4), float("inf")), QuantizationConfig(4))
    for scales in ("free", "coarse"):
        with pytest.raises(ValueError, match="too large"):
            quantize_matrix(torch.randn(2, 64) * 1e9, torch.eye(64), QuantizationConfig(bits=2, scales=scales))


def test_effective_bits_count_scales_zero_points_and_permutation():
    X, W = (part.float() for part in layer(rows=32, columns=128))
    H = X.T @ X
    real = quantize_matrix(W, H, QuantizationConfig(bits=4))
    assert real.storage_bits == 32 * 128 * 4 + 32 * 2 * (16 + 16) + 128 * 16
    integer = quantize_matrix(W, H, default_config("lite-medsam", 2, "rtn"))
    assert integer.storage_bits == 32 * 128 * 2 + 32 * 2 * (16 + 8)
    whole = quantize_matrix(W, H, replace(QuantizationConfig.plain(8), granularity="layer"))
    assert whole.storage_bits == 32 * 128 * 8 + 16 + 8


@pytest.mark.parametrize(
    "wrong",
    [
        {"bits": 7},
        {"method": "gptq"},
        {"group_size": 0},
        {"sweeps": -1},
        {"method": "rtn"},
        {"method": "comq", "permutation": "magnitude"},
        {"granularity": "row"},
        {"zero_point": "none"},
        {"damping": -0.01},
        {"damping": float("nan")},
        {"damping": float("inf")},
        {"budget": float("inf")},
        {"group_size": 2**40},
        {"sweeps": 2**40},
        {"damping": 1e301},
        {"budget": 1e301},
    ],
)
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError):
        QuantizationConfig(**{"bits": 4} | wrong)


@pytest.mark.parametrize("threads", [1, 2])
def test_groups_of_16_of_a_wide_layer_are_solved_for_on_any_number_of_threads(threads):
    generator = torch.Generator().manual_seed(2)
    weight = torch.randn(256, 2048, generator=generator)
    inputs = torch.randn(3000, 2048, generator=generator)
    gram = inputs.T @ inputs
    settings = QuantizationConfig(bits=4, group_size=16, zero_point="real", sweeps=1)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        quantized = quantize_matrix(weight, gram, settings)
    finally:
        torch.set_num_threads(before)
    assert relative_error(weight, quantized.dequantize(), gram) < 0.01
