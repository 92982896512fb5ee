"""What each layer sees on the walk, against hooks on whole forward passes."""

from __future__ import annotations

import copy

import pytest
import torch

from pqcomq.quantization.gram import gathering_moments, quantizable_layers
from pqcomq.quantized.walk import walk


@pytest.fixture(scope="module")
def images(lite_medsam, phantom):
    from pqcomq.volumes.window import eight_bit

    shown = eight_bit(phantom)
    return [lite_medsam.framing.image(shown[z]) for z in (1, 3)]


def test_layers_see_what_their_predecessors_left_them(lite_medsam, images):
    full = lite_medsam.image_encoder
    low = copy.deepcopy(full)
    layers, low_layers = quantizable_layers(full), quantizable_layers(low)
    with gathering_moments(layers) as moments:
        for image in images:
            lite_medsam.embed(image)
    wanted_full = {name: each.gram.clone() for name, each in moments.items()}
    noise = {name: 1 + 0.05 * torch.randn_like(layer.weight) for name, layer in layers.items()}
    seen = {}
    for name, paired in walk(full, low, images, moments):
        seen[name] = paired
        low_layers[name].weight.data *= noise[name]
    assert list(seen) == list(layers)
    assert not moments
    # Now that all of ``low`` is distorted, a plain pass through it must show each layer the inputs that it saw then.
    with gathering_moments(low_layers) as afterwards, torch.inference_mode():
        for image in images:
            low(image)
    for name, paired in seen.items():
        scale = afterwards[name].gram.abs().max()
        assert torch.allclose(paired.seen.gram / scale, afterwards[name].gram / scale, atol=1e-5), name
        assert torch.equal(paired.full.gram, wanted_full[name])
        # X̂ᵀX lies between the two Gram matrices: by Cauchy–Schwarz no entry of its diagonal is larger.
        bound = (paired.seen.gram.diagonal() * paired.full.gram.diagonal()).sqrt()
        assert (paired.cross.diagonal().abs() <= bound * (1 + 1e-3) + 1e-3).all(), name
    assert not any(module._forward_pre_hooks for module in [*full.modules(), *low.modules()])


def test_an_untouched_copy_sees_the_same_inputs(lite_medsam, images):
    full = lite_medsam.image_encoder
    with gathering_moments(quantizable_layers(full)) as moments:
        lite_medsam.embed(images[0])
    for name, paired in walk(full, copy.deepcopy(full), images[:1], moments):
        scale = paired.full.gram.abs().max()
        assert torch.allclose(paired.cross / scale, paired.full.gram / scale, atol=1e-5), name
        assert torch.allclose(paired.seen.total, paired.full.total, rtol=1e-3, atol=1e-2), name
