"""MobileSAM: SAM's prompts and decoder on a TinyViT encoder that was distilled from ViT-H, for images of 1024 × 1024.

The encoder is LiteMedSAM's TinyViT but for its first two convolutions: 3 × 3 with strides of 2, which bring 1024 pixels
down to the 256 that LiteMedSAM starts from, where LiteMedSAM has 1 × 1.
Source: ``mobile_sam/modeling/tiny_vit_sam.py`` and ``build_sam.py`` of ChaoningZhang/MobileSAM.
"""

from __future__ import annotations

from pathlib import Path

from torch import nn

from pqcomq.models import lite_medsam
from pqcomq.models.checkpoint import file_sha256, load_state, read_state
from pqcomq.models.fuse_batch_norm import fold_batch_norms
from pqcomq.models.sam import without_statistics
from pqcomq.models.segmenter import Segmenter
from pqcomq.models.transforms import SamFraming

KEY = "mobile-sam"
TITLE = "MobileSAM"

_CLASSIFIER = ("image_encoder.norm_head.", "image_encoder.head.")
"""TinyViT's classifier, which the authors' checkpoint holds and their forward pass does not use."""


def architecture() -> nn.Module:
    """The network with random weights: ``image_encoder``, ``prompt_encoder``, ``mask_decoder``."""
    network = lite_medsam.architecture()
    first_layers = network.get_submodule("image_encoder.patch_embed.seq")
    for number in (0, 2):
        layer = first_layers.get_submodule(str(number))
        own: nn.Conv2d = layer.c  # type: ignore[assignment]
        layer.c = nn.Conv2d(own.in_channels, own.out_channels, 3, stride=2, padding=1, bias=False)
    setattr(network.image_encoder, "img_size", SamFraming.side)  # noqa: B010
    setattr(network.prompt_encoder, "input_image_size", (SamFraming.side, SamFraming.side))  # noqa: B010
    return network


def load(checkpoint: Path) -> Segmenter:
    """Load MobileSAM from a file such as the authors' ``mobile_sam.pt``.

    Raises:
        InputError: the file is missing, damaged or foreign.
    """
    network = architecture()
    state = {
        name: tensor
        for name, tensor in without_statistics(read_state(checkpoint)).items()
        if not name.startswith(_CLASSIFIER)
    }
    load_state(network, state, checkpoint, TITLE)
    return segmenter(network, checkpoint.name, file_sha256(checkpoint), checkpoint.stat().st_size)


def segmenter(network: nn.Module, checkpoint_name: str, sha256: str, size: int) -> Segmenter:
    """Wrap a loaded network: evaluation mode, batch norms folded."""
    # Entering evaluation mode also caches each attention's relative position bias, so it must follow the loading.
    network.eval().requires_grad_(False)
    fold_batch_norms(network.image_encoder)  # type: ignore[arg-type]
    licence = "not known: a checkpoint chosen by the user"
    return Segmenter.of(network, KEY, TITLE, SamFraming(), checkpoint_name, sha256, size, licence)
