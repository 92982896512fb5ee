from __future__ import annotations

import pytest
import torch

from pqcomq.quantization.algorithm.packing import pack, row_bytes, unpack


@pytest.mark.parametrize("bits", [1, 2, 3, 4, 5, 6, 8])
@pytest.mark.parametrize("shape", [(1, 1), (3, 7), (5, 8), (64, 33), (2, 640)])
def test_packing_is_undone_by_unpacking_and_wastes_no_more_than_a_row_s_last_byte(bits, shape):
    codes = torch.randint(0, 2**bits, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    packed = pack(codes, bits)
    assert torch.equal(unpack(packed, bits, shape[1]), codes)
    assert packed.shape == (shape[0], row_bytes(shape[1], bits))


def test_the_first_code_lies_in_the_lowest_bits():
    assert pack(torch.tensor([[1, 2, 3, 0]], dtype=torch.uint8), 2).tolist() == [[0b00_11_10_01]]
    assert pack(torch.tensor([[1, 15]], dtype=torch.uint8), 4).tolist() == [[0xF1]]


def test_a_code_of_three_bits_goes_on_in_the_next_byte():
    codes = torch.tensor([[1, 2, 7, 0, 5]], dtype=torch.uint8)
    assert pack(codes, 3).tolist() == [[0b11_010_001, 0b0_101_000_1]]


@pytest.mark.parametrize("bits", [1, 2, 3, 4])
def test_a_code_that_does_not_fit_is_refused(bits):
    with pytest.raises(ValueError, match="does not fit"):
        pack(torch.tensor([[1 << bits]], dtype=torch.uint8), bits)
