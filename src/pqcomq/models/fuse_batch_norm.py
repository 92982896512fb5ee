"""Fold batch norms into the convolutions before them, so that what is quantized is what runs."""

from __future__ import annotations

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval


def fold_batch_norms(module: nn.Module) -> nn.Module:
    """Replace every ``Sequential(Conv2d, BatchNorm2d)`` below ``module`` by one convolution, in place.

    Inference is unchanged but for rounding: ``y = γ (W x − μ) / σ + β`` is itself a convolution with a bias.

    Args:
        module: in evaluation mode; its running statistics are the ones folded.

    Returns:
        The same module.
    """
    for name, child in module.named_children():
        match [child, *child.children()]:
            case [nn.Sequential(), nn.Conv2d() as convolution, nn.BatchNorm2d() as norm]:
                setattr(module, name, fuse_conv_bn_eval(convolution, norm))
            case _:
                fold_batch_norms(child)
    return module
