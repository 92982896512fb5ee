"""Which model a state dict belongs to, by the names and shapes of its tensors."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch

State = Mapping[str, torch.Tensor]

_VIT_WIDTHS = {768: "SAM ViT-B or MedSAM ViT-B", 1024: "SAM ViT-L", 1280: "SAM ViT-H"}
_ENCODER = "image_encoder."
_VIT_POSITIONS = "pos_embed"
_TINY_VIT = "patch_embed.seq.0.c.weight"


def _has(part: str) -> Callable[[State], bool]:
    return lambda state: any(part in name for name in state)


def _ends(end: str) -> Callable[[State], bool]:
    return lambda state: any(name.endswith(end) for name in state)


_BY_NAMES: tuple[tuple[Callable[[State], bool], str], ...] = (
    (_ends(".codes"), "weights that pqcomq quantized, which --weights takes"),
    (_has("entropy_stream."), "weights that pqcomq quantized, which --weights takes"),
    (_has("lora_"), "LoRA's additions to a model, without the model"),
    (_has("memory_attention."), "SAM 2 or MedSAM2"),
    (_has("image_encoder.trunk."), "SAM 2 or MedSAM2"),
    (_has("adapter"), "a SAM with adapters, such as SAM-Med2D"),
    (_has("Adapter"), "a SAM with adapters, such as SAM-Med2D"),
    (_has("vision_encoder.layers."), "SAM in the layout of transformers"),
    (_has("decoder.seg_layers."), "nnU-Net"),
    (_has("layer1.0.conv1."), "a ResNet"),
)


def looks_like(state: State) -> str | None:
    """The model that tensors seem to belong to.

    Args:
        state: name → tensor.

    Returns:
        Its title, e.g. ``"SAM ViT-H"``; None where nothing known is recognised.
    """
    for test, title in _BY_NAMES:
        if test(state):
            return title
    if any(name.startswith(_ENCODER) for name in state):
        encoder = {name.removeprefix(_ENCODER): tensor for name, tensor in state.items() if name.startswith(_ENCODER)}
        return _by_encoder(encoder)
    alone = _by_encoder(state)
    return None if alone is None else f"the image encoder alone of {alone}"


def _by_encoder(encoder: State) -> str | None:
    if _TINY_VIT in encoder:
        # MobileSAM's first layers halve the image by 3 × 3 convolutions, where LiteMedSAM has 1 × 1.
        return "MobileSAM" if encoder[_TINY_VIT].shape[-1] == 3 else "LiteMedSAM"
    table = encoder.get(_VIT_POSITIONS)
    if table is None or "neck.0.weight" not in encoder:
        return None
    if table.dim() == 5:
        return "SAM-Med3D"
    title = _VIT_WIDTHS.get(table.shape[-1], f"a SAM of {table.shape[-1]} channels")
    side = 16 * table.shape[1] if table.dim() == 4 else 1024
    return title if side == 1024 else f"{title} for images of {side} × {side}"
