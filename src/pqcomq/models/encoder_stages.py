"""An image encoder as a chain of stages, so that one of them can be run without the rest."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class _Placed(nn.Module):
    """SAM's patch embedding with its absolute position embedding: (N, 3, S, S) → (N, rows, columns, C)."""

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.patch_embed = encoder.patch_embed
        self.pos_embed: Tensor | None = encoder.pos_embed  # type: ignore[assignment]

    def forward(self, image: Tensor) -> Tensor:
        patches: Tensor = self.patch_embed(image)  # type: ignore[operator]
        return patches if self.pos_embed is None else patches + self.pos_embed


class _Neck(nn.Module):
    """The neck on the last block's output, tokens (N, L, C) or a grid (N, rows, columns, C) → (N, 256, 64, 64)."""

    def __init__(self, neck: nn.Module) -> None:
        super().__init__()
        self.neck = neck

    def forward(self, tokens: Tensor) -> Tensor:
        if tokens.dim() == 3:
            tokens = torch.unflatten(tokens, 1, (64, 64))  # LiteMedSAM's last blocks work on 64 × 64 tokens
        features: Tensor = self.neck(tokens.permute(0, 3, 1, 2))
        return features


def encoder_stages(encoder: nn.Module) -> list[nn.Module]:
    """The stages of a TinyViT (LiteMedSAM) or of segment-anything's ViT, in order.

    Run one after the other they compute what ``encoder`` does; they share its layers and hold no weights of their own.
    A stage is an embedding, a block, a downsampling or the neck.
    """
    if hasattr(encoder, "blocks"):
        return [_Placed(encoder), *encoder.blocks, _Neck(encoder.neck)]  # type: ignore[misc, arg-type]
    stages: list[nn.Module] = [encoder.patch_embed]  # type: ignore[list-item]
    for layer in encoder.layers:  # type: ignore[union-attr]
        stages.extend(layer.blocks)
        if layer.downsample is not None:
            stages.append(layer.downsample)
    return [*stages, _Neck(encoder.neck)]  # type: ignore[arg-type]
