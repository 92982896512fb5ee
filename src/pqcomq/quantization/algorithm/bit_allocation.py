"""Which layer gets how many bits, under a budget of storage for all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class BitOption:
    """One way of storing a layer.

    Attributes:
        bits: bit width of its codes.
        group_size: input channels that share a scale.
        storage_bits: that its weight then takes, scales, zero-points and permutation included.
        harm: expected damage to the model's output, additive over layers.
    """

    bits: int
    group_size: int
    storage_bits: int
    harm: float


def allocate(options: Mapping[str, Sequence[BitOption]], storage_bits: float) -> dict[str, BitOption]:
    """Choose one option for every layer so that the sum of harms is small and the storage is kept.

    Marginal analysis (Fox, *Operations Research* 1966): from the cheapest options up, always the change that takes away
    most harm for each bit that it costs, as long as it fits. On convex trade-offs, as of bits against error, this is
    the best there is but for the last few bits of the budget.

    Args:
        options: layer → its options.
        storage_bits: to spend on all layers together.

    Raises:
        ValueError: not even the cheapest options fit.
    """
    chosen = {name: min(each, key=lambda option: (option.storage_bits, option.harm)) for name, each in options.items()}
    left = storage_bits - sum(option.storage_bits for option in chosen.values())
    if left < 0:
        raise ValueError(f"the smallest choices already take {storage_bits - left:.0f} of {storage_bits:.0f} bits")

    def gain(name: str, option: BitOption) -> float:
        """Harm taken away for each further bit; 0 for what is no improvement or does not fit."""
        cost = option.storage_bits - chosen[name].storage_bits
        saved = chosen[name].harm - option.harm
        return saved / cost if 0 < cost <= left and saved > 0 else 0.0

    while True:
        changes = ((gain(name, option), name, option) for name, each in options.items() for option in each)
        best = max(changes, key=lambda change: change[0])
        if best[0] == 0.0:
            return chosen
        _, name, option = best
        left -= option.storage_bits - chosen[name].storage_bits
        chosen[name] = option
