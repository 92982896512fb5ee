from __future__ import annotations

import pytest
import torch
from torch import nn

from pqcomq.quantization.algorithm.gram import quantizable_layers, spread_rows, tokens, weight_matrix

from ..pass_grams import gathering_grams


@pytest.mark.parametrize(
    ("layer", "inputs"),
    [
        (nn.Linear(5, 3), torch.randn(2, 7, 5)),
        (nn.Conv2d(4, 3, 1), torch.randn(2, 4, 6, 5)),
        (nn.Conv2d(4, 3, 3, padding=1), torch.randn(2, 4, 6, 5)),
        (nn.Conv2d(3, 8, 4, stride=4), torch.randn(2, 3, 8, 12)),
        (nn.Conv2d(3, 8, (1, 3), stride=(2, 1), dilation=2), torch.randn(1, 3, 9, 9)),
        (nn.Conv2d(3, 8, 1, stride=2), torch.randn(1, 3, 6, 6)),
    ],
)
def test_a_layer_is_its_tokens_times_its_weight_matrix(layer, inputs):
    output = layer(inputs)
    rows = output.flatten(0, -2) if isinstance(layer, nn.Linear) else output.flatten(2).transpose(1, 2).flatten(0, 1)
    assert torch.allclose(tokens(layer, inputs) @ weight_matrix(layer).T + layer.bias, rows, atol=1e-5)


def test_grams_sum_over_batches_and_hooks_are_gone_afterwards():
    network = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 2))
    batches = [torch.randn(10, 4), torch.randn(3, 4)]
    with torch.no_grad(), gathering_grams(quantizable_layers(network)) as grams:
        for batch in batches:
            network(batch)
    inputs = torch.cat(batches)
    hidden = network[1](network[0](inputs)).detach()
    assert torch.allclose(grams["0"].gram, inputs.T @ inputs, atol=1e-5)
    assert torch.allclose(grams["2"].gram, hidden.T @ hidden, atol=1e-5)
    before = grams["0"].gram.clone()
    network(batches[0])
    assert torch.equal(grams["0"].gram, before)


def test_depthwise_convolutions_are_left_alone():
    network = nn.Sequential(nn.Conv2d(4, 8, 1), nn.Conv2d(8, 8, 3, groups=8), nn.Conv2d(8, 8, 3, groups=2))
    assert list(quantizable_layers(network)) == ["0"]


@pytest.mark.parametrize(("count", "columns"), [(65_536, 64), (16_384, 128), (4096, 2304), (4096, 128), (1, 8)])
def test_rows_are_thinned_out_evenly_over_an_image(count, columns):
    rows = torch.arange(count)[:, None].expand(count, columns)
    kept = spread_rows(rows)[:, 0]
    assert len(kept) >= min(count, max(columns, 1024))
    assert len(kept) <= 4 * max(columns, 1024)
    if len(kept) < count:
        side = int(count**0.5)
        assert set((kept % side).tolist()) == set(range(side))  # every column of the image is seen
