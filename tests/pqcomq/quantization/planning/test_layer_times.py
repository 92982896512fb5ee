"""How the time of quantizing is spread over the layers."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from pqcomq.quantization.planning import layer_times as module
from pqcomq.quantization.planning.layer_times import layer_times, watched_pass


def test_a_pass_is_watched_and_leaves_no_hooks(monkeypatch):
    network = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 4))
    layers = {"first": network[0], "second": network[1]}
    unreached = {"never": nn.Linear(4, 4)}
    now = iter([10.0, 11.0, 14.0, 20.0])
    monkeypatch.setattr(module.time, "perf_counter", lambda: next(now))
    seconds, reached = watched_pass(lambda: network(torch.zeros(1, 4)), layers | unreached)
    assert seconds == 10.0
    assert reached == {"first": 0.1, "second": 0.4, "never": 1.0}
    assert not any(each._forward_pre_hooks for each in layers.values())


def test_passes_are_spread_as_they_came_to_the_layers_and_nothing_is_counted_twice():
    layers = {name: nn.Linear(8, 8) for name in "abc"}
    own = sum(layer_times(layers, 0).values())
    reached = {"a": 0.5, "b": 0.4, "c": 0.6}  # b is used before a, too
    times = layer_times(layers, 4, reached)
    assert sum(times.values()) - own == pytest.approx(4 * module.WALK_PASSES * 0.6)
    assert times["b"] == pytest.approx(own / 3)
    assert sum(layer_times(layers, 4).values()) - own == pytest.approx(4 * module.WALK_PASSES)
