"""Torch on a device: everything but the device itself, which the processor stands in for."""

from __future__ import annotations

import importlib.util
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from pqcomq.backends import torch_device
from pqcomq.backends.fastest import settled, with_device
from pqcomq.backends.openvino_model import on_runtime
from pqcomq.backends.runtime import Device, Runtime
from pqcomq.backends.torch_device import on_device, small_network_error
from pqcomq.errors import InputError
from pqcomq.models.small_encoder import small_encoder
from pqcomq.quantization.algorithm.config import QuantizationConfig
from pqcomq.quantization.algorithm.gram import quantizable_layers
from pqcomq.quantization.algorithm.quantize_matrix import quantize_matrix

CPU = torch.device("cpu")
OUT = (
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB."),
    RuntimeError("MPS backend out of memory (MPS allocated: 5.56 GB, max allowed: 6.80 GB)."),  # as Apple's device does
    MemoryError(),
)
DRIVER = "The NVIDIA driver on your system is too old (found version 11040). Please update your GPU driver."
SLICE = np.random.default_rng(0).integers(0, 256, (60, 80), dtype=np.uint8)
BOX = np.array([10.0, 12.0, 50.0, 40.0])


@pytest.fixture(scope="module")
def model(lite_medsam):
    return replace(lite_medsam, image_encoder=small_encoder())


@pytest.fixture
def without_devices(monkeypatch):
    monkeypatch.setattr(torch_device, "device_obstacle", lambda kind: f"torch finds no {kind} device that works")


@pytest.fixture
def asked_anew():
    """What was found out about devices in this process is forgotten, before and after."""
    torch_device._lasting_obstacle.cache_clear()
    yield
    torch_device._lasting_obstacle.cache_clear()


def test_in_float32_a_model_answers_as_it_does_itself_and_says_where(model):
    there = on_device(model, Runtime.torch_cuda, CPU)
    features = there.encode(SLICE).features
    assert torch.equal(features, model.encode(SLICE).features)
    assert np.array_equal(there.decode(there.encode(SLICE), BOX), model.decode(model.encode(SLICE), BOX))
    assert there.precision == "FP32, torch CPU"
    run = there.execution
    assert (run.setting, run.weights, run.activations, run.simulated) == ("torch-cuda", "float32", "FP32", False)
    assert run.runtime == f"torch/CPU {torch.__version__} (cpu)"
    assert run.library == "torch/CPU"


def test_half_precision_is_called_so_and_its_outputs_are_float32(model):
    there = on_device(model, Runtime.torch_cuda_half, CPU)
    features = there.encode(SLICE).features
    assert features.dtype == torch.float32
    assert 0 < float((features - model.encode(SLICE).features).abs().max()) < 0.1
    assert next(there.image_encoder.parameters()).dtype == torch.float16
    assert there.precision == "FP16, torch CPU"
    assert there.execution.activations == "FP16"
    assert next(model.image_encoder.parameters()).dtype == torch.float32  # the model itself is left as it is


def test_packed_weights_are_held_packed_and_are_the_same_ones():
    network = small_encoder()
    settings = QuantizationConfig(bits=4, sweeps=0, feedback=False)
    image = torch.rand(1, 3, 256, 256)
    packed = {}
    for name, layer in quantizable_layers(network).items():
        matrix = layer.weight.flatten(1)
        packed[name] = quantize_matrix(matrix, torch.eye(matrix.shape[1]), settings, tuple(layer.weight.shape))
        layer.weight.copy_(packed[name].dequantize())
    expected = network(image)
    for name, layer in quantizable_layers(network).items():
        torch_device._keep_packed(layer, packed[name], CPU, torch.float32)
    held = sum(each.numel() for each in network.parameters())
    assert held < 0.2 * sum(each.numel() for each in small_encoder().parameters())
    assert torch.equal(network(image), expected)
    assert all(layer.weight is None for layer in quantizable_layers(network).values())


@pytest.mark.parametrize("out", OUT)
def test_a_device_with_too_little_memory_gives_way_to_the_processor_and_says_so(model, monkeypatch, out):
    def full(*_given, **_named):
        raise out

    monkeypatch.setattr(torch_device, "_moved", full)
    made = on_device(model, Runtime.torch_cuda_half, CPU)
    assert made.execution.setting == "torch"
    assert made.execution.activations == "float32"
    assert made.precision == "FP32"
    assert (
        made.execution.why
        == "The memory of cpu is too small for the model, so torch computes on the processor in FP32."
    )
    assert np.array_equal(made.decode(made.encode(SLICE), BOX), model.decode(model.encode(SLICE), BOX))


@pytest.mark.parametrize("out", OUT)
def test_memory_that_runs_out_later_is_told_in_one_sentence(model, out):
    class Greedy(nn.Module):
        passes = 0

        def __init__(self, network):
            super().__init__()
            self.network = network

        def forward(self, image):
            Greedy.passes += 1
            if Greedy.passes == 2:
                raise out
            return self.network(image)

    there = on_device(replace(model, image_encoder=Greedy(model.image_encoder)), Runtime.torch_cuda, CPU)
    with pytest.raises(InputError, match=r"^The memory of cpu ran out: close other programs that use it, or choose"):
        there.encode(SLICE)
    assert there.encode(SLICE).features.shape == (1, 256, 64, 64)  # and nothing is lost


