"""Which layers of a model are quantized, and the names that they go by."""

from __future__ import annotations

import copy
from dataclasses import replace

from torch import Tensor, nn

from pqcomq.models.segmenter import Segmenter
from pqcomq.quantization.algorithm.gram import QuantizableLayer, quantizable_layers

DECODER = "mask_decoder."
ENCODER = "image_encoder."
POSITIONS = f"{ENCODER}pos_embed"
"""In checkpoints and files, see :func:`positions`."""

_BESIDE_MASKS = tuple(
    f"{DECODER}{part}." for part in ("iou_prediction_head", *(f"output_hypernetworks_mlps.{k}" for k in (1, 2, 3)))
)
"""The decoder's guess of a mask's quality, and three further masks for prompts that could mean several things: a box
means one, and neither is ever asked for."""


def layers_to_quantize(segmenter: Segmenter, *, decoder: bool) -> dict[str, QuantizableLayer]:
    """The image encoder's layers by their names in it, and if asked for the mask decoder's behind ``mask_decoder.``."""
    return layers_of(segmenter.image_encoder, segmenter.mask_decoder if decoder else None)


def layers_of(encoder: nn.Module, decoder: nn.Module | None) -> dict[str, QuantizableLayer]:
    """The same of two networks; no decoder, no layers of it."""
    layers = quantizable_layers(encoder)
    if decoder is not None:
        layers |= {f"{DECODER}{name}": layer for name, layer in quantizable_layers(decoder).items()}
    return layers


def reaches_masks(layer: str) -> bool:
    """Whether a layer has any part in the mask of a box."""
    return not layer.startswith(_BESIDE_MASKS)


def positions(segmenter: Segmenter) -> nn.Parameter | None:
    """The encoder's absolute position embedding (1, side, side, C); None if it has none."""
    return dict(segmenter.image_encoder.named_parameters()).get(POSITIONS.removeprefix(ENCODER))


def state_name(layer: str) -> str:
    """A layer's name in checkpoints and files, which tell all parts by prefixes."""
    return layer if layer.startswith(DECODER) else f"{ENCODER}{layer}"


def copied(segmenter: Segmenter) -> Segmenter:
    """The same model with image encoder and mask decoder of its own, so that their weights may be changed."""
    return replace(
        segmenter,
        image_encoder=copy.deepcopy(segmenter.image_encoder),
        mask_decoder=copy.deepcopy(segmenter.mask_decoder),
    )


def with_weights_apart(segmenter: Segmenter) -> Segmenter:
    """A model that shares its weights with this one until it is given others, of which this one takes no notice."""

    def apart(network: nn.Module) -> nn.Module:
        shared: dict[int, Tensor] = {id(each): nn.Parameter(each.data, False) for each in network.parameters()}
        shared |= {id(each): each for each in network.buffers()}
        return copy.deepcopy(network, shared)

    return replace(segmenter, image_encoder=apart(segmenter.image_encoder), mask_decoder=apart(segmenter.mask_decoder))
