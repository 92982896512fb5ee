"""MedSAM's image encoder (segment-anything's ViT) as a graph: (1, 3, side, side) → (1, 256, side / 16, side / 16).

The same function as ``ImageEncoderViT.forward``. Relative positions enter as two small products of queries with tables,
as published; the patch embedding is a product of flattened patches; queries, keys and values are products of their own.
"""

from __future__ import annotations

import numpy as np
import openvino as ov
import torch
from openvino import opset13 as op

from pqcomq.runtimes.layers import LayerSource
from pqcomq.runtimes.operations import (
    Products,
    float_constant,
    image_of,
    layer_norm,
    reshaped,
    taken,
    through,
    tokens_of,
    transposed,
)
from pqcomq.runtimes.tiny_vit import windows_of


def encoder(source: LayerSource, products: Products) -> ov.Model:
    """Build the graph from the network's layers."""
    return SamViTGraph(source, products).model()


class SamViTGraph:
    """Builds the graph; one method for each kind of block."""

    def __init__(self, source: LayerSource, products: Products) -> None:
        self._source, self._products = source, products
        self._network = source.module

    def model(self) -> ov.Model:
        """The whole encoder."""
        pixels = int(self._network.img_size)  # type: ignore[arg-type]
        patch = int(self._network.get_submodule("patch_embed.proj").kernel_size[0])  # type: ignore[index]
        side = pixels // patch
        image = op.parameter([1, 3, pixels, pixels], np.float32, name="image")
        cut = transposed(reshaped(image, 3, side, patch, side, patch), 1, 3, 0, 2, 4)  # (side, side, 3, patch, patch)
        embed = self._source.layer("patch_embed.proj")
        x = self._products.linear(reshaped(cut, 1, side * side, 3 * patch * patch), embed)
        x = op.add(x, float_constant(self._source.tensor("pos_embed").reshape(1, side * side, -1)))
        for number in range(len(self._network.blocks)):  # type: ignore[arg-type]
            x = self._block(x, f"blocks.{number}", side)
        return ov.Model([op.result(self._neck(x, side))], [image], "SamViT")

    def _block(self, x: ov.Node, name: str, side: int) -> ov.Node:
        """Attention, then two linear layers, each added to what came in."""
        x = op.add(x, self._attention(x, name, side))
        first, second = through(self._source.layer(f"{name}.mlp.lin2"), self._source.layer(f"{name}.mlp.lin1"))
        hidden = self._products.linear(layer_norm(x, self._source, f"{name}.norm2"), first, "gelu")
        return op.add(x, self._products.linear(hidden, second))

    def _attention(self, x: ov.Node, name: str, side: int) -> ov.Node:
        """Attention in windows, or over the whole image where the block has none: (1, side², C) → (1, side², C)."""
        qkv, proj = self._source.layer(f"{name}.attn.qkv"), self._source.layer(f"{name}.attn.proj")
        channels = qkv.weight.shape[1]
        window = int(self._network.get_submodule(name).window_size)  # type: ignore[arg-type]
        x = layer_norm(x, self._source, f"{name}.norm1")
        if window == 0:
            mixed = self._mixed(self._products.eight_bits(x, qkv), name, side)
            return self._products.linear(mixed, proj)
        places, back = windows_of(side, window)
        # Windows are padded after the normalization here, so with zeros.
        x = op.concat([x, float_constant(np.zeros((1, 1, channels)))], 1)  # (1, side² + 1, C)
        x = taken(self._products.eight_bits(x, qkv), places.reshape(-1), 1)
        mixed = self._mixed(reshaped(x, len(places), window * window, channels), name, window)
        mixed = self._products.eight_bits(reshaped(mixed, 1, -1, channels), proj)
        return self._products.linear(taken(mixed, back, 1), proj)

    def _mixed(self, x: ov.Node, name: str, side: int) -> ov.Node:
        """Softmax attention of all heads before the last projection: (B, side², C) → (B, side², C)."""
        module = self._network.get_submodule(f"{name}.attn")
        qkv = self._source.layer(f"{name}.attn.qkv")
        count, tokens, channels = (int(each) for each in x.get_output_shape(0))
        heads = int(module.num_heads)  # type: ignore[arg-type]
        head = channels // heads
        query, key, value = (
            transposed(
                reshaped(
                    self._products.linear(x, qkv.with_outputs(torch.arange(part * channels, (part + 1) * channels))),
                    count,
                    tokens,
                    heads,
                    head,
                ),
                0,
                2,
                1,
                3,
            )
            for part in range(3)
        )  # (B, heads, side², head)
        scores = op.multiply(op.matmul(query, key, False, True), float_constant(float(module.scale)))  # type: ignore[arg-type]
        scores = op.add(scores, self._relative(query, name, side, count, heads))
        mixed = op.matmul(op.softmax(scores, -1), value, False, False)
        return reshaped(transposed(mixed, 0, 2, 1, 3), count, tokens, channels)

    def _relative(self, query: ov.Node, name: str, side: int, count: int, heads: int) -> ov.Node:
        """What each query adds for the distance in rows and in columns: (B, heads, side², side²)."""
        head = int(query.get_output_shape(0)[-1])
        distance = np.arange(side)[:, None] - np.arange(side)[None, :] + side - 1  # (side, side)
        rows, columns = (
            self._source.tensor(f"{name}.attn.rel_pos_{axis}")[distance] for axis in ("h", "w")
        )  # (side queries, side keys, head)
        grid = reshaped(query, count * heads, side, side, head)
        by_row = op.matmul(grid, float_constant(rows.transpose(0, 2, 1)), False, False)  # (…, row, column, key row)
        turned = transposed(grid, 0, 2, 1, 3)
        by_column = transposed(op.matmul(turned, float_constant(columns.transpose(0, 2, 1)), False, False), 0, 2, 1, 3)
        both = op.add(
            reshaped(by_row, count, heads, side * side, side, 1),
            reshaped(by_column, count, heads, side * side, 1, side),
        )
        return reshaped(both, count, heads, side * side, side * side)

    def _neck(self, x: ov.Node, side: int) -> ov.Node:
        """Two convolutions, each normalized over its channels."""
        x = self._products.linear(x, self._source.layer("neck.0"))
        x = layer_norm(x, self._source, "neck.1")
        x = self._products.convolution(image_of(x, side, side, 256), self._source.layer("neck.2"), padding=1)
        x = layer_norm(tokens_of(x, 256), self._source, "neck.3")
        return image_of(x, side, side, 256)