@pytest.mark.usefixtures("without_devices")
@pytest.mark.parametrize("runtime", [each for each in Runtime if each.device])
def test_a_device_that_is_not_there_gives_way_to_the_processor(model, runtime):
    taken = settled(runtime, [])
    kind = runtime.device
    assert taken.runtime is Runtime.torch
    assert taken.why == (
        f"{kind.upper()} was asked for, but torch finds no {kind} device that works; torch computes on the processor "
        "in FP32."
    )
    run = on_runtime(model, runtime).execution
    assert (run.setting, run.activations) == ("torch", "float32")
    assert run.why == taken.why


@pytest.mark.usefixtures("without_devices")
def test_what_device_goes_with_what_runtime():
    assert with_device(Runtime.auto, None) is Runtime.auto
    assert with_device(Runtime.auto, Device.auto) is Runtime.auto
    assert with_device(Runtime.openvino, Device.auto) is Runtime.openvino
    assert with_device(Runtime.torch, Device.mps) is Runtime.torch_mps
    assert with_device(Runtime.torch_cuda_half, Device.cuda) is Runtime.torch_cuda_half
    assert with_device(Runtime.openvino, Device.cpu) is Runtime.openvino
    for runtime, device in ((Runtime.openvino, Device.cuda), (Runtime.torch_cuda, Device.cpu)):
        with pytest.raises(InputError, match=f"{runtime.value} does not compute on {device.value}"):
            with_device(runtime, device)


def test_auto_takes_a_device_that_works(monkeypatch):
    monkeypatch.setattr(torch_device, "device_obstacle", lambda kind: None if kind == "mps" else "none")
    assert with_device(Runtime.auto, Device.auto) is Runtime.torch_mps


def test_full_precision_beside_half_is_computed_in_float32():
    assert Runtime.torch_cuda_half.in_full_precision is Runtime.torch_cuda
    assert Runtime.torch_mps_packed.in_full_precision is Runtime.torch_mps


def test_an_old_driver_is_named(monkeypatch, asked_anew):
    monkeypatch.setattr(torch.version, "cuda", "13.0")

    def refuse(*_given, **_named):
        raise RuntimeError(DRIVER)

    monkeypatch.setattr(torch, "zeros", refuse)
    told = torch_device.device_obstacle("cuda")
    assert told == (
        "torch finds no cuda device that works (The NVIDIA driver on your system is too old (found version 11040))"
    )


def test_what_is_no_lack_of_memory_is_not_told_as_one(model, monkeypatch):
    def broken(*_given, **_named):
        raise RuntimeError("cuDNN error: CUDNN_STATUS_NOT_INITIALIZED")

    monkeypatch.setattr(torch_device, "_moved", broken)
    with pytest.raises(RuntimeError, match="NOT_INITIALIZED"):
        on_device(model, Runtime.torch_cuda, CPU)


@pytest.mark.parametrize("problem", [RuntimeError("cuDNN error: CUDNN_STATUS_NOT_INITIALIZED"), *OUT[:2]])
def test_a_device_on_which_the_small_network_fails_is_none_that_works(monkeypatch, asked_anew, problem):
    def fails(*_given):
        raise problem

    monkeypatch.setattr(torch_device, "small_network_error", fails)
    told = torch_device.device_obstacle("cpu")
    assert told is not None
    assert told.startswith("torch finds no cpu device that works (")
    assert "\n" not in told


@pytest.mark.parametrize("problem", OUT)
def test_a_device_whose_memory_ran_out_is_tried_again(monkeypatch, asked_anew, problem):
    def fails(*_given):
        raise problem

    with monkeypatch.context() as full:
        full.setattr(torch_device.nn.Module, "to", fails)
        assert str(torch_device.device_obstacle("cpu")).startswith("torch finds no cpu device that works (")
    assert torch_device.device_obstacle("cpu") is None


def test_a_device_that_computes_otherwise_is_told(monkeypatch):
    assert torch_device._wrong(CPU, torch.float32) is None
    monkeypatch.setattr(torch_device, "small_network_error", lambda device, dtype: 0.25)
    assert (
        torch_device._wrong(CPU, torch.float32)
        == "a small network's output differs from the processor's by 25.0% on cpu"
    )


def test_passes_of_all_models_take_turns():
    """TensorFloat-32 is switched off for the whole process while a pass runs, and on again after it."""
    inside, most = [], []

    class Watched(nn.Module):
        def forward(self, image):
            inside.append(1)
            most.append(len(inside))
            time.sleep(0.02)
            inside.pop()
            return image

    encoders = [torch_device._DeviceEncoder(Watched(), CPU, torch.float32) for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda encoder: encoder(torch.zeros(1)), encoders))
    assert most == [1, 1, 1]


@torch.inference_mode()
def test_half_precision_of_a_small_network_is_rounding():
    assert 0 < small_network_error(CPU, torch.float16) < 0.02


def check_cuda():
    path = Path(__file__).parents[2] / "devices" / "check_cuda.py"
    spec = importlib.util.spec_from_file_location("check_cuda", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_the_check_of_cuda_runs_on_the_processor_too(capsys, monkeypatch, model, synthetic):
    check = check_cuda()
    monkeypatch.setattr(check, "synthetic_ct", lambda: synthetic)
    monkeypatch.setattr(check, "load_model", lambda key: model)
    assert check.main(["--slices", "1", "--ways", "torch-cuda"], CPU) == 0
    told = capsys.readouterr().out
    assert "FP32, torch CPU, weights float32: Dice with the processor 1.0000 (passes)" in told
    assert "Out of memory: The memory of cpu is too small for the model" in told


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device: run tests/devices/check_cuda.py")
def test_without_a_device_the_check_is_skipped_by_name(capsys):
    check = check_cuda()
    assert check.main([]) == check.SKIPPED
    assert capsys.readouterr().out.startswith("Skipped: torch")
