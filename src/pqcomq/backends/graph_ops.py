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

from pqcomq.backends.layer_source import Layer, LayerSource
from pqcomq.backends.packed_constants import (
    can_stay_packed,
    float_constant,
    integers,
    packed,
    widened,
)
from pqcomq.quantization.algorithm.quantized_weight import QuantizedWeight

Activation = Literal["none", "gelu", "relu"]

_LEVELS = 256

ALL_WIDENED = 2**62
"""As :attr:`Products.least_packed`: no matrix stays packed."""

_STRIPS = 2
"""Parts in which a packed convolution gathers neighbourhoods: 64² tokens of 256 channels take 38 MB at once."""


def reshaped(x: ov.Node, *shape: int) -> ov.Node:
    """``x`` in another shape."""
    return op.reshape(x, op.constant(np.array(shape, dtype=np.int64)), special_zero=False)


def transposed(x: ov.Node, *axes: int) -> ov.Node:
    """``x`` with its axes in another order."""
    return op.transpose(x, op.constant(np.array(axes, dtype=np.int64)))


def taken(x: ov.Node, indices: np.ndarray | ov.Node, axis: int) -> ov.Node:
    """Rows of ``x`` along an axis."""
    if isinstance(indices, np.ndarray):
        indices = op.constant(np.ascontiguousarray(indices, dtype=np.int32))
    return op.gather(x, indices, op.constant(np.int64(axis)))


def part_of(x: ov.Node, axis: int, start: int, count: int) -> ov.Node:
    """``count`` neighbouring entries of ``x`` along an axis."""
    return op.slice(x, *(op.constant(np.array([at], dtype=np.int64)) for at in (start, start + count, 1, axis)))


def looked_up(table: np.ndarray, places: ov.Node, axis: int) -> ov.Node:
    """Entries of a table along an axis, looked up in every pass, so that the table is kept and not what comes out."""
    return unfolded(op.gather(float_constant(table), places, op.constant(np.int64(axis))))


def unfolded(node: ov.Node) -> ov.Node:
    """``node``, computed in every pass though nothing but constants goes into it: they take less memory."""
    node.get_rt_info()["DisableConstantFolding_0"] = True
    return node


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
        least_packed: number of weights from which on a matrix stays packed; a smaller one is widened when the graph is
            built, and its permutation undone.
    """

    eight_bit_inputs: bool = False
    least_packed: int = 0

    def linear(self, x: ov.Node, layer: Layer, activation: Activation = "none") -> ov.Node:
        """``activation(x Wᵀ + b)`` for tokens (…, m) → (…, n)."""
        weight, whole = layer.weight, self._integers(layer)
        if whole is not None:
            x, matrix = self.eight_bits(x, layer), reshaped(whole, *layer.flat_shape)
        elif isinstance(weight, QuantizedWeight) and self._stays_packed(weight):
            if layer.permutation is not None:
                x = taken(x, layer.permutation.numpy(), -1)
            matrix = packed(weight)
        else:
            matrix = float_constant(layer.matrix().numpy())
        y = op.matmul(x, matrix, False, True)
        if layer.bias is not None:
            y = op.add(y, float_constant(layer.bias.numpy()))
        return activated(y, activation)

    def _stays_packed(self, weight: QuantizedWeight) -> bool:
        return can_stay_packed(weight) and weight.rows * weight.columns >= self.least_packed

    def eight_bits(self, x: ov.Node, layer: Layer) -> ov.Node:
        """``x`` rounded to the 256 levels of the layer's input range, if the layer computes with integers.

        Doing so twice changes nothing; doing so early lets what comes before the product move bytes instead of floats.
        """
        if not self.eight_bit_inputs or layer.input_range is None or layer.whole_numbers is None:
            return x
        low, high = (float_constant(end) for end in layer.input_range)
        return op.fake_quantize(x, low, high, low, high, _LEVELS)

    def _integers(self, layer: Layer) -> ov.Node | None:
        numbers = layer.whole_numbers if self.eight_bit_inputs else None
        return None if numbers is None else integers(*numbers, layer.weight.shape)

    def convolution(self, x: ov.Node, layer: Layer, side: int) -> ov.Node:
        """A dense 3 × 3 convolution padded by 1, no activation: tokens (1, side², C) → (1, side², n)."""
        outputs, channels = layer.weight.shape[:2]
        kernel = self._integers(layer)
        if kernel is None and isinstance(layer.weight, QuantizedWeight) and self._stays_packed(layer.weight):
            return self._packed_convolution(x, layer, side)
        image, pads = image_of(self.eight_bits(x, layer), side, side, channels), [1, 1]
        y = op.convolution(image, kernel or widened(layer.weight), [1, 1], pads, pads, [1, 1])
        if layer.bias is not None:
            y = op.add(y, float_constant(layer.bias.view(1, -1, 1, 1).numpy()))
        return tokens_of(y, outputs)

    def halved(self, image: ov.Node, layer: Layer) -> ov.Node:
        """A dense 3 × 3 convolution of stride 2, padded by 1: (1, C, H, W) → (1, n, H / 2, W / 2).

        Its few weights are widened when the graph is built.
        """
        image, pads = self.eight_bits(image, layer), [1, 1]
        y = op.convolution(image, self._integers(layer) or widened(layer.weight), [2, 2], pads, pads, [1, 1])
        return y if layer.bias is None else op.add(y, float_constant(layer.bias.view(1, -1, 1, 1).numpy()))

    def _packed_convolution(self, x: ov.Node, layer: Layer, side: int) -> ov.Node:
        """The same as a product, since only products have kernels for packed weights.

        Every token's neighbours are concatenated in the order of the stored columns; strip by strip, as they take
        nine times the memory of the tokens.
        """
        outputs, channels = layer.weight.shape[:2]
        columns = np.arange(9 * channels) if layer.permutation is None else layer.permutation.numpy()
        # A column is channel · 9 + tap, in a neighbourhood it is tap · C + channel.
        order = columns % 9 * channels + columns // 9
        matrix = packed(layer.weight)  # type: ignore[arg-type]
        ends = op.constant(np.array([0, 1, 1, 0]))
        grid = op.pad(reshaped(x, 1, side, side, channels), ends, ends, "constant")
        strips = []
        for rows in np.array_split(np.arange(side), _STRIPS):
            taps = [
                part_of(part_of(grid, 1, int(rows[0]) + down, len(rows)), 2, right, side)
                for down in range(3)
                for right in range(3)
            ]
            around = reshaped(op.concat(taps, 3), 1, len(rows) * side, 9 * channels)
            strips.append(op.matmul(taken(around, order, -1), matrix, False, True))
        y = reshaped(op.concat(strips, 1), 1, side * side, outputs)
        return y if layer.bias is None else op.add(y, float_constant(layer.bias.numpy()))


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


def neck(x: ov.Node, source: LayerSource, products: Products, side: int) -> ov.Node:
    """The end of every encoder: two convolutions, each normalized over its channels, from tokens to an image."""
    x = layer_norm(products.linear(x, source.layer("neck.0")), source, "neck.1")
    x = layer_norm(products.convolution(x, source.layer("neck.2"), side), source, "neck.3")
    return image_of(x, side, side, 256)
