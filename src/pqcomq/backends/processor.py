"""Whether this processor computes what a runtime promises: asked of the library where it tells, tried where not."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import torch

from pqcomq.backends.runtime import Arithmetic, Runtime
from pqcomq.quantization.algorithm.quantized_weight import QuantizedWeight

_INPUTS, _OUTPUTS, _TOKENS = 256, 64, 64
_MAGNITUDE = 127
"""Of all weights; with inputs of 255 two products exceed 16 bits."""


def lacking(core: Any, runtime: Runtime, arithmetic: Arithmetic) -> str | None:  # noqa: ANN401 (no types)
    """What a processor has not that a runtime needs, in one sentence; None if it has all.

    Args:
        core: OpenVINO's ``Core``.
        runtime: what was asked for.
        arithmetic: what it stands for.
    """
    capabilities = core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    wanted = ["BF16"] * (arithmetic.floats == "bf16") + ["INT8"] * arithmetic.eight_bit_inputs
    missing = [each for each in wanted if each not in capabilities]
    if missing:
        return f"runtime {runtime.value} needs a processor with {' and '.join(missing)}, which this one has not"
    if arithmetic.eight_bit_inputs and not sums_bytes_exactly():
        return (
            f"runtime {runtime.value} needs a processor that sums products of bytes in 32 bits (AVX-VNNI, AVX-512 "
            "VNNI, AMX), and this one would cut sums off at 16"
        )
    return None


@cache
def sums_bytes_exactly() -> bool:
    """Whether products of bytes are summed without being cut off.

    OpenVINO offers integer products on every processor. Those of x86 from before VNNI add two products in 16 bits and
    keep the largest number that fits, so that masks would be wrong without a word. A sum that does not fit is tried.
    """
    import openvino as ov
    from openvino import opset13 as op

    from pqcomq.backends.graph_ops import Products
    from pqcomq.backends.layer_source import Layer

    weight = QuantizedWeight.of(
        codes=torch.full((_OUTPUTS, _INPUTS), 128 + _MAGNITUDE, dtype=torch.uint8),
        scale=torch.ones(_OUTPUTS, 1, dtype=torch.float16),
        zero_point=torch.full((_OUTPUTS, 1), 128, dtype=torch.uint8),
        permutation=None,
        bits=8,
        run=_INPUTS,
        shape=(_OUTPUTS, _INPUTS),
    )
    inputs = np.full((1, _TOKENS, _INPUTS), 255, np.float32)
    x = op.parameter(list(inputs.shape), np.float32)
    product = Products(eight_bit_inputs=True).linear(x, Layer(weight, None, (0.0, 255.0)))
    options = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
    found = ov.Core().compile_model(ov.Model([op.result(product)], [x]), "CPU", options)([inputs])[0]
    return bool(np.allclose(found, 255 * _MAGNITUDE * _INPUTS, rtol=1e-3))
