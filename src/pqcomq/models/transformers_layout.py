"""Weights of SAM and MedSAM in the layout of Hugging Face's transformers, under segment-anything's names.

Source: transformers' ``SamModel`` and its script ``convert_sam_to_hf.py``, which goes the other way. Only names change.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct, ValidationError, convert
from torch import Tensor

from pqcomq.errors import InputError
from pqcomq.json_schema import Damaged, read_json

CONFIG, WEIGHTS = "config.json", "model.safetensors"

_MARK = "vision_encoder."
_GAUSSIAN = "prompt_encoder.pe_layer.positional_encoding_gaussian_matrix"
_SHARED = "shared_image_embedding.positional_embedding"
"""The same table a second time, as the image encoder's."""

_PERCEPTRONS = r"(iou_prediction_head|output_hypernetworks_mlps\.\d)"
_RULES: tuple[tuple[str, str], ...] = (
    (r"^vision_encoder\.layers\.", "image_encoder.blocks."),
    (r"^vision_encoder\.", "image_encoder."),
    (r"patch_embed\.projection\.", "patch_embed.proj."),
    (r"neck\.conv1\.", "neck.0."),
    (r"neck\.layer_norm1\.", "neck.1."),
    (r"neck\.conv2\.", "neck.2."),
    (r"neck\.layer_norm2\.", "neck.3."),
    (r"mask_embed\.conv1\.", "mask_downscaling.0."),
    (r"mask_embed\.layer_norm1\.", "mask_downscaling.1."),
    (r"mask_embed\.conv2\.", "mask_downscaling.3."),
    (r"mask_embed\.layer_norm2\.", "mask_downscaling.4."),
    (r"mask_embed\.conv3\.", "mask_downscaling.6."),
    (r"layer_norm_final_attn", "norm_final_attn"),
    (r"layer_norm(\d)", r"norm\1"),
    (rf"{_PERCEPTRONS}\.layers\.0\.", r"\1.layers.1."),
    (rf"{_PERCEPTRONS}\.proj_in\.", r"\1.layers.0."),
    (rf"{_PERCEPTRONS}\.proj_out\.", r"\1.layers.2."),
    (r"upscale_conv1\.", "output_upscaling.0."),
    (r"upscale_layer_norm\.", "output_upscaling.1."),
    (r"upscale_conv2\.", "output_upscaling.3."),
    (r"prompt_encoder\.point_embed\.", "prompt_encoder.point_embeddings."),
    (r"prompt_encoder\.shared_embedding\.positional_embedding", _GAUSSIAN),
)

_SIZES = {768: (12, 12, (2, 5, 8, 11)), 1024: (24, 16, (5, 11, 17, 23)), 1280: (32, 16, (7, 15, 23, 31))}
"""Width → blocks, heads and blocks that see the whole image, of ViT-B, ViT-L and ViT-H."""


class _Vision(Struct):
    """Of transformers' ``SamVisionConfig``, whose files leave out what is default."""

    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    global_attn_indexes: tuple[int, ...] = (2, 5, 8, 11)
    image_size: int = 1024
    patch_size: int = 16
    window_size: int = 14
    use_rel_pos: bool = True


class _Config(Struct):
    """Of any configuration of transformers."""

    model_type: str | None = None


def is_transformers_layout(state: Mapping[str, Tensor]) -> bool:
    """Whether tensors bear the names of transformers' ``SamModel``."""
    return any(name.startswith(_MARK) for name in state) and any(name.startswith("mask_decoder.") for name in state)


def renamed(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The same tensors under segment-anything's names.

    Args:
        state: of a ``SamModel``.

    Examples:
        >>> import torch
        >>> from pqcomq.models.transformers_layout import renamed
        >>> list(renamed({"vision_encoder.layers.0.layer_norm1.weight": torch.ones(2)}))
        ['image_encoder.blocks.0.norm1.weight']
    """
    made = {_name(name): tensor for name, tensor in state.items() if name != _SHARED}
    if _SHARED in state:
        made.setdefault(_GAUSSIAN, state[_SHARED])  # files of tied weights hold the table once
    return made


def _name(name: str) -> str:
    for pattern, replacement in _RULES:
        name = re.sub(pattern, replacement, name)
    return name


def weights_in(path: Path) -> Path:
    """The file of weights: that of a folder in transformers' layout, or the path itself.

    Raises:
        InputError: a folder holds none.
    """
    if not path.is_dir():
        return path
    if not (path / WEIGHTS).is_file():
        raise InputError(f"The folder holds no {WEIGHTS}, so it is no model in transformers' layout", path)
    return path / WEIGHTS


def check_config(weights: Path) -> None:
    """See by ``config.json`` beside the weights that the network is one of SAM's three, where there is one.

    Heads, windows and the blocks that see the whole image leave no trace in the shapes of weights.

    Raises:
        InputError: the configuration is of another model, or of a SAM of other proportions.
    """
    path = weights.with_name(CONFIG)
    if not path.is_file():
        return
    try:
        config = read_json(path, _Config)
        kind = config.get("model_type")
        if kind != "sam":
            raise InputError(f"The configuration is of a model of type {kind!r}, not of SAM", path)
        vision = convert(config.get("vision_config") or {}, _Vision)
    except (Damaged, ValidationError) as problem:
        raise InputError("The file is damaged or no configuration of transformers", path) from problem
    size = (vision.num_hidden_layers, vision.num_attention_heads, vision.global_attn_indexes)
    rest = (vision.image_size, vision.patch_size, vision.window_size, vision.use_rel_pos)
    if _SIZES.get(vision.hidden_size) != size or rest != (1024, 16, 14, True):
        raise InputError(
            f"The configuration is of a SAM of other proportions than ViT-B, ViT-L and ViT-H ({vision.hidden_size} "
            f"channels, {vision.num_hidden_layers} blocks, {vision.num_attention_heads} heads, images of "
            f"{vision.image_size})",
            path,
        )
