"""Which layers of a model are quantized, and the names that they go by."""

from __future__ import annotations

import copy
from dataclasses import replace

from torch import nn

from pqcomq.models.segmenter import Segmenter
from pqcomq.quantization.algorithm.gram import QuantizableLayer, quantizable_layers

DECODER = "mask_decoder."
ENCODER = "image_encoder."
POSITIONS = f"{ENCODER}pos_embed"
"""In checkpoints and files, see :func:`positions`."""


def layers_to_quantize(segmenter: Segmenter, *, decoder: bool) -> dict[str, QuantizableLayer]:
    """The image encoder's layers by their names in it, and if asked for the mask decoder's behind ``mask_decoder.``."""
    layers = quantizable_layers(segmenter.image_encoder)
    if decoder:
        layers |= {f"{DECODER}{name}": layer for name, layer in quantizable_layers(segmenter.mask_decoder).items()}
    return layers


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
