"""How quantized layers lie in a ``.safetensors`` file, whatever the model is that they belong to.

For each quantized layer ``<layer>.codes`` (uint8), ``.scale`` (float16), ``.zero_point`` and, where there is one,
``.permutation``, or for all entropy-coded ones together the tensors of one stream; in the metadata one entry,
``pqcomq``, a JSON manifest.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import torch
from msgspec import convert
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from safetensors.torch import save as serialize
from torch import Tensor

from pqcomq.atomic_files import replacing
from pqcomq.errors import InputError
from pqcomq.json_schema import Damaged, check_content, checked_json
from pqcomq.quantization.algorithm.coarse_scales import COARSE_PARTS
from pqcomq.quantization.algorithm.config import BIT_WIDTHS, QuantizationConfig
from pqcomq.quantization.algorithm.gram import QuantizableLayer
from pqcomq.quantization.algorithm.quantize_layer import QuantizedLayer, StoredWeight
from pqcomq.quantization.algorithm.quantized_weight import QuantizedWeight
from pqcomq.quantization.files.entropy_stream import EntropyStream
from pqcomq.quantization.files.file_checks import Declared, check_declared, check_values
from pqcomq.quantization.files.manifest_schema import AnyManifest, Layer, Manifest
from pqcomq.quantization.files.stream_tensors import STREAM, stream_tensors, take_stream

MANIFEST = "pqcomq"
"""Name of the metadata entry."""
CHECKSUM = "tensors_sha256"
"""Name of the manifest's entry for :func:`tensors_sha256`; files of version 0.1.0 have none."""
SUFFIX = ".safetensors"
_QUANTIZE_FIRST = (
    "a checkpoint is quantized first, by --model MODEL --checkpoint FILE, or by --model MODEL alone once 'pqcomq "
    "models import MODEL FILE' has taken it over"
)


def weight_tensors(
    weights: Mapping[str, StoredWeight], stream: EntropyStream | None, file_name: Callable[[str], str]
) -> dict[str, Tensor]:
    """The tensors of all layers by their names in the file.

    Args:
        weights: layer name → weight.
        stream: of those that are entropy-coded.
        file_name: a layer's name in the file.
    """
    tensors = {
        f"{file_name(name)}.{part}": tensor.contiguous()
        for name, weight in weights.items()
        if isinstance(weight, QuantizedWeight)
        for part, tensor in weight.parts().items()
    }
    return tensors if stream is None else tensors | stream_tensors(stream)


def described_weights(
    weights: Mapping[str, StoredWeight],
    errors: Mapping[str, float],
    ranges: Mapping[str, tuple[float, float]],
    stream: EntropyStream | None,
) -> dict[str, Any]:
    """What the manifest says of the layers, JSON-ready."""
    layers = {
        name: _described(weight)
        | {"shape": list(weight.shape), "error": errors[name]}
        | ({"input_range": list(ranges[name])} if name in ranges else {})
        for name, weight in weights.items()
    }
    return {"layers": layers} | ({} if stream is None else {STREAM: {"sha256": stream.sha256}})


def _described(weight: StoredWeight) -> dict[str, Any]:
    if isinstance(weight, QuantizedWeight):
        return {"bits": weight.bits, "run": weight.run} | ({"scales": "coarse"} if weight.coarse else {})
    return {"coding": "entropy"}


def format_of(weights: Mapping[str, StoredWeight], stream: EntropyStream | None, plain: int) -> int:
    """The oldest format that can hold the weights.

    It is ``plain``, the next with entropy-coded layers, and the one after that with coarse scales or other widths than
    2, 4 and 8 bits.
    """
    if stream is not None:
        return plain + 1
    packed = [weight for weight in weights.values() if isinstance(weight, QuantizedWeight)]
    return plain + 2 if any(weight.coarse or weight.bits not in BIT_WIDTHS for weight in packed) else plain


def read_settings(path: Path, head: Mapping[str, Any]) -> QuantizationConfig:
    """How a file's layers were quantized.

    Raises:
        InputError: its manifest names settings that there are not.
    """
    try:
        settings = QuantizationConfig.from_dict(head["quantization"])
        check_content(settings.to_dict(), QuantizationConfig)
    except (TypeError, ValueError) as problem:
        raise InputError(f"The manifest is damaged ({problem})", path) from problem
    return settings


def write_packed(path: Path, content: Callable[[], bytes], *, overwrite: bool) -> None:
    """Write a file, whole or not at all.

    Args:
        path: ends in ``.safetensors``.
        content: gives :func:`content_of` what is written, once it is clear that it can be.
        overwrite: replace a file that is already there.

    Raises:
        InputError: the name has another ending, the file exists, or the folder cannot be written (nothing is left).
    """
    if path.suffix != SUFFIX:
        raise InputError("Quantized weights are written to a file that ends in .safetensors", path)
    with replacing(path, overwrite=overwrite) as partial:
        partial.write_bytes(content())


def content_of(tensors: dict[str, Tensor], manifest: Mapping[str, Any]) -> bytes:
    """The bytes of the file, the same every time."""
    head = {**manifest, CHECKSUM: tensors_sha256(tensors)}
    return serialize(tensors, metadata={MANIFEST: json.dumps(head, sort_keys=True)})


def tensors_sha256(tensors: Mapping[str, Tensor]) -> str:
    """A hash of names, types, shapes and values, hexadecimal: a bit that turns in a weight makes another model.

    What is hashed stands in ``docs/file_formats.md``, so that others can make and check it.
    """
    found = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name].contiguous()
        kind = str(tensor.dtype).removeprefix("torch.")
        found.update(f"{' '.join([name, kind, *map(str, tensor.shape)])}\n".encode())
        found.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return found.hexdigest()


