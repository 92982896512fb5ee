"""Two readers of the same files: ours, and one that was written from the documentation and knows numpy alone."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from pqcomq.quantization.files.module_file import load_module, save_module
from pqcomq.quantization.files.weights_file import load_weights
from pqcomq.quantization.quantize_module import quantize_module

from ..packed_configs import PACKED_CONFIGS

SOURCE = Path(__file__).with_name("second_reader.py")


@pytest.fixture(scope="module")
def read():
    spec = importlib.util.spec_from_file_location("second_reader", SOURCE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.read


def network():
    """Linear layers and convolutions; widths that fill no byte, no group and no table evenly."""
    torch.manual_seed(4)
    return nn.Sequential(
        nn.Conv2d(3, 37, 3), nn.GELU(), nn.Conv2d(37, 50, 1), nn.Flatten(2), nn.Linear(36, 70), nn.Linear(70, 5)
    ).eval()


def assert_same_bits(state, module):
    own = module.state_dict()
    assert state.keys() == own.keys()
    for name, tensor in own.items():
        assert state[name].dtype == np.float32
        assert np.ascontiguousarray(state[name]).tobytes() == tensor.contiguous().numpy().tobytes(), name


def test_the_second_reader_knows_nothing_of_this_package():
    assert "pqcomq" not in SOURCE.read_text(encoding="utf-8").split('"""', 2)[2].replace('["pqcomq"]', "")


@pytest.mark.parametrize("config", PACKED_CONFIGS, ids=lambda config: config.title)
def test_both_readers_give_the_same_bits(read, finish, tmp_path, config):
    made = finish(quantize_module(network(), [torch.randn(6, 3, 8, 8) for _ in range(2)], config))
    path = tmp_path / "network.safetensors"
    save_module(made, path)
    manifest, state = read(path)
    assert manifest["effective_bits"] == made.effective_bits
    assert len(manifest["tensors_sha256"]) == 64
    assert (manifest["network_format"] == 3) == (config.scales == "coarse")
    loaded = load_module(path, network())
    assert_same_bits(state, loaded.module)
    assert_same_bits(state, made.module)


def test_both_readers_give_the_same_bits_of_a_whole_model(read, saved):
    _manifest, state = read(saved)
    for part, module in load_weights(saved).segmenter.parts().items():
        own = {name.removeprefix(f"{part}."): each for name, each in state.items() if name.startswith(f"{part}.")}
        assert_same_bits(own, module)
