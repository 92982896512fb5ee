"""The models by name."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

from pqcomq.errors import InputError
from pqcomq.models import lite_medsam, medsam
from pqcomq.models.segmenter import Segmenter

_FAMILIES: dict[str, ModuleType] = {lite_medsam.KEY: lite_medsam, medsam.KEY: medsam}
MODEL_KEYS = tuple(_FAMILIES)
MODEL_TITLES = {key: str(family.TITLE) for key, family in _FAMILIES.items()}


def _family(key: str) -> ModuleType:
    if key not in _FAMILIES:
        raise InputError(f"{key!r} is no known model; choose one of {', '.join(MODEL_KEYS)}")
    return _FAMILIES[key]


def load_model(key: str, checkpoint: Path | None = None) -> Segmenter:
    """Load a model by its key.

    Args:
        key: one of :data:`MODEL_KEYS`.
        checkpoint: its weights; LiteMedSAM's are shipped, MedSAM's must be named.

    Raises:
        InputError: the key is unknown or the checkpoint cannot be used.
    """
    loaded: Segmenter = _family(key).load(checkpoint)
    return loaded


def empty_model(key: str, checkpoint_name: str, sha256: str, size: int) -> Segmenter:
    """The architecture with its batch norms folded and weights still to be filled in by a quantized file."""
    family = _family(key)
    empty: Segmenter = family.segmenter(family.architecture(), checkpoint_name, sha256, size)
    return empty
