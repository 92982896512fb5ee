"""SAM's mask decoder as a graph: features of a slice and tokens of prompts → one mask's logits a prompt.

The same function as ``MaskDecoder.forward`` with ``multimask_output=False``, which both models share. What does not
reach that one mask (three other masks, the estimate of quality) is left out, and the mask is put together from its four
times four sub-pixels at the very end, when it has one channel instead of 32.
"""

from __future__ import annotations

import numpy as np
import openvino as ov
import torch
from openvino import opset13 as op

from pqcomq.backends.graph_ops import (
    Products,
    layer_norm,
    reshaped,
    through,
    transposed,
)
from pqcomq.backends.layer_source import Layer, LayerSource
from pqcomq.backends.packed_constants import float_constant

BOX_TOKENS = 7
"""One for quality, four for masks, two for the corners of the box."""
ANY_TOKENS = -1
"""Points bring one more each, a scribble none."""


def decoder(
    source: LayerSource, products: Products, position: torch.Tensor, no_mask: torch.Tensor, tokens: int = BOX_TOKENS
) -> ov.Model:
    """Build the graph.

    Args:
        source: the decoder's layers.
        products: how they are computed.
        position: (1, C, h, w), the image's positional encoding.
        no_mask: (C,), what the prompt encoder adds to the features when no mask is given; zeros where one always is.
        tokens: N, in all; :data:`ANY_TOKENS` for a model that takes points or scribbles.

    Returns:
        Inputs ``features`` (1, C, h, w) and ``tokens`` (B, N, C); output (B, 1, 4 h, 4 w).
    """
    return MaskDecoderGraph(source, products).model(position, no_mask, tokens)


