"""MedSAM's image encoder (segment-anything's ViT) as a graph: (1, 3, side, side) → (1, 256, side / 16, side / 16).

The same function as ``ImageEncoderViT.forward``. Relative positions enter as two small products of queries with tables,
as published; the patch embedding is a product of flattened patches; queries, keys and values are products of their own.
"""

from __future__ import annotations

import numpy as np
import openvino as ov
import torch
from openvino import opset13 as op

from pqcomq.backends.graph_ops import (
    Products,
    layer_norm,
    looked_up,
    neck,
    part_of,
    reshaped,
    taken,
    through,
    transposed,
)
from pqcomq.backends.layer_source import LayerSource
from pqcomq.backends.packed_constants import float_constant
from pqcomq.backends.window_partition import WindowsOfGraph

_MOST_SCORES = 2**24
"""Scores, of all heads and windows together, that are held in memory at once: 64 MiB in float32."""

_STRIP = 512
"""Queries that look at the whole image at once where scores are more than that."""


def encoder(source: LayerSource, products: Products) -> ov.Model:
    """Build the graph from the network's layers; its inputs are the image, and the position embedding (1, side², C).

    As a constant the position embedding would be held in float32, a fifth of what the layers take at 4 bits.
    """
    return SamViTGraph(source, products).model()


class SamViTGraph:
    """Builds the graph; one method for each kind of block."""

    def __init__(self, source: LayerSource, products: Products) -> None:
        self._source, self._products = source, products
        self._network, self._windows = source.module, WindowsOfGraph()

    def model(self) -> ov.Model:
        """The whole encoder."""
        pixels = int(self._network.img_size)  # type: ignore[arg-type]
        patch = int(self._network.get_submodule("patch_embed.proj").kernel_size[0])  # type: ignore[index]
        side = pixels // patch
        image = op.parameter([1, 3, pixels, pixels], np.float32, name="image")
        cut = transposed(reshaped(image, 3, side, patch, side, patch), 1, 3, 0, 2, 4)  # (side, side, 3, patch, patch)
        embed = self._source.layer("patch_embed.proj")
        x = self._products.linear(reshaped(cut, 1, side * side, 3 * patch * patch), embed)
        positions = op.parameter([1, side * side, embed.flat_shape[0]], np.float32, name="positions")
        x = op.add(x, positions)
        for number in range(len(self._network.blocks)):  # type: ignore[arg-type]
            x = self._block(x, f"blocks.{number}", side)
        return ov.Model([op.result(neck(x, self._source, self._products, side))], [image, positions], "SamViT")

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
        windows = self._windows.of(side, window)
        # Windows are padded after the normalization here, so with zeros.
        x = op.concat([x, float_constant(np.zeros((1, 1, channels)))], 1)  # (1, side² + 1, C)
        x = taken(self._products.eight_bits(x, qkv), windows.places, 1)
        mixed = self._mixed(reshaped(x, windows.count, windows.tokens, channels), name, window)
        mixed = self._products.eight_bits(reshaped(mixed, 1, -1, channels), proj)
        return self._products.linear(taken(mixed, windows.back, 1), proj)

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
        by_row, by_column = self._relative(query, name, side)  # (B, heads, side², side) each
        query = op.multiply(query, float_constant(float(module.scale)))  # type: ignore[arg-type]
        mixed = _mixed_values(query, key, value, by_row, by_column)
        return reshaped(transposed(mixed, 0, 2, 1, 3), count, tokens, channels)

    def _relative(self, query: ov.Node, name: str, side: int) -> tuple[ov.Node, ov.Node]:
        """What each query adds for the distance in rows, and in columns: two of (B, heads, side², side)."""
        count, heads, _, head = (int(each) for each in query.get_output_shape(0))
        distance = np.arange(side)[:, None] - np.arange(side)[None, :] + side - 1  # (side, side)
        places = op.constant(distance.astype(np.int32))
        rows, columns = (
            looked_up(self._source.tensor(f"{name}.attn.rel_pos_{axis}"), places, 0) for axis in ("h", "w")
        )  # (side queries, side keys, head)
        grid = reshaped(query, count * heads, side, side, head)
        by_row = op.matmul(grid, rows, False, True)  # (…, row, column, key row)
        turned = transposed(grid, 0, 2, 1, 3)
        by_column = transposed(op.matmul(turned, columns, False, True), 0, 2, 1, 3)
        one, other = (reshaped(each, count, heads, side * side, side) for each in (by_row, by_column))
        return one, other


def _mixed_values(query: ov.Node, key: ov.Node, value: ov.Node, by_row: ov.Node, by_column: ov.Node) -> ov.Node:
    """Attention of all heads: head by head and in strips of queries where the scores would fill the memory.

    Over a whole image of 64² tokens the scores of one block take 805 MB, and so does what is added to them.

    Args:
        query: (B, heads, N, head), scaled.
        key: (B, heads, side², head).
        value: the same.
        by_row: (B, heads, N, side), added to the score of every key in a row.
        by_column: (B, heads, N, side), and in a column.

    Returns:
        (B, heads, N, head).
    """
    count, heads, queries, _ = (int(each) for each in query.get_output_shape(0))
    tokens = int(key.get_output_shape(0)[2])
    if count * heads * queries * tokens <= _MOST_SCORES:
        return _attended(query, key, value, by_row, by_column)
    of_heads = []
    for head in range(heads):
        asking = [part_of(each, 1, head, 1) for each in (query, by_row, by_column)]
        keys, values = (part_of(each, 1, head, 1) for each in (key, value))
        strips = []
        for start in range(0, queries, _STRIP):
            some, rows, columns = (part_of(each, 2, start, min(_STRIP, queries - start)) for each in asking)
            strips.append(_attended(some, keys, values, rows, columns))
        of_heads.append(op.concat(strips, 2))
    return op.concat(of_heads, 1)


def _attended(query: ov.Node, key: ov.Node, value: ov.Node, by_row: ov.Node, by_column: ov.Node) -> ov.Node:
    """Softmax attention with relative positions; shapes as in :func:`_mixed_values`."""
    count, heads, queries, side = (int(each) for each in by_row.get_output_shape(0))
    relative = op.add(
        reshaped(by_row, count, heads, queries, side, 1), reshaped(by_column, count, heads, queries, 1, side)
    )
    relative = reshaped(relative, count, heads, queries, side * side)
    scores = op.add(op.matmul(query, key, False, True), relative)
    return op.matmul(op.softmax(scores, -1), value, False, False)
