"""Position embeddings in signed bytes: added to activations as they are, so that no Gram matrix says how to round them.

They are rounded to nearest at 8 bits, whatever the model's bit width: in float16, MedSAM ViT-B's alone would be a fifth
of its file at 2 bits.
"""

from __future__ import annotations

import torch
from torch import Tensor

_TOP = 127
_SMALLEST_SCALE = 2.0**-14
"""The smallest normal float16."""


def in_bytes(table: Tensor) -> tuple[Tensor, Tensor]:
    """A table (…, C) as signed bytes of the same shape and one float16 scale a row (…, 1).

    A table that :func:`widened` has given comes out with the same bytes and scales.
    """
    scale = (table.abs().amax(dim=-1, keepdim=True) / _TOP).clamp_min(_SMALLEST_SCALE).half()
    return (table / scale.float()).round().clamp(-_TOP, _TOP).to(torch.int8), scale


def widened(codes: Tensor, scale: Tensor) -> Tensor:
    """What the bytes stand for, float32."""
    return codes.float() * scale.float()
