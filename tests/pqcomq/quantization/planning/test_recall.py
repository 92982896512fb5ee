"""A pass that is taken up where a changed layer begins gives what the whole pass gives, to the bit."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import pqcomq
from pqcomq.models.transforms import PromptTensors
from pqcomq.quantization.layer_names import DECODER, layers_to_quantize, reaches_masks
from pqcomq.quantization.planning.recall import Recall
from pqcomq.quantization.planning.sensitivity import weights_in_place


class Winding(nn.Module):
    """Modules in one another, one that is used twice, one that is never used."""

    def __init__(self):
        super().__init__()
        self.first = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 4))
        self.twice = nn.Linear(4, 4)
        self.pair = nn.ModuleList([nn.Linear(4, 4), nn.Linear(4, 4)])
        self.last = nn.Sequential(nn.Sequential(nn.Linear(4, 4), nn.Tanh()), nn.Linear(4, 4))
        self.never = nn.Linear(4, 4)

    def forward(self, x):
        x = self.twice(self.first(x))
        a, b = self.pair[0](x), self.pair[1](x + 1)
        return self.last(self.twice(a) + b)


LINEAR = ["first.0", "first.2", "twice", "pair.0", "pair.1", "last.0.0", "last.1", "never"]


@pytest.mark.parametrize("layer", LINEAR)
@torch.inference_mode()
def test_every_layer_of_a_winding_network_gives_the_same(layer):
    torch.manual_seed(0)
    network, x = Winding(), torch.randn(5, 4)
    recall = Recall(network, lambda: network(x), LINEAR)
    assert torch.equal(recall.result, network(x))
    layers, weight = dict(network.named_modules()), {layer: torch.randn(4, 4)}
    with weights_in_place(layers, weight):
        whole = network(x)
        with recall.until(layer, network):
            assert torch.equal(network(x), whole)
    assert torch.equal(network(x), recall.result)
    assert not any(
        "forward" in vars(each) or each._forward_hooks or each._forward_pre_hooks for each in network.modules()
    )


@torch.inference_mode()
def test_what_ended_before_is_not_computed_again():
    network, x = Winding(), torch.randn(5, 4)
    recall = Recall(network, lambda: network(x), LINEAR)
    before = network.last[1].weight.clone()
    for parameter in network.parameters():
        parameter.fill_(torch.nan)  # whatever is computed again shows it
    network.last[1].weight.copy_(before)
    network.last[1].bias.fill_(0)
    with recall.until("last.1", network):
        # "twice" is used again on the way to what is recalled, and what it gives is not looked at.
        assert torch.isfinite(network(x)).all()


def test_the_mask_decoder_s_layers_give_the_same_masks():
    segmenter = pqcomq.load_model()
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(1, 256, 64, 64, generator=generator)
    asked = PromptTensors(torch.tensor([[[20.0, 30.0, 120.0, 140.0]]]))
    layers = {
        name: layer
        for name, layer in layers_to_quantize(segmenter, decoder=True).items()
        if name.startswith(DECODER) and reaches_masks(name)
    }
    decoder = segmenter.mask_decoder
    recall = Recall(
        decoder, lambda: segmenter.logits(features, *asked), [each.removeprefix(DECODER) for each in layers]
    )
    for name in list(layers)[::4]:
        changed = {name: layers[name].weight.detach() * 1.1}
        with torch.inference_mode(), weights_in_place(layers, changed):
            whole = segmenter.logits(features, *asked)
            with recall.until(name.removeprefix(DECODER), decoder):
                taken_up = segmenter.logits(features, *asked)
        assert torch.equal(taken_up, whole), name
        assert not torch.equal(taken_up, recall.result), name
