"""How much damage to the model's output a layer's quantization does, measured by doing it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from pqcomq.quantization.gram import QuantizableLayer
from pqcomq.quantized.walk import staged_layers


def _difference(full: Tensor, low: Tensor) -> float:
    """``‖a − b‖² / ‖a‖²``."""
    return float((full - low).square().sum() / full.square().sum().clamp_min(1e-30))


@contextmanager
def _in_place(layers: Mapping[str, QuantizableLayer], weights: Mapping[str, Tensor]) -> Iterator[None]:
    """Let some layers have other weights for a while."""
    own = {name: layers[name].weight.data for name in weights}
    try:
        for name, weight in weights.items():
            layers[name].weight.data = weight.view_as(own[name])
        yield
    finally:
        for name, weight in own.items():
            layers[name].weight.data = weight


@torch.inference_mode()
def decoder_damage(
    layers: Mapping[str, QuantizableLayer], logits: Callable[[], Tensor], trials: Mapping[str, Tensor]
) -> Iterator[tuple[str, float]]:
    """The mask logits' relative error for each layer's trial weight, every other layer in full precision.

    Args:
        layers: of a decoder that nobody else uses, for its weights are changed and put back.
        logits: runs that decoder on some embedding and boxes.
        trials: layer name → quantized weight (n, m).

    Yields:
        Layer name and ``‖error of the logits‖² / ‖logits‖²``.
    """
    wanted = logits()
    for name, layer in layers.items():
        with _in_place({name: layer}, {name: trials[name]}):
            damage = _difference(wanted, logits())
        yield name, damage


@torch.inference_mode()
def encoder_damage(encoder: nn.Module, image: Tensor, trials: Mapping[str, Tensor]) -> Iterator[tuple[str, float]]:
    """The embedding's relative error for each layer's trial weight, every other layer in full precision.

    Running the whole encoder once a layer would take minutes. Instead a layer's error is measured at the end of its
    stage, and what becomes of such an error on the way to the embedding once a stage, with all trials of the stage in
    place: two factors whose product came within a few tenths of the direct measurement on LiteMedSAM.

    Args:
        encoder: in full precision; a copy that nobody else uses, for its weights are changed and put back.
        image: (1, 3, side, side).
        trials: layer name → quantized weight (n, m).

    Yields:
        Layer name and expected ``‖embedding error‖² / ‖embedding‖²``.
    """
    stages = staged_layers(encoder)
    entering = [image]
    for stage, _layers in stages:
        entering.append(stage(entering[-1]))
    for index, (stage, layers) in enumerate(stages):
        x, wanted = entering[index], entering[index + 1]
        with _in_place(layers, {name: trials[name] for name in layers}):
            reached = stage(x)
        local = _difference(wanted, reached)
        for later, _layers in stages[index + 1 :]:
            reached = later(reached)
        gain = _difference(entering[-1], reached) / local if local > 0 else 0.0
        for name in layers:
            with _in_place(layers, {name: trials[name]}):
                alone = _difference(wanted, stage(x))
            yield name, gain * alone