class MaskDecoderGraph:
    """Builds the graph; one method for each kind of block."""

    def __init__(self, source: LayerSource, products: Products) -> None:
        self._source, self._products = source, products

    def model(self, position: torch.Tensor, no_mask: torch.Tensor, count: int) -> ov.Model:
        """The whole decoder."""
        _, channels, height, width = position.shape
        features = op.parameter([1, channels, height, width], np.float32, name="features")
        tokens = op.parameter([-1, count, channels], np.float32, name="tokens")
        places = float_constant(position.flatten(2).transpose(1, 2).numpy())  # (1, h·w, C)
        image = reshaped(transposed(features, 0, 2, 3, 1), 1, height * width, channels)
        image = op.add(image, float_constant(no_mask.view(1, 1, -1).numpy()))
        asked: ov.Node = tokens
        blocks = len(self._source.module.get_submodule("transformer.layers"))  # type: ignore[arg-type]
        for number in range(blocks):
            asked, image = self._two_way(asked, image, tokens, places, f"transformer.layers.{number}", number == 0)
        seen = self._attention(
            op.add(asked, tokens), op.add(image, places), image, "transformer.final_attn_token_to_image"
        )
        asked = layer_norm(op.add(asked, seen), self._source, "transformer.norm_final_attn")
        logits = self._mask(asked, image, height, width)
        return ov.Model([op.result(logits)], [features, tokens], "MaskDecoder")

    def _two_way(
        self, asked: ov.Node, image: ov.Node, tokens: ov.Node, places: ov.Node, name: str, first: bool
    ) -> tuple[ov.Node, ov.Node]:
        """Self-attention of the tokens, attention of tokens to the image, then of the image to the tokens."""
        if first:
            asked = self._attention(asked, asked, asked, f"{name}.self_attn")
        else:
            placed = op.add(asked, tokens)
            asked = op.add(asked, self._attention(placed, placed, asked, f"{name}.self_attn"))
        asked = layer_norm(asked, self._source, f"{name}.norm1")
        placed_image = op.add(image, places)
        seen = self._attention(op.add(asked, tokens), placed_image, image, f"{name}.cross_attn_token_to_image")
        asked = layer_norm(op.add(asked, seen), self._source, f"{name}.norm2")
        into, out = through(self._source.layer(f"{name}.mlp.lin2"), self._source.layer(f"{name}.mlp.lin1"))
        hidden = self._products.linear(self._products.linear(asked, into, "relu"), out)
        asked = layer_norm(op.add(asked, hidden), self._source, f"{name}.norm3")
        update = self._attention(placed_image, op.add(asked, tokens), asked, f"{name}.cross_attn_image_to_token")
        return asked, layer_norm(op.add(image, update), self._source, f"{name}.norm4")

    def _attention(self, queries: ov.Node, keys: ov.Node, values: ov.Node, name: str) -> ov.Node:
        """Attention of several heads, each projected: (B, N, C), (B, M, C), (B, M, C) → (B, N, C)."""
        module = self._source.module.get_submodule(name)
        heads, inner = int(module.num_heads), int(module.internal_dim)  # type: ignore[arg-type]
        head = inner // heads
        query, key, value = (
            self._heads(self._products.linear(x, self._source.layer(f"{name}.{part}_proj")), heads, head)
            for x, part in ((queries, "q"), (keys, "k"), (values, "v"))
        )
        scores = op.multiply(op.matmul(query, key, False, True), float_constant(head**-0.5))
        mixed = op.matmul(op.softmax(scores, -1), value, False, False)
        merged = op.reshape(transposed(mixed, 0, 2, 1, 3), op.constant(np.array([0, 0, inner])), special_zero=True)
        return self._products.linear(merged, self._source.layer(f"{name}.out_proj"))

    @staticmethod
    def _heads(x: ov.Node, heads: int, head: int) -> ov.Node:
        """(B, N, heads · head) → (B, heads, N, head)."""
        return transposed(op.reshape(x, op.constant(np.array([0, 0, heads, head])), special_zero=True), 0, 2, 1, 3)

    def _mask(self, asked: ov.Node, image: ov.Node, height: int, width: int) -> ov.Node:
        """Each place of the image as 4 × 4 sub-pixels of a mask's logits: (B, 1, 4 h, 4 w)."""
        fine = self._doubled(image, "output_upscaling.0")  # (B, h·w·4, C / 4)
        fine = op.gelu(layer_norm(fine, self._source, "output_upscaling.1"), "erf")
        fine = op.gelu(self._doubled(fine, "output_upscaling.3"), "erf")  # (B, h·w·16, C / 8)
        mask_token = op.slice(asked, *(op.constant(np.array([at])) for at in (1, 2, 1, 1)))  # (B, 1, C)
        for number in range(3):
            layer = self._source.layer(f"output_hypernetworks_mlps.0.layers.{number}")
            mask_token = self._products.linear(mask_token, layer, "relu" if number < 2 else "none")
        logits = op.matmul(mask_token, fine, False, True)  # (B, 1, h·w·16)
        parts = op.reshape(logits, op.constant(np.array([-1, height, width, 2, 2, 2, 2])), special_zero=False)
        # rows: place, first doubling, second doubling; columns the same
        woven = transposed(parts, 0, 1, 3, 5, 2, 4, 6)
        return op.reshape(woven, op.constant(np.array([-1, 1, 4 * height, 4 * width])), special_zero=False)

    def _doubled(self, x: ov.Node, name: str) -> ov.Node:
        """A transposed 2 × 2 convolution of stride 2, its results tokens of their own: (B, N, C) → (B, 4 N, c)."""
        kernel = self._source.weight(name)  # (C, c, 2, 2)
        channels = kernel.shape[1]
        matrix = kernel.permute(2, 3, 1, 0).reshape(4 * channels, -1)  # rows: sub-pixel row, sub-pixel column, c
        bias = torch.from_numpy(self._source.tensor(f"{name}.bias")).repeat(4)
        four = self._products.linear(x, Layer(matrix, bias))
        return op.reshape(four, op.constant(np.array([0, -1, channels])), special_zero=True)
