"""Whether a runtime computes what torch does: a small network is run on both, once on each machine."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn

from pqcomq.backends.compiled_networks import answer, last_line, request
from pqcomq.backends.remembered_checks import NotTriedError
from pqcomq.backends.runtime import Arithmetic, Runtime
from pqcomq.errors import InputError
from pqcomq.models.small_encoder import SIDE, small_encoder
from pqcomq.quantization.algorithm.config import QuantizationConfig
from pqcomq.quantization.algorithm.gram import quantizable_layers
from pqcomq.quantization.algorithm.quantize_matrix import quantize_matrix
from pqcomq.quantization.algorithm.quantized_weight import QuantizedWeight

_MOST = {"f32": 0.001, "bf16": 0.05}
"""Error of the network's output, relative to its size: float32 adds in another order, bfloat16 keeps 8 bits."""

_MOST_IN_EIGHT_BITS = 0.1


def fault(runtime: Runtime) -> str | None:
    """What is wrong with a runtime on this machine, in one sentence; None if it computes what torch does.

    Args:
        runtime: one of OpenVINO's, with no obstacle to it.

    Raises:
        NotTriedError: it failed on the network; one that this machine cannot compile, or one that found no memory.
    """
    arithmetic = Arithmetic.of(runtime)
    most = _MOST_IN_EIGHT_BITS if arithmetic.eight_bit_inputs else _MOST[arithmetic.floats]
    # Full precision never runs in anything but float32.
    both = (True, False) if runtime is Runtime.openvino else (True,)
    try:
        error = max(relative_error(runtime, packed=packed) for packed in both)
    except (InputError, RuntimeError) as problem:  # the latter are OpenVINO's own
        raise NotTriedError(f"runtime {runtime.value} failed on a small network: {last_line(problem)}") from problem
    if error <= most:
        return None
    return (
        f"runtime {runtime.value} computes wrongly on this machine: a small network's output differs from torch's by "
        f"{error:.1%}, where {most:.1%} is rounding"
    )


@torch.inference_mode()
def relative_error(runtime: Runtime, *, packed: bool = True) -> float:
    """Root mean square of what a small network's output differs by from torch's, over that of the output.

    Args:
        runtime: one of OpenVINO's.
        packed: the network's weights are quantized to 4 bits, for torch too; else full precision.
    """
    import openvino

    from pqcomq.backends import tiny_vit_graph
    from pqcomq.backends.graph_ops import ALL_WIDENED, Products
    from pqcomq.backends.layer_source import LayerSource

    arithmetic, network = Arithmetic.of(runtime), small_encoder()
    image = torch.rand(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))
    weights = _quantized(network, integers=arithmetic.eight_bit_inputs) if packed else {}
    expected, ranges = _with_ranges(network, image)  # (1, 256, side, side)
    source = LayerSource(network, weights, ranges)
    products = Products(arithmetic.eight_bit_inputs, ALL_WIDENED if arithmetic.widened else 0)
    compiled = request(openvino.Core(), tiny_vit_graph.encoder(source, products), arithmetic)
    found = answer(compiled, [image])
    return float((found - expected).square().mean().sqrt() / expected.square().mean().sqrt())


def _quantized(network: nn.Module, *, integers: bool) -> dict[str, QuantizedWeight]:
    """The network's layers rounded to 4 bits in place, and their codes."""
    settings = QuantizationConfig(bits=4, group_size=32, sweeps=0, feedback=False, search_clipping=False)
    if integers:
        settings = replace(settings, zero_point="symmetric", scales="multiples")
    weights = {}
    for name, layer in quantizable_layers(network).items():
        matrix = layer.weight.flatten(1)  # (n, m)
        weights[name] = quantize_matrix(matrix, torch.eye(matrix.shape[1]), settings, tuple(layer.weight.shape))
        layer.weight.copy_(weights[name].dequantize())
    return weights


def _with_ranges(network: nn.Module, image: Tensor) -> tuple[Tensor, dict[str, tuple[float, float]]]:
    """Torch's output, and the lowest and highest input of every layer."""
    ranges: dict[str, tuple[float, float]] = {}
    hooks = [
        layer.register_forward_pre_hook(
            lambda _layer, inputs, name=name: ranges.update(
                {name: (min(0.0, float(inputs[0].min())), float(inputs[0].max()))}
            )
        )
        for name, layer in quantizable_layers(network).items()
    ]
    output: Tensor = network(image)
    for hook in hooks:
        hook.remove()
    return output, ranges
