"""Networks that a file will fill are those of their architecture, but for the numbers that nobody needs."""

from __future__ import annotations

import threading

import pytest
import torch
from torch import nn

from pqcomq.models import lite_medsam, mobile_sam
from pqcomq.models.registry import load_model
from pqcomq.models.unfilled import unfilled


def test_a_loaded_network_is_the_one_that_was_drawn_first(lite_medsam_state):
    drawn = lite_medsam.architecture()
    drawn.load_state_dict(lite_medsam_state)
    wanted = lite_medsam.segmenter(drawn, "lite_medsam.pth", lite_medsam.SHIPPED_SHA256, 1)
    found = load_model("lite-medsam")
    for part, module in wanted.parts().items():
        loaded = found.parts()[part]
        for tensors in (nn.Module.named_parameters, nn.Module.named_buffers):
            for (name, own), (other_name, other) in zip(tensors(module), tensors(loaded), strict=True):
                assert name == other_name
                assert torch.equal(own, other), name


@pytest.fixture
def lite_medsam_state():
    return torch.load(lite_medsam.shipped_checkpoint(), weights_only=True)


@pytest.mark.parametrize("family", [lite_medsam, mobile_sam], ids=["lite-medsam", "mobile-sam"])
def test_all_that_a_checkpoint_does_not_hold_is_made(family):
    """Buffers that are not kept in files, such as TinyViT's indices of relative positions."""
    drawn = family.architecture()
    with unfilled():
        made = family.architecture()
    kept = drawn.state_dict().keys()
    assert made.state_dict().keys() == kept
    wanted = {name: each for name, each in drawn.named_buffers() if name not in kept}
    found = dict(made.named_buffers())
    assert wanted
    for name, each in wanted.items():
        assert torch.equal(found[name], each), name


def test_nothing_is_drawn_inside_and_all_as_before_outside():
    torch.manual_seed(3)
    state = torch.get_rng_state()
    with unfilled():
        nn.Linear(40, 30)
        nn.Conv2d(3, 8, 3)
        nn.Embedding(4, 5)
        nn.init.trunc_normal_(torch.empty(4, 4))
        elsewhere = []
        thread = threading.Thread(target=lambda: elsewhere.append(nn.Linear(50, 50)))
        assert torch.equal(torch.get_rng_state(), state), "a random number was drawn"
        thread.start()
        thread.join()
    assert 0.02 < float(elsewhere[0].weight.detach().std()) < 0.2, "another thread's networks are drawn as ever"
    torch.manual_seed(3)
    torch.testing.assert_close(nn.Linear(40, 30).weight, _drawn(3))


def _drawn(seed):
    torch.manual_seed(seed)
    weight = torch.empty(30, 40)
    nn.init.kaiming_uniform_(weight, a=5**0.5)
    return weight
