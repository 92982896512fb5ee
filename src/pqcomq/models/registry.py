"""The models by name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Protocol

import torch
from torch import nn

from pqcomq.errors import InputError
from pqcomq.models import lite_medsam, lite_medsam_scribble, medsam, mobile_sam, sam
from pqcomq.models.catalogue.entries import entry_of
from pqcomq.models.catalogue.model_store import models_folder, record_of
from pqcomq.models.catalogue.published import check_not_another
from pqcomq.models.segmenter import Segmenter
from pqcomq.models.transformers_layout import weights_in
from pqcomq.models.unfilled import unfilled


class Family(Protocol):
    """What a model's module offers."""

    @property
    def KEY(self) -> str:  # noqa: N802 (a constant of modules)
        """The name that it goes by on the command line and in files."""

    @property
    def TITLE(self) -> str:  # noqa: N802
        """The name shown to people."""

    def load(self, checkpoint: Path) -> Segmenter:
        """Load it from a checkpoint."""

    def architecture(self) -> nn.Module:
        """The network with random weights."""

    def segmenter(self, network: nn.Module, checkpoint_name: str, sha256: str, size: int) -> Segmenter:
        """Wrap a network with its pre- and post-processing."""


_FAMILIES: dict[str, Family] = {
    family.KEY: family
    for family in (lite_medsam, medsam, sam.VIT_B, sam.VIT_L, sam.VIT_H, mobile_sam, lite_medsam_scribble)
}
MODEL_KEYS = tuple(_FAMILIES)
MODEL_TITLES = {key: family.TITLE for key, family in _FAMILIES.items()}


def _family(key: str) -> Family:
    if key not in _FAMILIES:
        raise InputError(f"{key!r} is no known model; choose one of {', '.join(MODEL_KEYS)}")
    return _FAMILIES[key]


def load_model(key: str, checkpoint: Path | None = None) -> Segmenter:
    """Load a model by its key.

    Args:
        key: one of :data:`MODEL_KEYS`.
        checkpoint: its weights; by default those that are shipped (LiteMedSAM) or were fetched or taken over before.

    Raises:
        InputError: the key is unknown, or there is no checkpoint or it cannot be used.
    """
    with unfilled():  # every weight comes from the checkpoint
        return _loaded(key, checkpoint)


def _loaded(key: str, checkpoint: Path | None) -> Segmenter:
    """See :func:`load_model`."""
    family = _family(key)
    if checkpoint is not None:
        file = weights_in(checkpoint)
        published = check_not_another(key, file)
        loaded = family.load(file)
        return _with_licence(loaded) if published is None else replace(loaded, licence=published.licence)
    if key == lite_medsam.KEY:
        return lite_medsam.load()
    record = record_of(key)
    if record is None:
        entry = entry_of(key)
        way = f"or let 'pqcomq models fetch {key}' fetch it" if entry.urls else entry.by_hand
        raise InputError(f"{family.TITLE} is not shipped: name its checkpoint file ({entry.file}), {way}")
    path = models_folder() / record.file
    loaded = family.load(path)
    if loaded.checkpoint_sha256 != record.sha256:
        raise InputError(
            f"The file is not what it was when it came (its SHA-256 differs); 'pqcomq models remove {key}', then fetch "
            "it again",
            path,
        )
    return _with_licence(loaded)


def _with_licence(model: Segmenter) -> Segmenter:
    """The model with the licence of its weights, where they are the published ones and at hand on this machine."""
    record = record_of(model.key)
    known = record is not None and record.licence and record.sha256 == model.checkpoint_sha256
    return replace(model, licence=record.licence) if known else model  # type: ignore[union-attr]


def sketched(key: str) -> nn.Module | None:
    """The architecture without memory for weights, to compare names and shapes; None where its code needs weights.

    The models without a sketch are small: TinyViT takes 40 MB.
    """
    try:
        with torch.device("meta"):
            return _family(key).architecture()
    except (RuntimeError, NotImplementedError):
        return None


def empty_model(key: str, checkpoint_name: str, sha256: str, size: int) -> Segmenter:
    """The architecture with its batch norms folded and weights still to be filled in by a quantized file."""
    family = _family(key)
    with unfilled():  # the file that fills it names every tensor
        network = family.architecture()
    return _with_licence(family.segmenter(network, checkpoint_name, sha256, size))
