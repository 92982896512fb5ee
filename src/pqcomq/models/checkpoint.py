"""Reading untrusted checkpoints: plain tensors only, never code, checked against the architecture."""

from __future__ import annotations

import hashlib
import pickle
import re
import struct
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Self

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from pqcomq.errors import InputError
from pqcomq.models.file_kinds import is_safetensors, not_a_checkpoint
from pqcomq.models.look_alikes import looks_like
from pqcomq.models.transformers_layout import check_config, is_transformers_layout, renamed

_WRAPPERS = ("model", "state_dict", "model_state_dict", "network_weights", "net", "network", "module", "sam", "params")
"""Keys under which training scripts wrap the state dict; MedSAM's own use ``model``."""

_MOST_WRAPPERS = 8

_PREFIXES = ("module.", "_orig_mod.", "model.", "sam_model.", "sam.", "network.")
"""That data-parallel training, compilation and training frameworks put before every name."""

_PLAIN = (
    torch.float16,
    torch.bfloat16,
    torch.float32,
    torch.float64,
    torch.uint8,
    torch.int8,
    torch.int16,
    torch.int32,
    torch.int64,
    torch.bool,
)

_DAMAGED = (
    RuntimeError,
    MemoryError,  # what a damaged size asks for
    struct.error,
    EOFError,
    OSError,
    ValueError,
    KeyError,
    IndexError,
    TypeError,
    AttributeError,
    AssertionError,
)

_OBJECTS = ("Unsupported global", "Can only", "Trying to call reduce")
"""In what torch says of files with objects that it does not read."""


class _Untaken(list[Any]):
    """Stands for any Python object of a training checkpoint that is no tensor: keeps nothing and does nothing."""

    def __new__(cls, *_given: object, **_named: object) -> Self:
        return super().__new__(cls)

    def __init__(self, *_given: object, **_named: object) -> None:
        super().__init__()

    def __setstate__(self, _state: object) -> None:
        """Keeps nothing."""


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def read_state(path: Path) -> dict[str, torch.Tensor]:
    """Read a state dict without unpickling anything but tensors and plain containers.

    Of a training checkpoint the weights are taken; its optimizer, arguments and other objects are passed over, and
    their classes never imported or called.

    Args:
        path: a PyTorch checkpoint or a safetensors file.

    Raises:
        InputError: the file is missing, cut off, no checkpoint (the sentence says what it is), or holds no state dict.
    """
    if not path.is_file():
        raise InputError("There is no such checkpoint file", path)
    try:
        if is_safetensors(path):
            return _by_our_names(load_file(path), path)
        instead = not_a_checkpoint(path)
    except (SafetensorError, OSError) as error:
        raise InputError("The file is cut off, damaged, or may not be read", path) from error
    if instead is not None:
        raise InputError(f"The file {instead}", path)
    try:
        content = _plain_content(path)
    except pickle.UnpicklingError as error:
        if "is blocked" in str(error):
            raise InputError(
                "The file asks for commands of the system to be called, as no checkpoint does, and was not loaded",
                path,
            ) from error
        if any(words in str(error) for words in _OBJECTS):
            raise InputError(
                "The file keeps objects of its training program round or among its weights, which are not loaded; "
                "save the state dict alone, with torch.save(model.state_dict(), …)",
                path,
            ) from error
        raise InputError("The file is cut off, damaged or not a PyTorch checkpoint", path) from error
    except _DAMAGED as error:
        raise InputError("The file is cut off, damaged or not a PyTorch checkpoint", path) from error
    return _by_our_names(_state_dict(content, path), path)


def _by_our_names(state: Mapping[str, torch.Tensor], path: Path) -> dict[str, torch.Tensor]:
    """Names without common beginnings, and those of transformers in segment-anything's way.

    Raises:
        InputError: there are none, or it is a network of transformers, and none of SAM's.
    """
    if not state:
        raise InputError("The file holds no tensors", path)
    bare = _unprefixed(state)
    if not is_transformers_layout(bare):
        return bare
    check_config(path)
    return renamed(bare)


