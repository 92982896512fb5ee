"""What the networks are made of, as nodes of an OpenVINO graph.

Activations are tokens, channels last: (N, C) or (B, N, C). 1 × 1 convolutions are products with a matrix there, and so
have the same compressed kernels as linear layers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import openvino as ov
from openvino import opset13 as op

from pqcomq.quantization.quantized_weight import QuantizedWeight
from pqcomq.runtimes.constants import (
    can_stay_packed,
    float_constant,
    integers,
    packed,
    widened,
)
from pqcomq.runtimes.layers import Layer, LayerSource

Activation = Literal["none", "gelu", "relu"]

_LEVELS = 256


def reshaped(x: ov.Node, *shape: int) -> ov.Node:
    """``x`` in another shape."""
    return op.reshape(x, op.constant(np.array(shape, dtype=np.int64)), special_zero=False)


def transposed(x: ov.Node, *axes: int) -> ov.Node:
    """``x`` with its axes in another order."""
    return op.transpose(x, op.constant(np.array(axes, dtype=np.int64)))


def taken(x: ov.Node, indices: np.ndarray, axis: int) -> ov.Node:
    """Rows of ``x`` along an axis."""
    return op.gather(x, op.constant(np.ascontiguousarray(indices, dtype=np.int32)), op.constant(np.int64(axis)))


def activated(x: ov.Node, activation: Activation) -> ov.Node:
    """An activation as torch computes it: GELU by the error function."""
    match activation:
        case "gelu":
            return op.gelu(x, "erf")
        case "relu":
            return op.relu(x)
        case _:
            return x


def layer_norm(x: ov.Node, source: LayerSource, name: str) -> ov.Node:
    """Normalization over the last axis."""
    last = op.constant(np.array([-1], dtype=np.int64))
    normal = op.mvn(x, last, True, source.number(f"{name}.eps"), "inside_sqrt")
    scaled = op.multiply(normal, float_constant(source.tensor(f"{name}.weight")))
    return op.add(scaled, float_constant(source.tensor(f"{name}.bias")))


@dataclass(frozen=True)
class Products:
    """How products with weights are computed.

    Attributes:
        eight_bit_inputs: quantize the inputs of quantized layers to 8 bits over their calibrated range and multiply
            integers, where the weight allows it.
    """

    eight_bit_inputs: bool = False

    def linear(self, x: ov.Node, layer: Layer, activation: Activation = "none") -> ov.Node:
        """``activation(x Wᵀ + b)`` for tokens (…, m) → (…, n)."""
        weight, whole = layer.weight, self._integers(layer)
        if whole is not None:
            x, matrix = self.eight_bits(x, layer), reshaped(whole, *layer.flat_shape)
        elif isinstance(weight, QuantizedWeight) and can_stay_packed(weight):
            if layer.permutation is not None:
                x = taken(x, layer.permutation.numpy(), -1)
            matrix = packed(weight)
        else:
            matrix = float_constant(layer.matrix().numpy())
        y = op.matmul(x, matrix, False, True)
        if layer.bias is not None:
            y = op.add(y, float_constant(layer.bias.numpy()))
        return activated(y, activation)

    def eight_bits(self, x: ov.Node, layer: Layer) -> ov.Node:
        """``x`` rounded to the 256 levels of the layer's input range, if the layer computes with integers.

        Doing so twice changes nothing; doing so early lets what comes before the product move bytes instead of floats.
        """
        if layer.input_range is None or self._integers(layer) is None:
            return x
        low, high = (float_constant(end) for end in layer.input_range)
        return op.fake_quantize(x, low, high, low, high, _LEVELS)

    def _integers(self, layer: Layer) -> ov.Node | None:
        if not self.eight_bit_inputs or layer.input_range is None or not isinstance(layer.weight, QuantizedWeight):
            return None
        return integers(layer.weight)

    def convolution(self, x: ov.Node, layer: Layer, padding: int) -> ov.Node:
        """A dense convolution with stride 1, no activation: (1, C, H, W) → (1, n, H, W)."""
        kernel = self._integers(layer) or widened(layer.weight)
        pads = [padding, padding]
        y = op.convolution(self.eight_bits(x, layer), kernel, [1, 1], pads, pads, [1, 1])
        return y if layer.bias is None else op.add(y, float_constant(layer.bias.view(1, -1, 1, 1).numpy()))


def depthwise(x: ov.Node, layer: Layer, stride: int) -> ov.Node:
    """A 3 × 3 convolution of each channel by itself, padded by 1: (1, C, H, W) → (1, C, H', W')."""
    kernel = float_constant(layer.weight.unsqueeze(1).numpy())  # type: ignore[union-attr]  # (C, 1, 1, 3, 3)
    y = op.group_convolution(x, kernel, [stride, stride], [1, 1], [1, 1], [1, 1])
    return y if layer.bias is None else op.add(y, float_constant(layer.bias.view(1, -1, 1, 1).numpy()))


def through(order_of: Layer, *before: Layer) -> tuple[Layer, ...]:
    """Fold a layer's permutation of its inputs into the order of the outputs before it: then it costs nothing.

    Args:
        order_of: the layer whose permutation is folded.
        before: the layers that its inputs come from, with nothing but channel-wise operations in between.

    Returns:
        The layers before it and then itself, all in its stored order.
    """
    if order_of.permutation is None:
        return (*before, order_of)
    return (*(layer.with_outputs(order_of.permutation) for layer in before), order_of.in_stored_order())


def image_of(tokens: ov.Node, height: int, width: int, channels: int) -> ov.Node:
    """Tokens (1, H·W, C) as an image (1, C, H, W)."""
    return transposed(reshaped(tokens, 1, height, width, channels), 0, 3, 1, 2)


def tokens_of(image: ov.Node, channels: int) -> ov.Node:
    """An image (1, C, H, W) as tokens (1, H·W, C)."""
    return reshaped(transposed(image, 0, 2, 3, 1), 1, -1, channels)
