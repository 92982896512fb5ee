"""How quantized layers lie in a ``.safetensors`` file, whatever the model is that they belong to.

For each quantized layer ``<layer>.codes`` (uint8), ``.scale`` (float16), ``.zero_point`` and, where there is one,
``.permutation``; in the metadata one entry, ``pqcomq``, a JSON manifest.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as serialize
from torch import Tensor

from pqcomq.errors import InputError
from pqcomq.quantization.algorithm.config import BIT_WIDTHS
from pqcomq.quantization.algorithm.gram import QuantizableLayer
from pqcomq.quantization.algorithm.packing import codes_per_byte
from pqcomq.quantization.algorithm.quantized_weight import QuantizedWeight

MANIFEST = "pqcomq"
"""Name of the metadata entry."""


def packed_tensors(name: str, weight: QuantizedWeight) -> dict[str, Tensor]:
    """A layer's tensors by their names in the file."""
    tensors = {
        f"{name}.codes": weight.packed,
        f"{name}.scale": weight.scale.contiguous(),
        f"{name}.zero_point": weight.zero_point.contiguous(),
    }
    return tensors if weight.permutation is None else tensors | {f"{name}.permutation": weight.permutation}


def described_layers(
    weights: Mapping[str, QuantizedWeight],
    errors: Mapping[str, float],
    ranges: Mapping[str, tuple[float, float]],
) -> dict[str, Any]:
    """What the manifest says of each layer, JSON-ready."""
    return {
        name: {
            "bits": weight.bits,
            "shape": list(weight.shape),
            "run": weight.run,
            "error": errors[name],
        }
        | ({"input_range": list(ranges[name])} if name in ranges else {})
        for name, weight in weights.items()
    }


def layer_run(entry: Mapping[str, Any]) -> tuple[int, int]:
    """Bit width and columns that share a scale, of a layer in a manifest.

    Raises:
        ValueError: there is no such bit width.
    """
    bits, run = int(entry["bits"]), int(entry["run"])
    if bits not in BIT_WIDTHS:
        raise ValueError(f"a bit width is not one of {BIT_WIDTHS}")
    return bits, run


def input_range_of(entry: dict[str, Any]) -> tuple[float, float]:
    """A layer's input range in a manifest.

    Raises:
        ValueError: it holds nothing.
    """
    low, high = (float(end) for end in entry["input_range"])
    if not (math.isfinite(low) and math.isfinite(high) and low <= high):
        raise ValueError(f"input range {low} to {high}")
    return low, high


def content_of(tensors: dict[str, Tensor], manifest: Mapping[str, Any]) -> bytes:
    """The bytes of the file, the same every time."""
    return serialize(tensors, metadata={MANIFEST: json.dumps(manifest, sort_keys=True)})


def narrow(tensor: Tensor) -> Tensor:
    """In float16 if nothing is lost."""
    halved = tensor.half()
    return halved if tensor.dtype == torch.float32 and torch.equal(halved.float(), tensor) else tensor


def read_packed(path: Path, *, tensors: bool) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Manifest and, if asked for, tensors of a file.

    Raises:
        InputError: the file is missing, damaged, or was not written by this package.
    """
    if not path.is_file():
        raise InputError(f"{path}: there is no such weights file")
    try:
        with safe_open(path, framework="pt") as stream:
            text = (stream.metadata() or {}).get(MANIFEST)
            content = {name: stream.get_tensor(name) for name in stream.keys()} if tensors else {}  # noqa: SIM118
    except (SafetensorError, OSError) as problem:
        raise InputError(f"{path}: is truncated, damaged or not a safetensors file") from problem
    if text is None:
        raise InputError(f"{path}: is a safetensors file, but not one of quantized weights written by pqcomq")
    try:
        head = json.loads(text)
    except ValueError as problem:
        raise InputError(f"{path}: its manifest is damaged") from problem
    if not isinstance(head, dict):
        raise InputError(f"{path}: its manifest is damaged")
    return head, content


def take_weight(
    path: Path, name: str, module: QuantizableLayer, bits: int, run: int, tensors: dict[str, Tensor]
) -> QuantizedWeight:
    """Take one layer's packed weight out of ``tensors``, checked against the layer.

    Args:
        path: of the file, for messages.
        name: of the layer in the file.
        module: the layer.
        bits: bit width of its codes.
        run: columns that share a scale.
        tensors: of the file.

    Raises:
        InputError: tensors are missing or do not fit.
    """
    shape = tuple(module.weight.shape)
    rows, columns = module.weight.flatten(1).shape
    try:
        parts = {part: tensors.pop(f"{name}.{part}") for part in ("codes", "scale", "zero_point")}
    except KeyError as problem:
        raise InputError(f"{path}: the tensor {problem} is missing") from problem
    permutation = tensors.pop(f"{name}.permutation", None)
    units = -(-columns // run) if run > 0 else 0
    scales = {(rows, units), (1, 1)} if units == 1 else {(rows, units)}
    fits = (
        parts["codes"].dtype == torch.uint8
        and tuple(parts["codes"].shape) == (rows, -(-columns // codes_per_byte(bits)))
        and tuple(parts["scale"].shape) in scales
        and parts["scale"].shape == parts["zero_point"].shape
        and bool(torch.isfinite(parts["scale"]).all() and torch.isfinite(parts["zero_point"].float()).all())
        and (permutation is None or torch.equal(permutation.sort().values.long(), torch.arange(columns)))
    )
    if not fits:
        raise InputError(f"{path}: the tensors of layer {name!r} do not fit its layer in the model")
    return QuantizedWeight(parts["codes"], parts["scale"], parts["zero_point"], permutation, bits, run, shape)