def narrow(tensor: Tensor) -> Tensor:
    """In float16 if nothing is lost."""
    if tensor.dtype != torch.float32:
        return tensor
    halved = tensor.half()
    return halved if torch.equal(halved.float(), tensor) else tensor


@dataclass(frozen=True)
class PackedFile:
    """A file whose header was read and whose tensors were not.

    Attributes:
        path: of the file.
        head: its manifest.
        declared: tensor name → type and shape.
    """

    path: Path
    head: dict[str, Any]
    declared: dict[str, Declared]

    @classmethod
    def open(cls, path: Path) -> Self:
        """Read manifest and header; the library has then compared all sizes with the file's own.

        Raises:
            InputError: the file is missing, damaged, or was not written by this package.
        """
        if not path.is_file():
            raise InputError("There is no such weights file", path)
        try:
            with safe_open(path, framework="pt") as stream:
                text = (stream.metadata() or {}).get(MANIFEST)
                slices = {name: stream.get_slice(name) for name in stream.keys()}  # noqa: SIM118
                declared = {name: Declared(each.get_dtype(), tuple(each.get_shape())) for name, each in slices.items()}
        except (SafetensorError, OSError) as problem:
            if path.suffix.lower() != SUFFIX:
                told = f"This is no file of quantized weights, whose names end in {SUFFIX}; {_QUANTIZE_FIRST}"
                raise InputError(told, path) from problem
            raise InputError("The file is truncated, damaged or not a safetensors file", path) from problem
        if text is None:
            told = "The file is a safetensors file, but not one of quantized weights written by pqcomq"
            raise InputError(f"{told}; {_QUANTIZE_FIRST}", path)
        try:
            return cls(path, checked_json(text, AnyManifest), declared)
        except Damaged as problem:
            raise InputError(f"The manifest is damaged ({problem})", path) from problem

    def check(self, schema: type[Manifest], file_name: Callable[[str], str]) -> None:
        """See that a manifest of a known format holds what the format asks for, and that the header agrees with it.

        Raises:
            InputError: it does not, or they do not fit each other.
        """
        try:
            check_content(self.head, schema)
        except Damaged as problem:
            raise InputError(f"The manifest is damaged ({problem})", self.path) from problem
        check_declared(self.path, self.layers, self.declared, file_name)

    @cached_property
    def layers(self) -> dict[str, Layer]:
        """What the manifest, which was checked, says of each quantized layer."""
        return convert(self.head["layers"], dict[str, Layer])

    def tensors(self) -> dict[str, Tensor]:
        """All tensors.

        Raises:
            InputError: they are not those that were written, or cannot be read any more.
        """
        try:
            tensors = load_file(self.path)
        except (SafetensorError, OSError) as problem:
            raise InputError("The file is truncated, damaged or not a safetensors file", self.path) from problem
        if self.head.get(CHECKSUM) not in (None, tensors_sha256(tensors)):
            raise InputError("The file is damaged: its weights are not those that were written (SHA-256)", self.path)
        return tensors


def take_layers(
    path: Path,
    head: Mapping[str, Any],
    entries: Mapping[str, Layer],
    layers: Mapping[str, QuantizableLayer],
    tensors: dict[str, Tensor],
    file_name: Callable[[str], str],
) -> dict[str, QuantizedLayer]:
    """Take all quantized layers out of ``tensors``, checked against the layers of the model.

    Args:
        path: of the file, for messages.
        head: its manifest.
        entries: what that says of each layer.
        layers: of the model, by the same names.
        tensors: of the file.
        file_name: a layer's name in the file.

    Raises:
        InputError: tensors are missing, damaged or do not fit.
    """
    shapes = {name: tuple(layers[name].weight.shape) for name in sorted(layers) if entries[name].coding}
    if any(entries[name].shape != shape for name, shape in shapes.items()):
        raise InputError("The entropy-coded layers do not fit the model's", path)
    coded = take_stream(path, head, shapes, tensors) if shapes else {}
    results: dict[str, QuantizedLayer] = {}
    for name, entry in entries.items():
        weight = coded.get(name) or _take_packed(path, file_name(name), layers[name], entry, tensors)
        results[name] = QuantizedLayer(weight, entry.error, entry.input_range)
    return {name: results[name] for name in layers}


def _take_packed(
    path: Path, name: str, module: QuantizableLayer, entry: Layer, tensors: dict[str, Tensor]
) -> QuantizedWeight:
    """Take one packed weight out of ``tensors``, checked against the layer of the model.

    Args:
        path: of the file, for messages.
        name: of the layer in the file.
        module: the layer of the model.
        entry: what the manifest says of it.
        tensors: of the file.

    Raises:
        InputError: they do not fit.
    """
    shape = tuple(module.weight.shape)
    if shape != entry.shape or entry.bits is None or entry.run is None:
        raise InputError(f"The tensors of layer {name!r} do not fit its layer in the model", path)
    side = COARSE_PARTS if entry.scales else ("scale", "zero_point")
    parts = {part: tensors.pop(f"{name}.{part}") for part in ("codes", *side)}
    if f"{name}.permutation" in tensors:
        parts["permutation"] = tensors.pop(f"{name}.permutation")
    weight = QuantizedWeight.of_parts(parts, entry.bits, entry.run, shape)
    check_values(path, name, weight, parts)
    return weight
