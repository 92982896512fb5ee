"""An entropy coder's stream as tensors of a ``.safetensors`` file, and its checksum in the manifest."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pqcomq.errors import InputError
from pqcomq.quantization.algorithm.integer_weight import IntegerWeight
from pqcomq.quantization.files.entropy_stream import EntropyStream, decoded

STREAM = "entropy_stream"
"""Entry of the manifest, and beginning of the tensors' names."""

_TYPES = {
    "words": (torch.int32, np.uint32),
    "tables": (torch.int32, np.int32),
    "frequencies": (torch.int16, np.uint16),
    "medians": (torch.int16, np.int16),
}
"""Of each part in the file, where unsigned numbers stand as signed ones of the same bits, and in memory."""


def stream_tensors(stream: EntropyStream) -> dict[str, Tensor]:
    """A stream's tensors by their names in the file."""
    return {
        f"{STREAM}.{name}": torch.from_numpy(part.copy()).view(_TYPES[name][0]) for name, part in stream.parts().items()
    }


def take_stream(
    path: Path, head: Mapping[str, Any], shapes: Mapping[str, tuple[int, ...]], tensors: dict[str, Tensor]
) -> dict[str, IntegerWeight]:
    """Take the entropy-coded weights out of ``tensors``.

    Args:
        path: of the file, for messages.
        head: its manifest.
        shapes: layer name → shape of its weight, in the order in which they were coded.
        tensors: of the file.

    Raises:
        InputError: the stream is missing, is not the one that the manifest was written for, or does not fit the layers.
    """
    parts: dict[str, np.ndarray] = {}
    for name, (stored, own) in _TYPES.items():
        tensor = tensors.pop(f"{STREAM}.{name}", None)
        if tensor is None or tensor.dtype != stored:
            raise InputError(f"The tensor '{STREAM}.{name}' is missing or of another type", path)
        parts[name] = tensor.contiguous().numpy().view(own)
    stream = EntropyStream(**parts)
    said = head.get(STREAM)
    if not isinstance(said, Mapping) or said.get("sha256") != stream.sha256:
        raise InputError("The entropy-coded weights are damaged (their checksum is another)", path)
    try:
        weights = decoded(stream, list(shapes.values()))
    except (ValueError, AssertionError) as problem:
        raise InputError(f"The entropy-coded weights cannot be read: the stream {problem}", path) from problem
    for name, weight in zip(shapes, weights, strict=True):
        if not bool(torch.isfinite(weight.dequantize()).all()):
            raise InputError(f"The entropy-coded weights of layer {name!r} are not finite", path)
    return dict(zip(shapes, weights, strict=True))
