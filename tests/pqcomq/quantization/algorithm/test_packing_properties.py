"""What holds of every code, permutation and layout of scales."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pqcomq.quantization.algorithm.coarse_scales import (
    COARSE_PARTS,
    coarse_bits,
    coarse_parts,
    from_coarse_parts,
    on_grid,
    quarters,
)
from pqcomq.quantization.algorithm.config import LAYER_WIDTHS
from pqcomq.quantization.algorithm.packing import pack, row_bytes, unpack
from pqcomq.quantization.algorithm.quantized_weight import QuantizedWeight
from pqcomq.quantization.algorithm.scale_groups import ScaleGroups
from pqcomq.quantization.planning.stored_bits import effective_bits

BITS = st.sampled_from(LAYER_WIDTHS)
SIZES = st.tuples(st.integers(1, 7), st.integers(1, 40))


@st.composite
def coded(draw):
    """Bit width and codes (n, m) of that width."""
    bits = draw(BITS)
    return bits, torch.from_numpy(draw(arrays(np.uint8, draw(SIZES), elements=st.integers(0, 2**bits - 1))))


@st.composite
def weights(draw, permuted):
    """A quantized weight of any codes, scales and, if asked for, order of columns."""
    bits, codes = draw(coded())
    rows, columns = codes.shape
    run = draw(st.integers(1, columns))
    units = ScaleGroups.of("group", run, columns)
    shape = (rows, units.count)
    scale = draw(arrays(np.float16, shape, elements=st.floats(2**-10, 8, width=16)))
    zero_point = draw(arrays(np.float16, shape, elements=st.integers(0, 2**bits - 1)))
    order = torch.tensor(draw(st.permutations(range(columns)))) if permuted else None
    return QuantizedWeight.of(
        codes, torch.from_numpy(scale), torch.from_numpy(zero_point), order, bits, units.run, tuple(codes.shape)
    )


@given(coded())
def test_unpacking_undoes_packing_in_the_fewest_bytes(of_width):
    bits, codes = of_width
    packed = pack(codes, bits)
    assert packed.dtype == torch.uint8
    assert packed.shape == (codes.shape[0], row_bytes(codes.shape[1], bits))
    assert torch.equal(unpack(packed, bits, codes.shape[1]), codes)


@given(coded())
def test_bytes_are_a_number_written_in_base_two_to_the_bits(of_width):
    """Read by numpy's own bits, code by code: a byte holds its codes from the low bits up."""
    bits, codes = of_width
    stored = np.unpackbits(pack(codes, bits).numpy(), axis=1, bitorder="little")
    digits = stored[:, : codes.shape[1] * bits].reshape(*codes.shape, bits)
    assert np.array_equal(digits @ (1 << np.arange(bits)), codes.numpy())
    assert not stored[:, codes.shape[1] * bits :].any(), "what pads a row is 0"


@given(weights(permuted=True))
def test_every_column_comes_back_to_its_own_place(weight):
    order = weight.permutation.long()
    stored = weight.dequantize()[:, order]
    for column in range(weight.columns):
        unit = column // weight.run
        expected = weight.scale[:, unit].float() * (
            weight.codes()[:, column].float() - weight.zero_point[:, unit].float()
        )
        assert torch.equal(stored[:, column], expected)


@given(weights(permuted=False))
def test_without_a_permutation_columns_stay_where_they_are(weight):
    own_order = torch.arange(weight.columns, dtype=torch.int16)
    permuted = QuantizedWeight(
        weight.packed, weight.scale, weight.zero_point, own_order, weight.bits, weight.run, weight.shape
    )
    assert torch.equal(permuted.dequantize(), weight.dequantize())
    assert permuted.storage_bits == weight.storage_bits + 16 * weight.columns


@given(st.lists(st.integers(0, 2**10 - 1), min_size=1, max_size=40))
def test_numbers_of_ten_bits_come_back_too(values):
    numbers = torch.tensor([values], dtype=torch.int32)
    packed = pack(numbers, 10)
    assert packed.shape == (1, row_bytes(len(values), 10))
    assert unpack(packed, 10, len(values)).tolist() == [values]


@st.composite
def grids(draw):
    """Bit width, and any scales and zero-points (n, G) on their coarse grids."""
    bits, shape = draw(BITS), draw(st.tuples(st.integers(1, 6), st.integers(1, 9)))
    scale = draw(arrays(np.float32, shape, elements=st.floats(2**-20, 2**15, width=32)))
    zero_point = draw(arrays(np.float32, shape, elements=st.floats(-1e3, 1e3, width=32)))
    return bits, on_grid(torch.from_numpy(scale), bits), quarters(torch.from_numpy(zero_point), bits)


@given(grids())
def test_coarse_scales_come_back_from_their_few_bits(found):
    bits, scale, zero_point = found
    parts = coarse_parts(scale, zero_point, bits)
    assert tuple(parts) == COARSE_PARTS
    again = from_coarse_parts(parts, scale.shape[1], bits)
    assert torch.equal(again[0].float(), scale)
    assert torch.equal(again[1].float(), zero_point)
    assert 8 * sum(part.numel() for part in parts.values()) == coarse_bits(*scale.shape, bits)


@given(grids())
def test_what_is_on_the_grids_stays_where_it_is(found):
    bits, scale, zero_point = found
    assert torch.equal(on_grid(scale, bits), scale)
    assert torch.equal(quarters(zero_point, bits), zero_point)


@given(BITS, st.floats(2**-13, 2**14))
def test_a_scale_moves_by_half_a_step_at_most(bits, scale):
    ratio = float(on_grid(torch.tensor([[scale]]), bits)) / scale
    assert abs(np.log2(ratio)) <= 0.5 / 2**bits + 2e-3, "and by float16's own rounding"


@given(weights(permuted=True))
def test_no_stored_bit_is_left_out_of_the_effective_bits(weight):
    parts = (weight.packed, weight.scale, weight.zero_point, weight.permutation)
    stored = sum(len(part.numpy().tobytes()) for part in parts)
    assert effective_bits({"layer": weight}, None) * weight.rows * weight.columns == pytest.approx(8 * stored)
