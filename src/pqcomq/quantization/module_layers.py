"""Which layers of any network can be quantized, and why the others cannot."""

from __future__ import annotations

import copy
from collections import defaultdict

import torch
from torch import nn

from pqcomq.errors import InputError
from pqcomq.quantization.algorithm.gram import QuantizableLayer, quantizable_layers

_OTHER_LAYERS = (
    *(nn.Conv1d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d),
    *(nn.Bilinear, nn.MultiheadAttention),
)
"""Layers that multiply weights too, but not as rows of a matrix that a Gram matrix of inputs belongs to here."""


def layers_and_reasons(module: nn.Module) -> tuple[dict[str, QuantizableLayer], dict[str, str]]:
    """Split a network's linear and two-dimensional convolution layers.

    A layer in which a width cannot stand for itself stays in full precision: its weight is used elsewhere too (tied),
    is computed from other parameters (a parametrization), is not there yet (lazy) or holds no number, or its
    convolution is grouped; and so do convolutions over other dimensions, transposed ones, and what attention of
    torch's own holds itself.

    Args:
        module: any network.

    Returns:
        Name → layer of those that are quantized, in the order of definition, and name → reason of those that are not.
    """
    users = _users_of_parameters(module)
    layers: dict[str, QuantizableLayer] = {}
    reasons: dict[str, str] = {}
    dense = quantizable_layers(module)
    for name, layer in module.named_modules():
        if isinstance(layer, nn.Conv2d) and layer.groups > 1:
            reasons[name] = f"a convolution in {layer.groups} groups"
        elif isinstance(layer, _OTHER_LAYERS):
            reasons[name] = f"a layer of another kind ({type(layer).__name__})"
        elif name in dense:
            reason = _reason(name, dense[name], users)
            if reason:
                reasons[name] = reason
            else:
                layers[name] = dense[name]
    return layers, reasons


def _reason(name: str, layer: QuantizableLayer, users: dict[int, list[str]]) -> str | None:
    """Why a dense layer stays in full precision; None if it is quantized."""
    weight = layer._parameters.get("weight")
    if weight is None:
        return "its weight is computed from other parameters"
    if nn.parameter.is_lazy(weight):
        return "its size is not known before the network has run once"
    if weight.numel() == 0:
        return "it holds no weights"
    others = [each for each in users[id(weight)] if each != name]
    return f"shares its weight with {others[0] or 'the network itself'}" if others else None


def _users_of_parameters(module: nn.Module) -> dict[int, list[str]]:
    """Parameter's id → names of the modules that hold it."""
    users: dict[int, list[str]] = defaultdict(list)
    for name, each in module.named_modules():
        for parameter in each._parameters.values():
            if parameter is not None:
                users[id(parameter)].append(name)
    return users


def copy_of(module: nn.Module) -> nn.Module:
    """A copy of a network in evaluation mode.

    Raises:
        InputError: it cannot be copied: it holds a lock or a file, or a tensor that remembers what it was computed
            from, as ``torch.nn.utils.weight_norm`` leaves behind and ``torch.nn.utils.parametrizations`` does not.
    """
    try:
        return copy.deepcopy(module).eval()
    except Exception as problem:
        first_line = (str(problem).strip() or type(problem).__name__).splitlines()[0]
        raise InputError(f"{type(module).__name__} cannot be copied: {first_line}") from problem


def check_network(module: nn.Module) -> dict[str, QuantizableLayer]:
    """The layers that can be quantized, of a network that the arithmetic fits.

    Raises:
        InputError: there is none, or weights are not float32 on the CPU.
    """
    layers, reasons = layers_and_reasons(module)
    kind = type(module).__name__
    if not layers:
        why = "".join(f"; {name or 'the network itself'}: {reason}" for name, reason in list(reasons.items())[:3])
        raise InputError(f"{kind} has no linear or dense two-dimensional convolution layer to quantize{why}.")
    for name, layer in layers.items():
        if layer.weight.device.type != "cpu":
            raise InputError(f"{kind} is on {layer.weight.device}; move it to the CPU first, by .cpu().")
        if layer.weight.dtype != torch.float32:
            kind_of_number = str(layer.weight.dtype).removeprefix("torch.")
            raise InputError(f"Layer {name!r} holds {kind_of_number}; turn the network to float32 first, by .float().")
    return layers
