"""The greedy allocation against every possible one."""

from __future__ import annotations

import itertools
import random

import pytest

from pqcomq.quantization.algorithm.bit_allocation import BitOption, allocate


def problem(seed):
    """Four layers; harm falls convexly with bits, as rounding errors do."""
    rng = random.Random(seed)
    layers = {}
    for name in "abcd":
        size, weight = rng.randint(50, 500), rng.uniform(0.1, 10)
        layers[name] = [BitOption(bits, 64, size * bits + 10, weight * 4.0**-bits) for bits in (2, 4, 8)]
    return layers


@pytest.mark.parametrize("seed", range(20))
def test_it_keeps_the_budget_and_is_near_the_best_there_is(seed):
    layers = problem(seed)
    cheapest = sum(options[0].storage_bits for options in layers.values())
    budget = 2 * cheapest
    found = allocate(layers, budget)
    assert sum(option.storage_bits for option in found.values()) <= budget
    possible = (
        sum(option.harm for option in choice)
        for choice in itertools.product(*layers.values())
        if sum(option.storage_bits for option in choice) <= budget
    )
    harm = sum(option.harm for option in found.values())
    best = min(possible)
    smallest = sum(options[0].harm for options in layers.values())
    # Within the last step that no longer fits.
    assert harm - best <= 0.15 * (smallest - best)
    assert not any(
        option.harm < found[name].harm
        and sum(o.storage_bits for o in found.values()) - found[name].storage_bits + option.storage_bits <= budget
        for name, options in layers.items()
        for option in options
    )


def test_a_layer_that_harms_nothing_stays_at_the_fewest_bits():
    layers = problem(0) | {"idle": [BitOption(bits, 64, 100 * bits, 0.0) for bits in (2, 4, 8)]}
    assert allocate(layers, 10**9)["idle"].bits == 2
    assert all(allocate(layers, 10**9)[name].bits == 8 for name in "abcd")


def test_a_budget_that_nothing_fits_is_refused():
    with pytest.raises(ValueError, match="the smallest choices already take"):
        allocate(problem(1), 5)
