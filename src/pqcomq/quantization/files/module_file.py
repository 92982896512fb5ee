"""A quantized network of one's own in one ``.safetensors`` file, packed as those of the MedSAM family.

Tensors: each quantized layer as :mod:`.packed_file` says, everything else under its state-dict name, in float16 where
nothing is lost by it. The manifest names the network's class, so that one is told what the file is for; the network
itself is code and is not in the file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

import pqcomq
from pqcomq.errors import InputError
from pqcomq.quantization.files.file_checks import KINDS, check_numbers
from pqcomq.quantization.files.manifest_schema import Manifest
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
from pqcomq.quantization.module_layers import copy_of, layers_and_reasons
from pqcomq.quantization.quantized_module import QuantizedModule

FORMAT = 1
"""Of the plainest files; see :func:`.format_of`."""


def save_module(model: QuantizedModule, path: Path, *, overwrite: bool = False) -> None:
    """Write a quantized network.

    Args:
        model: to write.
        path: ends in ``.safetensors``.
        overwrite: replace a file that is already there.

    Raises:
        InputError: the name has another ending, the file exists, the folder cannot be written (nothing is left), or the
            network holds state that is no tensor, or one that the file cannot hold (sparse, complex of 128 bits).
    """
    write_packed(path, lambda: content_of(_tensors(model), module_manifest(model)), overwrite=overwrite)


def module_manifest(model: QuantizedModule) -> dict[str, Any]:
    """What the file says of itself, JSON-ready."""
    return {
        "network_format": format_of(model.weights, model.stream, FORMAT),
        "network": type(model.module).__name__,
        "quantization": model.settings.to_dict(),
        "effective_bits": model.effective_bits,
        **described_weights(model.weights, model.layer_errors, model.input_ranges, model.stream),
        "versions": {"pqcomq": pqcomq.__version__, "torch": torch.__version__},
    }


def _tensors(model: QuantizedModule) -> dict[str, Tensor]:
    tensors: dict[str, Tensor] = {}
    packed = {f"{layer}.weight" for layer in model.weights}
    for name, value in model.module.state_dict().items():
        if not isinstance(value, Tensor):
            raise InputError(f"The network's state {name!r} is no tensor and cannot be saved.")
        if value.layout is not torch.strided or value.dtype not in KINDS:
            kind = str(value.dtype if value.layout is torch.strided else value.layout).removeprefix("torch.")
            raise InputError(f"The network's state {name!r} is of a kind that the file cannot hold ({kind}).")
        if name not in packed:
            tensors[name] = narrow(value.detach()).clone().contiguous()  # a file holds no tensor twice
    return tensors | weight_tensors(model.weights, model.stream, str)


def load_module(path: Path, module: nn.Module) -> QuantizedModule:
    """Read a quantized network; it computes the same bits as the one that was saved.

    Args:
        path: of the file.
        module: a network of the same architecture, whatever its weights; it is copied and left as it is.

    Raises:
        InputError: the file is missing, damaged, holds no network of one's own, or does not fit the one given, or that
            one cannot be copied.
    """
    file = PackedFile.open(path)
    head = file.head
    if head.get("network_format") not in range(FORMAT, FORMAT + 3):
        raise InputError("The file holds no weights of a network of one's own that this version knows", path)
    file.check(Manifest, str)
    settings, entries = read_settings(path, head), file.layers
    made = copy_of(module)
    layers, _reasons = layers_and_reasons(made)
    if entries.keys() != layers.keys():
        raise InputError(
            f"The file is for a {head.get('network')} with other layers than this {type(module).__name__}", path
        )
    tensors = file.tensors()
    results = take_layers(path, head, entries, layers, tensors, str)
    _fill(path, made, set(layers), tensors)
    return QuantizedModule.of(made, results, settings)


def _fill(path: Path, module: nn.Module, quantized: set[str], tensors: dict[str, Tensor]) -> None:
    """Put what stayed in full precision where it belongs, all of it or nothing."""
    state, packed = module.state_dict(), {f"{layer}.weight" for layer in quantized}
    for name, wanted in state.items():
        if name in packed:
            continue
        stored = tensors.pop(name, None)
        if stored is None or not isinstance(wanted, Tensor) or stored.shape != wanted.shape:
            raise InputError(f"'{name}' is missing or has another shape than the network's", path)
        check_numbers(path, name, stored, wanted)
        state[name] = stored
    if tensors:
        raise InputError(
            f"The file holds tensors that the network does not have, for one {next(iter(tensors))!r}", path
        )
    module.load_state_dict(state)