def _plain_content(path: Path) -> object:
    """What torch reads of a file; objects that are no tensors are passed over."""
    with warnings.catch_warnings():
        # torch warns of pickle protocols it may not read; whatever it then cannot read is refused by the caller.
        warnings.simplefilter("ignore", UserWarning)
        try:
            return torch.load(path, map_location="cpu", weights_only=True)
        except pickle.UnpicklingError as error:
            if "Unsupported global" not in str(error):
                raise
            try:
                others = torch.serialization.get_unsafe_globals_in_checkpoint(path)
            except ValueError:  # only archives, as PyTorch writes them since version 1.6, can be looked into beforehand
                raise error from None
            # Each name gets a class of its own, since torch tells what it may make by class.
            stand_ins: list[Any] = [(type("Untaken", (_Untaken,), {}), name) for name in sorted(others)]
            with torch.serialization.safe_globals(stand_ins):
                return torch.load(path, map_location="cpu", weights_only=True)


def _tensors(table: Mapping[Any, Any]) -> dict[str, torch.Tensor]:
    return {str(name): value for name, value in table.items() if isinstance(value, torch.Tensor)}


def _state_dict(content: object, path: Path) -> dict[str, torch.Tensor]:
    """The named tensors inside ``content``, out of their wrappers."""
    for _wrapper in range(_MOST_WRAPPERS):  # a table may hold itself
        if not isinstance(content, dict):
            break
        content = next((content[key] for key in _WRAPPERS if isinstance(content.get(key), dict)), content)
    found = _tensors(content) if isinstance(content, dict) else {}
    if not found:
        raise InputError("The file holds no state dict (a table of named tensors)", path)
    return found


def _unprefixed(state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Names without what all of them begin with."""
    names = list(state)
    while prefix := _common_prefix(names):
        names = [name.removeprefix(prefix) for name in names]
    return dict(zip(names, state.values(), strict=True))


def _common_prefix(names: Iterable[str]) -> str:
    return next((prefix for prefix in _PREFIXES if all(name.startswith(prefix) for name in names)), "")


def load_state(module: nn.Module, state: dict[str, torch.Tensor], path: Path, title: str) -> None:
    """Put ``state`` into ``module``, all of it or nothing.

    Raises:
        InputError: names or shapes differ from the architecture's (the sentence says which model it looks like), a
            tensor is of another kind (whole numbers, sparse, of a quantized network), or a weight is not finite.
    """
    wanted = module.state_dict()
    missing = sorted(wanted.keys() - state.keys())
    foreign = sorted(state.keys() - wanted.keys())
    other = next(
        (name for name, tensor in state.items() if name in wanted and tensor.shape != wanted[name].shape), None
    )
    if missing or foreign or other:
        raise InputError(
            f"The file is not a {title} checkpoint: {_difference(wanted, state, missing, foreign, other)}", path
        )
    for name, tensor in state.items():
        if not _is_plain(tensor) or tensor.is_floating_point() != wanted[name].is_floating_point():
            kind = str(tensor.dtype if tensor.layout is torch.strided else tensor.layout).removeprefix("torch.")
            raise InputError(f"The tensor {name!r} is of a kind that {title} has no weights of ({kind})", path)
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor.to(wanted[name].dtype)).all()):
            raise InputError(f"The tensor {name!r} holds values that are not finite", path)
    module.load_state_dict(state)


def _is_plain(tensor: torch.Tensor) -> bool:
    """Whether a tensor's values stand in memory one after the other, in a type that weights are kept in."""
    return tensor.layout is torch.strided and tensor.dtype in _PLAIN and tensor.device.type == "cpu"


def write_state(state: Mapping[str, torch.Tensor], path: Path, metadata: Mapping[str, str] | None = None) -> None:
    """Write a state dict as safetensors.

    Args:
        state: name → tensor.
        path: of the file.
        metadata: text that goes with it.

    Raises:
        OSError: the system refuses, in its own words.
    """
    try:
        tensors = {name: tensor.contiguous() for name, tensor in state.items()}
        save_file(tensors, path, metadata=None if metadata is None else dict(metadata))
    except SafetensorError as error:
        found = re.search(r"([^:]+) \(os error \d+\)", str(error))
        raise OSError(found[1].strip() if found else str(error)) from error


def _difference(
    wanted: Mapping[str, torch.Tensor],
    state: Mapping[str, torch.Tensor],
    missing: list[str],
    foreign: list[str],
    other: str | None,
) -> str:
    like, own = looks_like(state), looks_like(wanted)
    if like is not None and like != own:
        return f"it looks like {like}"
    if missing or foreign:
        example = f"{missing[0]!r} is missing" if missing else f"{foreign[0]!r} does not belong to it"
        return f"{len(missing)} of {len(wanted)} tensors missing, {len(foreign)} foreign (for one, {example})"
    name = str(other)
    return f"{name!r} has shape {tuple(state[name].shape)} instead of {tuple(wanted[name].shape)}"
