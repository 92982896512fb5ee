from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn

from pqcomq.errors import InputError
from pqcomq.quantization.files.module_file import load_module, save_module
from pqcomq.quantization.files.packed_file import PackedFile
from pqcomq.quantization.planning.presets import default_config
from pqcomq.quantization.planning.rate_plan import MeasuredLayer, water_filled
from pqcomq.quantization.quantize_module import quantize_module


def spent(measured, rates):
    return sum(each.weights * rates[name] for name, each in measured.items())


def test_bits_are_spent_where_each_takes_away_as_much_damage():
    measured = {
        "much": MeasuredLayer(1000, 0.4, 2.4),
        "less": MeasuredLayer(3000, 0.1, 2.4),
        "little": MeasuredLayer(500, 0.01, 2.0),
    }
    rates = water_filled(measured, 3.0 * 4500)
    assert spent(measured, rates) == pytest.approx(3.0 * 4500, rel=1e-6)
    gains = [each.damage * 4 ** (each.bits - rates[name]) / each.weights for name, each in measured.items()]
    assert max(gains) == pytest.approx(min(gains), rel=1e-6)
    assert rates["much"] > rates["less"] > rates["little"]


def test_layers_stay_between_one_bit_and_six_and_what_does_no_damage_gets_least():
    measured = {
        "nothing": MeasuredLayer(1000, 0.0, 2.4),
        "all": MeasuredLayer(1000, 5.0, 2.4),
        "some": MeasuredLayer(1000, 0.01, 2.4),
    }
    rates = water_filled(measured, 3.2 * 3000)
    assert (rates["nothing"], rates["all"]) == (1.0, 6.0)
    assert spent(measured, rates) == pytest.approx(3.2 * 3000, rel=1e-6)
    assert water_filled(measured, 1e9) == {"nothing": 1.0, "all": 6.0, "some": 6.0}
    assert set(water_filled(measured, 0.0).values()) == {1.0}
    assert all(math.isfinite(rate) for rate in water_filled({"still": MeasuredLayer(10, 0.0, 2.4)}, 20.0).values())
    assert water_filled({}, 10.0) == {}


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(2)
    return nn.Sequential(nn.Linear(96, 160), nn.ReLU(), nn.Linear(160, 96), nn.ReLU(), nn.Linear(96, 4)).eval()


@pytest.fixture(scope="module")
def made(network):
    inputs = [torch.randn(300, 96) for _ in range(3)]
    work = quantize_module(network, inputs, default_config(None, 8, "ecq", stored_bits=3.0))
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value


def test_a_network_is_entropy_coded_within_its_bits_and_small_layers_take_eight(network, made):
    # Tables of the coder, which a model of millions of weights does not feel, come on top.
    assert 2.8 < made.effective_bits < 3.5
    assert made.weights["4"].bits == 8
    inputs = torch.randn(50, 96)
    lost = (network(inputs) - made.module(inputs)).square().sum() / network(inputs).square().sum()
    assert lost < 0.05
    assert "3 bits stored, entropy coded" in repr(made)


def test_a_file_gives_back_the_same_bits_and_tells_its_format(network, made, tmp_path):
    path = tmp_path / "coded.safetensors"
    save_module(made, path)
    loaded = load_module(path, network)
    for name, weight in made.weights.items():
        assert torch.equal(loaded.weights[name].dequantize(), weight.dequantize())
    again = tmp_path / "again.safetensors"
    save_module(loaded, again)
    assert again.read_bytes() == path.read_bytes()
    file = PackedFile.open(path)
    head, tensors = file.head, file.tensors()
    assert head["network_format"] == 2
    assert head["layers"]["0"] == {
        "coding": "entropy",
        "shape": [160, 96],
        "error": made.layer_errors["0"],
        "input_range": list(made.input_ranges["0"]),
    }
    stored = sum(tensor.numel() * tensor.element_size() for name, tensor in tensors.items() if "bias" not in name)
    count = sum(weight.rows * weight.columns for weight in made.weights.values())
    assert made.effective_bits == pytest.approx(8 * stored / count)


def test_a_changed_byte_is_refused_before_anything_is_decoded(network, made, tmp_path):
    path = tmp_path / "coded.safetensors"
    save_module(made, path)
    content = bytearray(path.read_bytes())
    tensors = PackedFile.open(path).tensors()
    place = content.find(tensors["entropy_stream.words"].numpy().tobytes())
    content[place + 40] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(InputError, match="are not those that were written"):
        load_module(path, network)
    with safe_open(path, framework="pt") as stream:
        manifest = json.loads(stream.metadata()["pqcomq"])
    del manifest["tensors_sha256"]  # as in files that have no hash of all tensors
    save_file(load_file(path), path, metadata={"pqcomq": json.dumps(manifest)})
    with pytest.raises(InputError, match="entropy-coded weights are damaged"):
        load_module(path, network)


def test_steps_that_make_no_finite_weights_are_refused(network, made, tmp_path):
    huge = {
        name: replace(weight, step=weight.step + 1100) if name == "0" else weight
        for name, weight in made.weights.items()
    }
    path = tmp_path / "huge.safetensors"
    save_module(replace(made, weights=huge), path)
    with pytest.raises(InputError, match="layer '0' are not finite"):
        load_module(path, network)
