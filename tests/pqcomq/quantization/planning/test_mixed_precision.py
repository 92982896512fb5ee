"""Choices of bit width and group size, and what is told of each."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from pqcomq.quantization.algorithm.gram import InputGram
from pqcomq.quantization.planning import mixed_precision
from pqcomq.quantization.planning.mixed_precision import GROUP_SIZES, measured_plan
from pqcomq.quantization.planning.presets import default_config
from pqcomq.quantization.workers import Workers


@pytest.mark.parametrize("bits", [2, 4])
def test_of_rows_of_one_group_every_group_size_is_told_to_take_the_same(monkeypatch, bits):
    """Rows of three inputs are padded to whole bytes, by more bits at one width than at another."""
    seen = {}

    def kept(options, _storage_bits):
        seen.update(options)
        return {name: each[0] for name, each in options.items()}

    monkeypatch.setattr(mixed_precision, "allocate", kept)
    torch.manual_seed(0)
    layer, grams = nn.Linear(3, 64), InputGram(torch.eye(3))
    work = measured_plan(
        {"a": layer}, {"a": grams}, default_config("lite-medsam", bits), lambda trials: iter(()), Workers(0)
    )
    assert list(work) == ["a"]
    for width in (2, 4, 8):
        sizes = {option.storage_bits for option in seen["a"] if option.bits == width}
        assert len(sizes) == 1
    assert {option.group_size for option in seen["a"]} == set(GROUP_SIZES)
