"""Reading untrusted checkpoints: plain tensors only, never code, checked against the architecture."""

from __future__ import annotations

import hashlib
import pickle
import warnings
from pathlib import Path

import torch
from torch import nn

from pqcomq.errors import InputError

_WRAPPERS = ("model", "state_dict")
"""Keys under which training scripts wrap the state dict; MedSAM's own use ``model``."""


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def read_state(path: Path) -> dict[str, torch.Tensor]:
    """Read a state dict without unpickling anything but tensors and plain containers.

    Raises:
        InputError: the file is missing, truncated, not a checkpoint, holds code, or holds no state dict.
    """
    if not path.is_file():
        raise InputError("There is no such checkpoint file", path)
    try:
        with warnings.catch_warnings():
            # torch warns of pickle protocols it may not read; whatever it then cannot read is refused below.
            warnings.simplefilter("ignore", UserWarning)
            content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if "weights_only" in str(error) or "Weights only" in str(error):
            raise InputError(
                "The file holds Python objects beyond plain tensors and was not loaded, since unpickling them "
                "could run code; save its state dict alone",
                path,
            ) from error
        raise InputError("The file is not a PyTorch checkpoint, or is damaged", path) from error
    except (RuntimeError, EOFError, OSError, ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise InputError("The file is truncated, damaged or not a PyTorch checkpoint", path) from error
    return _state_dict(content, path)


def _state_dict(content: object, path: Path) -> dict[str, torch.Tensor]:
    """The tensors inside ``content``, unwrapped; data-parallel prefixes removed."""
    for key in _WRAPPERS:
        if isinstance(content, dict) and isinstance(content.get(key), dict):
            content = content[key]
    if not isinstance(content, dict) or not content or not all(isinstance(v, torch.Tensor) for v in content.values()):
        raise InputError("The file holds no state dict (a table of named tensors)", path)
    return {str(name).removeprefix("module."): tensor for name, tensor in content.items()}


def load_state(module: nn.Module, state: dict[str, torch.Tensor], path: Path, title: str) -> None:
    """Put ``state`` into ``module``, all of it or nothing.

    Raises:
        InputError: names or shapes differ from the architecture's, or a weight is not finite.
    """
    wanted = module.state_dict()
    missing = sorted(wanted.keys() - state.keys())
    foreign = sorted(state.keys() - wanted.keys())
    if missing or foreign:
        example = f"{missing[0]!r} is missing" if missing else f"{foreign[0]!r} does not belong to it"
        raise InputError(
            f"The file is not a {title} checkpoint: {len(missing)} of {len(wanted)} tensors missing, "
            f"{len(foreign)} foreign (for one, {example})",
            path,
        )
    for name, tensor in state.items():
        if tensor.shape != wanted[name].shape:
            raise InputError(
                f"The file is not a {title} checkpoint: {name!r} has shape {tuple(tensor.shape)} "
                f"instead of {tuple(wanted[name].shape)}",
                path,
            )
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise InputError(f"The tensor {name!r} holds values that are not finite", path)
    module.load_state_dict(state)
