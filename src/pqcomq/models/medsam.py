"""MedSAM: segment-anything's ViT-B, fine-tuned on medical images, from a checkpoint file that the user has."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from pqcomq.models.checkpoint import file_sha256, load_state, read_state
from pqcomq.models.sam import vit, without_statistics
from pqcomq.models.segmenter import Segmenter
from pqcomq.models.transforms import MedSAMFraming

KEY = "medsam"
TITLE = "MedSAM ViT-B"


def architecture() -> nn.Module:
    """The network with random weights: ``image_encoder``, ``prompt_encoder``, ``mask_decoder``."""
    return vit("vit_b")


def load(checkpoint: Path) -> Segmenter:
    """Load MedSAM ViT-B from a file such as the authors' ``medsam_vit_b.pth``.

    Raises:
        InputError: the file is missing, damaged or foreign.
    """
    network = architecture()
    load_state(network, without_statistics(read_state(checkpoint)), checkpoint, TITLE)
    return segmenter(network, checkpoint.name, file_sha256(checkpoint), checkpoint.stat().st_size)


def segmenter(network: nn.Module, checkpoint_name: str, sha256: str, size: int) -> Segmenter:
    """Wrap a loaded network in evaluation mode."""
    network.eval().requires_grad_(False)
    licence = "not known: a checkpoint chosen by the user"
    return Segmenter.of(network, KEY, TITLE, MedSAMFraming(), checkpoint_name, sha256, size, licence)
