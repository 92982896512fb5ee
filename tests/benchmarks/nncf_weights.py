"""What NNCF's weight compression makes of an encoder, read back as plain matrices."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from pqcomq.quantization.algorithm.gram import quantizable_layers


def nncf_results(
    encoder: nn.Module, images: list[torch.Tensor], bits: int, options: dict[str, object]
) -> tuple[dict[str, np.ndarray], float]:
    """Compress with OpenVINO's backend, the one with all data-aware options.

    Args:
        encoder: in full precision.
        images: (1, 3, side, side), for the data-aware options.
        bits: 4 or 8.
        options: passed on.

    Returns:
        Layer name → dequantized weight (n, m), and stored bits a weight over these layers: codes, scales and
        zero-points of the layers that it compressed, 32 bits for those that it left alone.
    """
    import nncf
    import openvino as ov
    from nncf.quantization.advanced_parameters import AdvancedCompressionParameters, GroupSizeFallbackMode

    model = ov.convert_model(encoder, example_input=images[0])
    if bits == 8:
        packed = nncf.compress_weights(model, mode=nncf.CompressWeightsMode.INT8_ASYM)
    else:
        packed = nncf.compress_weights(
            model,
            mode=nncf.CompressWeightsMode.INT4_ASYM,
            group_size=64,
            all_layers=True,
            dataset=nncf.Dataset([image.numpy() for image in images]),
            advanced_parameters=AdvancedCompressionParameters(group_size_fallback_mode=GroupSizeFallbackMode.ADJUST),
            **options,
        )
    products = {
        op.get_friendly_name(): op for op in packed.get_ops() if op.get_type_name() in ("MatMul", "Convolution")
    }
    weights: dict[str, np.ndarray] = {}
    stored = count = 0
    for name, layer in quantizable_layers(encoder).items():
        found = [op for title, op in products.items() if title.startswith(f"__module.{name}/")]
        if len(found) != 1:
            raise RuntimeError(f"{name}: {len(found)} products in NNCF's model")
        source = found[0].input_value(1)
        stored += _stored_bits(source)
        count += layer.weight.numel()
        folded = ov.Core().compile_model(ov.Model([source], []), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        value = folded([])[0].reshape(-1, np.prod(folded.output(0).shape[1:], dtype=int))
        weights[name] = value.reshape(layer.weight.shape[0], -1).astype(np.float32)
    return weights, stored / count


def _stored_bits(output: object) -> int:
    """Bits of all constants behind an output but shapes and axes."""
    node = output.get_node()
    if node.get_type_name() == "Constant":
        kind = node.get_element_type()
        return (
            0
            if kind.get_type_name() in ("i64", "i32")
            else int(np.prod(node.get_output_shape(0))) * kind.get_bitwidth()
        )
    return sum(_stored_bits(each.get_source_output()) for each in node.inputs())
