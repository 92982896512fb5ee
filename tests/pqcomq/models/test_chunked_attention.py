"""A few heads at a time give what segment-anything gives, in less memory."""

from __future__ import annotations

import copy
import inspect

import pytest
import torch
from segment_anything.modeling import ImageEncoderViT
from segment_anything.modeling.image_encoder import Attention

from pqcomq.models import chunked_attention
from pqcomq.models.chunked_attention import LeanAttention, make_lean


@pytest.mark.parametrize("most_scores", [1, 3 * 256**2, 2**24])
@pytest.mark.parametrize("batch", [1, 2])
def test_the_encoder_computes_the_same(monkeypatch, most_scores, batch):
    monkeypatch.setattr(chunked_attention, "_MOST_SCORES", most_scores)
    torch.manual_seed(6)
    network = ImageEncoderViT(
        img_size=256, embed_dim=64, depth=2, num_heads=4, use_rel_pos=True, window_size=14, global_attn_indexes=(1,)
    ).eval()
    for name, parameter in network.named_parameters():
        if "rel_pos" in name or name == "pos_embed":
            torch.nn.init.normal_(parameter, std=0.3)
    lean = copy.deepcopy(network)
    make_lean(lean)
    kinds = [type(module) for module in lean.modules() if isinstance(module, Attention)]
    assert kinds == [LeanAttention] * 2
    assert lean.state_dict().keys() == network.state_dict().keys()
    image = torch.rand(batch, 3, 256, 256)
    with torch.inference_mode():
        torch.testing.assert_close(lean(image), network(image), rtol=1e-5, atol=1e-5)


def test_nothing_of_the_scores_is_held_when_the_last_layer_is_reached():
    torch.manual_seed(7)
    attention = Attention(32, num_heads=2, use_rel_pos=True, input_size=(24, 24))
    make_lean(attention)
    largest = []

    def none_held(_layer, _inputs):
        frames = inspect.stack()
        held = [
            value.numel() for frame in frames for value in frame.frame.f_locals.values() if type(value) is torch.Tensor
        ]
        largest.append(max(held))

    attention.proj.register_forward_pre_hook(none_held)
    with torch.inference_mode():
        attention(torch.rand(1, 24, 24, 32))
    assert largest[0] < 576 * 576
