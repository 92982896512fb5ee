"""A weights file against its own manifest, by the header alone: before any of its tensors is read or made room for."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from pqcomq.errors import InputError
from pqcomq.quantization.algorithm.coarse_scales import COARSE_PARTS, ROWS, SCALES, ZERO_POINTS, index_bits
from pqcomq.quantization.algorithm.packing import row_bytes
from pqcomq.quantization.algorithm.quantized_weight import QuantizedWeight
from pqcomq.quantization.files.manifest_schema import Layer
from pqcomq.quantization.files.stream_tensors import STREAM

MOST_WEIGHTS = 2**31
"""Of one layer; the largest of SAM ViT-H has 6.6 million."""

KINDS = {
    torch.float16: "F16",
    torch.float32: "F32",
    torch.bfloat16: "BF16",
    torch.float64: "F64",
    torch.complex64: "C64",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.int16: "I16",
    torch.int8: "I8",
    torch.uint64: "U64",
    torch.uint32: "U32",
    torch.uint16: "U16",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}
"""Of tensors that a file may hold, by safetensors' names."""

_TABLES = 32


@dataclass(frozen=True)
class Declared:
    """What the header says of a tensor.

    Attributes:
        dtype: by safetensors' names, e.g. ``"F16"``.
        shape: its sizes.
    """

    dtype: str
    shape: tuple[int, ...]


def check_declared(
    path: Path, layers: Mapping[str, Layer], declared: Mapping[str, Declared], file_name: Callable[[str], str]
) -> None:
    """Compare the manifest's layers with the tensors that the header declares.

    Args:
        path: of the file, for messages.
        layers: layer name → its entry in the manifest.
        declared: tensor name → what the header says of it.
        file_name: a layer's name in the file.

    Raises:
        InputError: a shape or run is out of range, or a tensor is missing, of another type or shape, or stands beside
            the one that takes its place.
    """
    for layer, entry in layers.items():
        try:
            wanted = _parts_of(entry)
        except ValueError as problem:
            raise InputError(f"The manifest is damaged (layer {layer!r}: {problem})", path) from problem
        name = file_name(layer)
        if f"{name}.weight" in declared:
            raise InputError(f"The file holds layer {name!r} twice, quantized and not", path)
        for part, choices in wanted.items():
            _check_tensor(path, f"{name}.{part}", declared.get(f"{name}.{part}"), choices)
        if "scale" in wanted and declared[f"{name}.scale"].shape != declared[f"{name}.zero_point"].shape:
            raise InputError(f"The tensors of layer {name!r} do not fit each other", path)
    if coded := sum(entry.coding is not None for entry in layers.values()):
        _check_stream(path, declared, coded)
    for name, tensor in declared.items():
        if tensor.dtype not in KINDS.values():
            raise InputError(f"The tensor {name!r} is of a type {tensor.dtype} that no such file has", path)


