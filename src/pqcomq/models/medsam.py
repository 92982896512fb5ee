"""MedSAM: segment-anything's ViT-B, fine-tuned on medical images, from a checkpoint file that the user has."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from pqcomq.errors import InputError
from pqcomq.models.checkpoint import file_sha256, load_state, read_state
from pqcomq.models.segmenter import Segmenter
from pqcomq.models.transforms import MedSAMFraming

KEY = "medsam"
TITLE = "MedSAM ViT-B"

_CONSTANTS = ("pixel_mean", "pixel_std")
"""SAM's RGB statistics: non-persistent in segment-anything, present in some exported checkpoints, unused by MedSAM."""


def architecture() -> nn.Module:
    """The network with random weights: ``image_encoder``, ``prompt_encoder``, ``mask_decoder``."""
    from segment_anything import sam_model_registry

    from pqcomq.models.chunked_attention import make_lean

    network: nn.Module = sam_model_registry["vit_b"]()
    make_lean(network.image_encoder)  # type: ignore[arg-type]
    return network


def load(checkpoint: Path | None = None) -> Segmenter:
    """Load MedSAM ViT-B from a file such as the authors' ``medsam_vit_b.pth``.

    Raises:
        InputError: no file was named, or it is missing, damaged or foreign.
    """
    if checkpoint is None:
        raise InputError(f"{TITLE} is not shipped: name its checkpoint file (medsam_vit_b.pth)")
    state = {name: tensor for name, tensor in read_state(checkpoint).items() if name not in _CONSTANTS}
    network = architecture()
    load_state(network, state, checkpoint, TITLE)
    return segmenter(network, checkpoint.name, file_sha256(checkpoint), checkpoint.stat().st_size)


def segmenter(network: nn.Module, checkpoint_name: str, sha256: str, size: int) -> Segmenter:
    """Wrap a loaded network in evaluation mode."""
    network.eval().requires_grad_(False)
    licence = "not known: a checkpoint chosen by the user"
    return Segmenter.of(network, KEY, TITLE, MedSAMFraming(), checkpoint_name, sha256, size, licence)
