"""Packed weights as nodes of ONNX give the same bits in ONNX Runtime as the program's own reader."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from pqcomq.export.unpacking import Unpacking
from pqcomq.quantization.planning.presets import default_config
from pqcomq.quantization.quantize_module import quantize_module

from ..packed_configs import PACKED_CONFIGS

onnx = pytest.importorskip("onnx", reason="onnx is not installed")
runtime = pytest.importorskip("onnxruntime", reason="ONNX Runtime is not installed")


def network():
    torch.manual_seed(4)
    return nn.Sequential(nn.Conv2d(3, 37, 3), nn.GELU(), nn.Flatten(2), nn.Linear(36, 70), nn.Linear(70, 5)).eval()


def computed(weight, name="w"):
    unpacking = Unpacking(name)
    unpacking.add(weight)
    result = onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, list(weight.shape))
    graph = onnx.helper.make_graph(unpacking.nodes, "one", [], [result], unpacking.constants)
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 21)], ir_version=10)
    onnx.checker.check_model(model)
    session = runtime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {})[0], [node.op_type for node in unpacking.nodes]


@pytest.mark.parametrize("config", PACKED_CONFIGS, ids=lambda config: config.title)
def test_onnx_runtime_widens_to_the_same_bits(config, finish):
    made = finish(quantize_module(network(), [torch.randn(6, 3, 8, 8)], config))
    for weight in made.weights.values():
        values, _kinds = computed(weight)
        assert np.array_equal(values, weight.dequantize().numpy())


def test_whole_zero_points_of_eight_bits_are_what_onnx_calls_dequantize(finish):
    config = default_config(None, 8).altered(["zero_point=integer"])
    made = finish(quantize_module(network(), [torch.randn(6, 3, 8, 8)], config))
    for weight in made.weights.values():
        values, kinds = computed(weight)
        assert "DequantizeLinear" in kinds
        assert np.array_equal(values, weight.dequantize().numpy())
