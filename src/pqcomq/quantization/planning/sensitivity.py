"""How much damage to the model's output a layer's quantization does, measured by doing it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import fmean

import torch
from torch import Tensor, nn

from pqcomq.models.encoder_stages import encoder_stages
from pqcomq.models.segmenter import Segmenter
from pqcomq.quantization.algorithm.gram import QuantizableLayer, quantizable_layers
from pqcomq.quantization.layer_names import DECODER, layers_to_quantize, reaches_masks


def relative_difference(full: Tensor, low: Tensor) -> float:
    """``‖a − b‖² / ‖a‖²``."""
    return float((full - low).square().sum() / full.square().sum().clamp_min(1e-30))


@contextmanager
def weights_in_place(layers: Mapping[str, QuantizableLayer], weights: Mapping[str, Tensor]) -> Iterator[None]:
    """Let some layers have other weights for a while."""
    own = {name: layers[name].weight.data for name in weights}
    try:
        for name, weight in weights.items():
            layers[name].weight.data = weight.view_as(own[name])
        yield
    finally:
        for name, weight in own.items():
            layers[name].weight.data = weight


@dataclass(frozen=True)
class View:
    """What damage is measured on.

    Attributes:
        image: (1, 3, side, side).
        boxes: (B, 1, 4) in model pixels, none that layers were fitted to: damage by those is several times smaller.
    """

    image: Tensor
    boxes: Tensor


@torch.inference_mode()
def model_damage(model: Segmenter, views: Sequence[View], trials: Mapping[str, Tensor]) -> Iterator[tuple[str, float]]:
    """The masks' relative error for each layer's trial weight, every other layer in full precision.

    Masks are taken as probabilities: errors of logits that are far from the border between inside and outside, as most
    are, change no mask.

    Args:
        model: in full precision; a copy that nobody else uses, for its weights are changed and put back.
        views: one or more; that of encoder layers to the embedding is measured on the first alone.
        trials: layer name → quantized weight (n, m), a mask decoder's layers behind ``mask_decoder.``.

    Yields:
        Layer name and expected ``‖error of the masks‖² / ‖masks‖²``.
    """
    layers = layers_to_quantize(model, decoder=True)
    along = _through_stages(model.image_encoder, views[0].image)
    features = [along[-1], *(model.embed(view.image) for view in views[1:])]
    wanted = [model.logits(each, view.boxes).sigmoid() for each, view in zip(features, views, strict=True)]
    of_encoder = {name: weight for name, weight in trials.items() if not name.startswith(DECODER)}
    with weights_in_place(layers, of_encoder):
        reached = [model.embed(view.image) for view in views]
    harm = fmean(_harm(model, *each) for each in zip(wanted, reached, views, strict=True))
    distance = fmean(relative_difference(*each) for each in zip(features, reached, strict=True))
    onward = harm / distance if distance > 0 else 0.0
    for name, damage in encoder_damage(model.image_encoder, along, of_encoder):
        yield name, onward * damage
    for name in [name for name in trials if name not in of_encoder]:
        if not reaches_masks(name):
            yield name, 0.0
            continue
        with weights_in_place(layers, {name: trials[name]}):
            damage = fmean(_harm(model, *each) for each in zip(wanted, features, views, strict=True))
        yield name, damage


def _harm(model: Segmenter, wanted: Tensor, features: Tensor, view: View) -> float:
    """The relative error of a view's masks."""
    return relative_difference(wanted, model.logits(features, view.boxes).sigmoid())


def _staged_layers(encoder: nn.Module) -> list[tuple[nn.Module, dict[str, QuantizableLayer]]]:
    """Every stage with those of the encoder's quantizable layers that lie in it."""
    layers = quantizable_layers(encoder)
    stages = []
    for stage in encoder_stages(encoder):
        inside = set(stage.modules())
        stages.append((stage, {name: layer for name, layer in layers.items() if layer in inside}))
    return stages


def _through_stages(encoder: nn.Module, image: Tensor) -> list[Tensor]:
    """What enters each stage, and last of all the embedding."""
    along = [image]
    for stage in encoder_stages(encoder):
        along.append(stage(along[-1]))
    return along


@torch.inference_mode()
def encoder_damage(
    encoder: nn.Module, along: Sequence[Tensor], trials: Mapping[str, Tensor]
) -> Iterator[tuple[str, float]]:
    """The embedding's relative error for each layer's trial weight, every other layer in full precision.

    Running the whole encoder once a layer would take minutes. Instead a layer's error is measured at the end of its
    stage, and what becomes of such an error on the way to the embedding once a stage, with all trials of the stage in
    place: two factors whose product came within a few tenths of the direct measurement on LiteMedSAM.

    Args:
        encoder: in full precision; a copy that nobody else uses, for its weights are changed and put back.
        along: what enters each stage in full precision, and last of all the embedding.
        trials: layer name → quantized weight (n, m).

    Yields:
        Layer name and expected ``‖embedding error‖² / ‖embedding‖²``.
    """
    stages = _staged_layers(encoder)
    for index, (stage, layers) in enumerate(stages):
        x, wanted = along[index], along[index + 1]
        with weights_in_place(layers, {name: trials[name] for name in layers}):
            reached = stage(x)
        local = relative_difference(wanted, reached)
        for later, _layers in stages[index + 1 :]:
            reached = later(reached)
        gain = relative_difference(along[-1], reached) / local if local > 0 else 0.0
        for name in layers:
            with weights_in_place(layers, {name: trials[name]}):
                alone = relative_difference(wanted, stage(x))
            yield name, gain * alone
