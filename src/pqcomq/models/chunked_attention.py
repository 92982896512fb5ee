"""segment-anything's attention, a few heads at a time.

Over a whole image of 64 × 64 tokens the scores of ViT-B's 12 heads take 805 MB, several times over while they are
computed, and the authors' code keeps them until the last layer of the attention has run. Quantizing halts there with
two passes a calibration slice: 8 slices took 19 GB. The arithmetic of each head is the authors'.
"""

from __future__ import annotations

import torch
from segment_anything.modeling.image_encoder import Attention, add_decomposed_rel_pos
from torch import Tensor, nn

_MOST_SCORES = 2**24
"""Attention scores at once: one head over a whole image, all heads of all windows."""


class LeanAttention(Attention):  # type: ignore[misc]  # segment_anything comes without types
    """The same weights, the same result."""

    def forward(self, x: Tensor) -> Tensor:
        """(B, H, W, C) → (B, H, W, C)."""
        # What was needed for the scores is gone before the last layer runs.
        attended: Tensor = self.proj(self._attended(x))
        return attended

    def _attended(self, x: Tensor) -> Tensor:
        """What the heads have gathered, side by side: (B, H, W, C)."""
        batch, height, width, _channels = x.shape
        tokens = height * width
        qkv = self.qkv(x).reshape(batch, tokens, 3, self.num_heads, -1).permute(2, 0, 3, 1, 4)
        q, k, v = qkv.reshape(3, batch * self.num_heads, tokens, -1).unbind(0)  # (B heads, H W, d) each
        at_once = max(_MOST_SCORES // tokens**2, 1)
        parts = []
        for some_q, some_k, some_v in zip(q.split(at_once), k.split(at_once), v.split(at_once), strict=True):
            scores = (some_q * self.scale) @ some_k.transpose(-2, -1)  # (heads, H W, H W)
            if self.use_rel_pos:
                size = (height, width)
                scores = add_decomposed_rel_pos(scores, some_q, self.rel_pos_h, self.rel_pos_w, size, size)
            parts.append(scores.softmax(dim=-1) @ some_v)  # (heads, H W, d)
        gathered = torch.cat(parts).view(batch, self.num_heads, height, width, -1)
        return gathered.permute(0, 2, 3, 1, 4).reshape(batch, height, width, -1)


def make_lean(network: nn.Module) -> None:
    """Let every attention of a segment-anything image encoder compute so, in place; weights and names stay."""
    for module in network.modules():
        if type(module) is Attention:
            module.__class__ = LeanAttention