def _parts_of(entry: Layer) -> dict[str, tuple[Declared, ...]]:
    """Of each tensor of a packed layer what it may be; an entropy-coded one has none of its own.

    Raises:
        ValueError: there is no such layer.
    """
    shape, bits, run = entry.shape, entry.bits, entry.run
    if len(shape) not in (2, 4) or min(shape) < 1 or math.prod(shape) > MOST_WEIGHTS:
        raise ValueError(f"there is no layer of shape {list(shape)}")
    if entry.coding is not None or bits is None or run is None:
        return {}
    rows, columns = shape[0], math.prod(shape[1:])
    if not 1 <= run <= columns:
        raise ValueError(f"a run of {run} columns is none of a layer of {columns}")
    units = -(-columns // run)
    parts = {
        "codes": (Declared("U8", (rows, row_bytes(columns, bits))),),
        "permutation": tuple(Declared(dtype, (columns,)) for dtype in ("I16", "I32")),
    }
    if entry.scales:
        packed = (Declared("U8", (row_bytes(rows * units, index_bits(bits)),)),)
        return parts | {ROWS: (Declared("I8", (rows,)),), SCALES: packed, ZERO_POINTS: packed}
    scales = [(rows, units)] + ([(1, 1)] if units == 1 else [])
    return parts | {
        "scale": tuple(Declared("F16", each) for each in scales),
        "zero_point": tuple(Declared(dtype, each) for each in scales for dtype in ("F16", "U8")),
    }


def _check_tensor(path: Path, name: str, found: Declared | None, choices: tuple[Declared, ...]) -> None:
    if found is None:
        if name.endswith(".permutation"):
            return
        raise InputError(f"The tensor {name!r} is missing", path)
    if found not in choices:
        wanted = " or ".join(f"{each.dtype} {list(each.shape)}" for each in choices)
        layer = name.rpartition(".")[0]
        raise InputError(
            f"The tensors of layer {layer!r} do not fit its entry in the manifest: {name!r} is {found.dtype} "
            f"{list(found.shape)} instead of {wanted}",
            path,
        )


def _check_stream(path: Path, declared: Mapping[str, Declared], layers: int) -> None:
    """The tensors of an entropy coder's stream by type and shape; see :mod:`.stream_tensors`."""
    wanted = {
        "words": ("I32", 1, None),
        "tables": ("I32", 2, (_TABLES, 2)),
        "frequencies": ("I16", 1, None),
        "medians": ("I16", 2, (layers, 3)),
    }
    for part, (dtype, dimensions, shape) in wanted.items():
        found = declared.get(f"{STREAM}.{part}")
        if found is None or found.dtype != dtype:
            raise InputError(f"The tensor '{STREAM}.{part}' is missing or of another type", path)
        if len(found.shape) != dimensions or (shape is not None and found.shape != shape):
            raise InputError(f"The tensor '{STREAM}.{part}' has another shape than its layers ask for", path)


def check_values(path: Path, name: str, weight: QuantizedWeight, parts: Mapping[str, Tensor]) -> None:
    """See that what a packed weight holds can be widened.

    Args:
        path: of the file, for messages.
        name: of the layer in the file.
        weight: of the right types and shapes.
        parts: that it was made of.

    Raises:
        InputError: a scale is not positive or not finite, a zero-point is not finite or no code, a permutation is none,
            or a row is padded with something else than zeros.
    """
    problem = problem_of(weight)
    own = weight.parts() if weight.coarse and problem is None else {}
    if any(not torch.equal(own[part], parts[part]) for part in COARSE_PARTS if own):
        problem = "its scales are not written as they should be"
    if problem is not None:
        raise InputError(f"The tensors of layer {name!r} do not fit: {problem}", path)


def problem_of(weight: QuantizedWeight) -> str | None:
    """Why a packed weight of the right types and shapes cannot be widened, as the end of a sentence; None if it can."""
    scale, zero_point = weight.scale, weight.zero_point
    if not bool(torch.isfinite(scale).all() and (scale > 0).all()):
        return "a scale is not a positive number"
    if zero_point.dtype == torch.uint8:
        if int(zero_point.max()) >= 1 << weight.bits:
            return f"a zero-point does not fit {weight.bits} bits"
    elif not bool(torch.isfinite(zero_point).all()):
        return "a zero-point is not finite"
    if weight.permutation is not None and not _is_permutation(weight.permutation):
        return "its permutation is none"
    rest = weight.columns * weight.bits % 8
    if rest and bool((weight.packed[:, -1] >> rest).any()):
        return "rows are padded with something else than zeros"
    return None


def _is_permutation(order: Tensor) -> bool:
    return torch.equal(order.sort().values.long(), torch.arange(order.numel()))


def check_numbers(path: Path, name: str, stored: Tensor, wanted: Tensor) -> None:
    """See that a tensor's numbers are of the network's kind; torch would drop an imaginary part with a warning.

    Raises:
        InputError: they are of another kind.
    """
    if _numbers(stored) != _numbers(wanted):
        raise InputError(f"'{name}' holds {_numbers(stored)} numbers, the network's are {_numbers(wanted)}", path)


def _numbers(tensor: Tensor) -> str:
    if tensor.is_complex():
        return "complex"
    return "real" if tensor.is_floating_point() else "whole"
