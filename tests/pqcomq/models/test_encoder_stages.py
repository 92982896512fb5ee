from __future__ import annotations

import pytest
import torch

from pqcomq.models import medsam
from pqcomq.models.encoder_stages import encoder_stages
from pqcomq.quantization.algorithm.gram import quantizable_layers


@torch.inference_mode()
def through(encoder, image):
    for stage in encoder_stages(encoder):
        image = stage(image)
    return image


def test_the_stages_of_an_encoder_of_lite_medsam_s_kind_are_that_encoder(small_model):
    image = torch.rand(1, 3, 256, 256)
    torch.testing.assert_close(
        through(small_model.image_encoder, image), small_model.embed(image), rtol=1e-4, atol=1e-4
    )


def test_the_stages_of_a_sam_encoder_are_its_encoder():
    from segment_anything.modeling.image_encoder import ImageEncoderViT

    torch.manual_seed(0)
    small = ImageEncoderViT(
        img_size=64, embed_dim=24, depth=2, num_heads=2, out_chans=16, use_rel_pos=True, window_size=3
    ).eval()
    image = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        torch.testing.assert_close(through(small, image), small(image), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("architecture", ["lite", "vit"])
def test_every_quantizable_layer_lies_in_exactly_one_stage(lite_medsam, architecture):
    with torch.device("meta"):
        encoder = lite_medsam.image_encoder if architecture == "lite" else medsam.architecture().image_encoder
    inside = [module for stage in encoder_stages(encoder) for module in stage.modules()]
    for layer in quantizable_layers(encoder).values():
        assert sum(module is layer for module in inside) == 1
