"""LiteMedSAM's image encoder as a graph, (1, 3, 256, 256) → (1, 256, 64, 64), and MobileSAM's, from 1024 × 1024.

The same function as their ``TinyViT.forward``, batch norms folded, with three differences that change
no value except by rounding: tokens stay channels last; the heads' queries, keys and values are rows sorted so that no
tensor needs splitting; and the padding of windows is one row that every window gathers, normalized once.
"""

from __future__ import annotations

import numpy as np
import openvino as ov
import torch
from openvino import opset13 as op

from pqcomq.backends.graph_ops import (
    Products,
    depthwise,
    image_of,
    layer_norm,
    looked_up,
    neck,
    reshaped,
    taken,
    through,
    tokens_of,
    transposed,
    unfolded,
)
from pqcomq.backends.layer_source import LayerSource
from pqcomq.backends.packed_constants import float_constant
from pqcomq.backends.window_partition import WindowsOfGraph


def encoder(source: LayerSource, products: Products) -> ov.Model:
    """Build the graph from the network's layers."""
    return TinyViTGraph(source, products).model()


class TinyViTGraph:
    """Builds the graph; one method for each kind of block."""

    def __init__(self, source: LayerSource, products: Products) -> None:
        self._source, self._products = source, products
        self._network = source.module
        self._windows = WindowsOfGraph()
        self._by_window: dict[int, ov.Node] = {}

    def model(self) -> ov.Model:
        """The whole encoder."""
        side = int(self._network.img_size)  # type: ignore[arg-type]
        image = op.parameter([1, 3, side, side], np.float32, name="image")
        x, side = self._embedded(image, side)  # (1, side², 64)
        for index, stage in enumerate(self._network.layers):  # type: ignore[arg-type]
            for number in range(len(stage.blocks)):
                block = f"layers.{index}.blocks.{number}"
                x = self._convolutional(x, block, side) if index == 0 else self._attentive(x, block, side)
            if stage.downsample is not None:
                x, side = self._merged(x, f"layers.{index}.downsample", side)
        return ov.Model([op.result(neck(x, self._source, self._products, side))], [image], "TinyViT")

    def _embedded(self, image: ov.Node, side: int) -> tuple[ov.Node, int]:
        """The first two convolutions: 1 × 1 in LiteMedSAM, 3 × 3 and halving the image in MobileSAM."""
        first, second = (self._source.layer(f"patch_embed.seq.{number}") for number in (0, 2))
        if tuple(first.weight.shape[2:]) == (1, 1):
            first, second = through(second, first)
            return self._products.linear(self._products.linear(tokens_of(image, 3), first, "gelu"), second), side
        half = op.gelu(self._products.halved(image, first), "erf")
        quarter = self._products.halved(half, second)
        return tokens_of(quarter, second.weight.shape[0]), side // 4

    def _convolutional(self, x: ov.Node, name: str, side: int) -> ov.Node:
        """MBConv: expansion, depthwise convolution, projection."""
        widen, look, narrow = (self._source.layer(f"{name}.conv{number}") for number in (1, 2, 3))
        widen, look, narrow = through(narrow, widen, look)
        wide = self._products.linear(x, widen, "gelu")
        channels = look.weight.shape[0]
        seen = tokens_of(op.gelu(depthwise(image_of(wide, side, side, channels), look, 1), "erf"), channels)
        return op.gelu(op.add(self._products.linear(seen, narrow), x), "erf")

    def _merged(self, x: ov.Node, name: str, side: int) -> tuple[ov.Node, int]:
        """PatchMerging: more channels, and where the depthwise convolution strides, a quarter of the tokens."""
        first, look, last = (self._source.layer(f"{name}.conv{number}") for number in (1, 2, 3))
        first, look, last = through(last, first, look)
        stride = int(self._network.get_submodule(f"{name}.conv2").stride[0])  # type: ignore[index]
        channels = look.weight.shape[0]
        x = image_of(self._products.linear(x, first, "gelu"), side, side, channels)
        x = tokens_of(op.gelu(depthwise(x, look, stride), "erf"), channels)
        return self._products.linear(x, last), side // stride

    def _attentive(self, x: ov.Node, name: str, side: int) -> ov.Node:
        """TinyViTBlock: attention within windows, a depthwise convolution, two linear layers."""
        x = op.add(x, self._attention(x, name, side))
        look = self._source.layer(f"{name}.local_conv")
        channels = look.weight.shape[0]
        x = tokens_of(depthwise(image_of(x, side, side, channels), look, 1), channels)
        first, second = through(self._source.layer(f"{name}.mlp.fc2"), self._source.layer(f"{name}.mlp.fc1"))
        hidden = self._products.linear(layer_norm(x, self._source, f"{name}.mlp.norm"), first, "gelu")
        return op.add(x, self._products.linear(hidden, second))

    def _attention(self, x: ov.Node, name: str, side: int) -> ov.Node:
        """Attention in square windows: (1, side², C) → (1, side², C)."""
        module = self._network.get_submodule(f"{name}.attn")
        window = int(self._network.get_submodule(name).window_size)  # type: ignore[arg-type]
        heads, head = int(module.num_heads), int(module.key_dim)  # type: ignore[arg-type]
        windows = self._windows.of(side, window)
        qkv = self._source.layer(f"{name}.attn.qkv")
        # TinyViT pads with zeros before its normalization, which turns them into the normalization's bias.
        padding = float_constant(self._source.tensor(f"{name}.attn.norm.bias").reshape(1, 1, -1))
        x = op.concat([layer_norm(x, self._source, f"{name}.attn.norm"), padding], 1)  # (1, side² + 1, C)
        x = taken(self._products.eight_bits(x, qkv), windows.places, 1)
        x = reshaped(x, windows.count, windows.tokens, heads * head)
        rows = torch.arange(3 * heads * head).view(heads, 3, head)
        query, key, value = (
            self._heads(self._products.linear(x, qkv.with_outputs(rows[:, part].flatten())), heads, head)
            for part in range(3)
        )
        table = self._source.tensor(f"{name}.attn.attention_biases")[None]  # (1, heads, distances)
        bias = looked_up(table, self._distances(name, window), -1)  # (1, heads, tokens, tokens)
        scores = op.multiply(op.matmul(query, key, False, True), float_constant(float(module.scale)))  # type: ignore[arg-type]
        mixed = op.matmul(op.softmax(op.add(scores, bias), -1), value, False, False)
        mixed = reshaped(transposed(mixed, 0, 2, 1, 3), 1, -1, heads * head)
        proj = self._source.layer(f"{name}.attn.proj")
        mixed = taken(self._products.eight_bits(mixed, proj), windows.back, 1)
        return self._products.linear(mixed, proj)

    def _distances(self, name: str, window: int) -> ov.Node:
        """(tokens, tokens): which of at most 196 distances lies between two tokens; one constant for all blocks."""
        if window not in self._by_window:
            distances = self._source.tensor(f"{name}.attn.attention_bias_idxs")
            self._by_window[window] = unfolded(op.convert(op.constant(distances.astype(np.uint8)), np.int32))
        return self._by_window[window]

    @staticmethod
    def _heads(x: ov.Node, heads: int, head: int) -> ov.Node:
        """(windows, tokens, heads · head) → (windows, heads, tokens, head)."""
        count, tokens, _ = (int(each) for each in x.get_output_shape(0))
        return transposed(reshaped(x, count, tokens, heads, head), 0, 2, 1, 3)
