"""How much damage to the model's output a layer's quantization does, measured by doing it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from statistics import fmean

import torch
from torch import Tensor, nn

from pqcomq.models.encoder_stages import encoder_stages
from pqcomq.models.segmenter import Segmenter
from pqcomq.models.transforms import PromptTensors
from pqcomq.quantization.algorithm.gram import QuantizableLayer, quantizable_layers
from pqcomq.quantization.layer_names import DECODER, layers_to_quantize, reaches_masks, with_weights_apart
from pqcomq.quantization.planning.recall import Recall
from pqcomq.quantization.workers import Workers


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
        prompts: none that layers were fitted to: damage by those is several times smaller.
    """

    image: Tensor
    prompts: PromptTensors


def model_damage(
    model: Segmenter, views: Sequence[View], trials: Mapping[str, Tensor], workers: Workers
) -> Iterator[tuple[str, float]]:
    """The masks' relative error for each layer's trial weight, every other layer in full precision.

    Masks are taken as probabilities: errors of logits that are far from the border between inside and outside, as most
    are, change no mask.

    Args:
        model: in full precision.
        views: one or more; that of encoder layers to the embedding is measured on the first alone.
        trials: layer name → quantized weight (n, m), a mask decoder's layers behind ``mask_decoder.``.
        workers: threads that measure layers beside each other, each on a model whose weights it may change.

    Yields:
        Layer name and expected ``‖error of the masks‖² / ‖masks‖²``.
    """
    of_encoder = {name: weight for name, weight in trials.items() if not name.startswith(DECODER)}
    own = _OfThread(model)
    (along,) = workers.in_order([lambda: _through_stages(own.model.image_encoder, views[0].image)])
    others = list(workers.in_order(partial(own.embedding, view) for view in views[1:]))
    features = [along[-1], *others]
    seen = list(zip(features, views, strict=True))
    of_decoder = [name for name in trials if name not in of_encoder and reaches_masks(name)]
    recalls = list(workers.in_order(partial(own.recall, *each, of_decoder) for each in seen))
    wanted = [each.result for each in recalls]
    reached = list(workers.in_order(partial(own.embedding, view, of_encoder) for view in views))
    low = list(workers.in_order(partial(own.masks, *each) for each in zip(reached, views, strict=True)))
    with torch.inference_mode():
        harm = fmean(relative_difference(*each) for each in zip(wanted, low, strict=True))
        distance = fmean(relative_difference(*each) for each in zip(features, reached, strict=True))
    onward = harm / distance if distance > 0 else 0.0
    damages = encoder_damage(lambda: own.model.image_encoder, along, of_encoder, workers)
    for name, damage in damages:
        yield name, onward * damage

    def harm_of(name: str) -> float:
        return fmean(
            relative_difference(recall.result, own.masks_from(recall, name, trials[name], *each))
            for recall, each in zip(recalls, seen, strict=True)
        )

    harms = workers.in_order(partial(harm_of, name) for name in of_decoder)
    for name in trials:
        if name not in of_encoder:
            yield name, next(harms) if reaches_masks(name) else 0.0


class _OfThread(threading.local):
    """A model for each thread, which may change its weights.

    Attributes:
        model: the thread's own.
    """

    def __init__(self, model: Segmenter) -> None:
        self.model = with_weights_apart(model)
        self._layers = layers_to_quantize(self.model, decoder=True)

    def embedding(self, view: View, weights: Mapping[str, Tensor] | None = None) -> Tensor:
        """Of a view, with some layers' weights replaced."""
        with weights_in_place(self._layers, weights or {}):
            return self.model.embed(view.image)

    def masks(self, features: Tensor, view: View, weights: Mapping[str, Tensor] | None = None) -> Tensor:
        """Probabilities of a view's masks, with some layers' weights replaced."""
        with weights_in_place(self._layers, weights or {}):
            return self.model.logits(features, *view.prompts).sigmoid()

    def recall(self, features: Tensor, view: View, layers: Iterable[str]) -> Recall:
        """The masks in full precision, and what the decoder's modules gave on the way."""
        inside = [name.removeprefix(DECODER) for name in layers]
        return Recall(self.model.mask_decoder, partial(self.masks, features, view), inside)

    def masks_from(self, recall: Recall, name: str, weight: Tensor, features: Tensor, view: View) -> Tensor:
        """:meth:`masks` with the weight of one of the decoder's layers replaced."""
        with recall.until(name.removeprefix(DECODER), self.model.mask_decoder):
            return self.masks(features, view, {name: weight})


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


def encoder_damage(
    encoder: Callable[[], nn.Module], along: Sequence[Tensor], trials: Mapping[str, Tensor], workers: Workers
) -> Iterator[tuple[str, float]]:
    """The embedding's relative error for each layer's trial weight, every other layer in full precision.

    Running the whole encoder once a layer would take minutes. Instead a layer's error is measured at the end of its
    stage, and what becomes of such an error on the way to the embedding once a stage, with all trials of the stage in
    place: two factors whose product came within a few tenths of the direct measurement on LiteMedSAM.

    Args:
        encoder: gives the running thread's own, in full precision, whose weights are changed and put back.
        along: what enters each stage in full precision, and last of all the embedding.
        trials: layer name → quantized weight (n, m).
        workers: threads that measure layers beside each other.

    Yields:
        Layer name and expected ``‖embedding error‖² / ‖embedding‖²``.
    """

    def gain(index: int) -> float:
        stages = _staged_layers(encoder())
        stage, layers = stages[index]
        with weights_in_place(layers, {name: trials[name] for name in layers}):
            reached = stage(along[index])
        local = relative_difference(along[index + 1], reached)
        for later, _layers in stages[index + 1 :]:
            reached = later(reached)
        return relative_difference(along[-1], reached) / local if local > 0 else 0.0

    def alone(index: int, name: str) -> float:
        stage, layers = _staged_layers(encoder())[index]
        with weights_in_place(layers, {name: trials[name]}):
            return relative_difference(along[index + 1], stage(along[index]))

    works: list[Callable[[], float]] = []
    names: list[str | None] = []
    for index, (_stage, layers) in enumerate(_staged_layers(encoder())):
        works += [partial(gain, index), *(partial(alone, index, name) for name in layers)]
        names += [None, *layers]
    onward = 0.0
    for name, found in zip(names, workers.in_order(works), strict=True):
        if name is None:
            onward = found
        else:
            yield name, onward * found
