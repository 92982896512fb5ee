"""LiteMedSAM for scribbles: its network, fine-tuned by its authors with scribbles in the place of boxes.

Source: ``CVPR24_LiteMedSAM_infer_scribble.py`` and ``scribble_train_one_gpu.py`` of bowang-lab/MedSAM (branch
LiteMedSAMScribble). The scribble is the mask that SAM's prompt encoder takes, and its only prompt.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from torch import nn

from pqcomq.models import lite_medsam
from pqcomq.models.checkpoint import file_sha256, load_state, read_state
from pqcomq.models.segmenter import Segmenter

KEY = "lite-medsam-scribble"
TITLE = "LiteMedSAM for scribbles"


def architecture() -> nn.Module:
    """The network with random weights: LiteMedSAM's."""
    return lite_medsam.architecture()


def load(checkpoint: Path) -> Segmenter:
    """Load from a file such as the authors' ``medsam_lite_scribble.pth``.

    Raises:
        InputError: the file is missing, damaged or foreign.
    """
    network = architecture()
    load_state(network, read_state(checkpoint), checkpoint, TITLE)
    return segmenter(network, checkpoint.name, file_sha256(checkpoint), checkpoint.stat().st_size)


def segmenter(network: nn.Module, checkpoint_name: str, sha256: str, size: int) -> Segmenter:
    """Wrap a loaded network: evaluation mode, batch norms folded."""
    return replace(lite_medsam.segmenter(network, checkpoint_name, sha256, size), key=KEY, title=TITLE)
