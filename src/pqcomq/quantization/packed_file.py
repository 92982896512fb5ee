"""How quantized layers lie in a ``.safetensors`` file, whatever the model is that they belong to.

For each quantized layer ``<layer>.codes`` (uint8), ``.scale`` (float16), ``.zero_point`` and, where there is one,
``.permutation``; in the metadata one entry, ``pqcomq``, a JSON manifest.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as serialize
from torch import Tensor

from pqcomq.atomic_files import replacing
from pqcomq.errors import InputError
from pqcomq.quantization.algorithm.config import BIT_WIDTHS, QuantizationConfig
from pqcomq.quantization.algorithm.gram import QuantizableLayer
from pqcomq.quantization.algorithm.packing import codes_per_byte
from pqcomq.quantization.algorithm.quantize_layer import QuantizedLayer
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


@dataclass(frozen=True)
class LayerEntry:
    """What the manifest says of a layer.

    Attributes:
        bits: bit width of its codes.
        run: columns that share a scale.
        error: share of its output energy lost on the calibration inputs.
        input_range: lowest and highest calibration input; None where the file does not say.
    """

    bits: int
    run: int
    error: float
    input_range: tuple[float, float] | None

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> Self:
        """A layer in a manifest.

        Raises:
            KeyError: something is missing.
            TypeError: something is of another kind.
            ValueError: there is no such bit width or input range.
        """
        bits, run = int(entry["bits"]), int(entry["run"])
        if bits not in BIT_WIDTHS:
            raise ValueError(f"a bit width is not one of {BIT_WIDTHS}")
        if "input_range" not in entry:
            return cls(bits, run, float(entry["error"]), None)
        low, high = (float(end) for end in entry["input_range"])
        if not (math.isfinite(low) and math.isfinite(high) and low <= high):
            raise ValueError(f"input range {low} to {high}")
        return cls(bits, run, float(entry["error"]), (low, high))


def read_settings(path: Path, head: Mapping[str, Any]) -> tuple[QuantizationConfig, dict[str, LayerEntry]]:
    """How a file's layers were quantized: together, and each.

    Raises:
        InputError: its manifest does not say.
    """
    try:
        settings = QuantizationConfig.from_dict(head["quantization"])
        return settings, {layer: LayerEntry.of(entry) for layer, entry in head["layers"].items()}
    except (KeyError, TypeError, ValueError, AttributeError) as problem:
        raise InputError(f"{path}: its manifest is damaged ({problem})") from problem


def write_packed(path: Path, content: Callable[[], bytes], *, overwrite: bool) -> None:
    """Write a file, whole or not at all.

    Args:
        path: ends in ``.safetensors``.
        content: gives :func:`content_of` what is written, once it is clear that it can be.
        overwrite: replace a file that is already there.

    Raises:
        InputError: the name has another ending, the file exists, or the folder cannot be written (nothing is left).
    """
    if path.suffix != ".safetensors":
        raise InputError(f"{path}: quantized weights are written to a file that ends in .safetensors")
    with replacing(path, overwrite=overwrite) as partial:
        partial.write_bytes(content())


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


def take_layer(
    path: Path, name: str, module: QuantizableLayer, entry: LayerEntry, tensors: dict[str, Tensor]
) -> QuantizedLayer:
    """Take one quantized layer out of ``tensors``, checked against the layer of the model.

    Args:
        path: of the file, for messages.
        name: of the layer in the file.
        module: the layer of the model.
        entry: what the manifest says of it.
        tensors: of the file.

    Raises:
        InputError: tensors are missing or do not fit.
    """
    shape, bits, run = tuple(module.weight.shape), entry.bits, entry.run
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
    weight = QuantizedWeight(parts["codes"], parts["scale"], parts["zero_point"], permutation, bits, run, shape)
    return QuantizedLayer(weight, entry.error, entry.input_range)
