"""What is shown in a blinded reading, in which order, and on which side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pqcomq.comparison.model_result import Comparison


@dataclass(frozen=True)
class Item:
    """One pair of masks to choose between.

    Attributes:
        name: of the object.
        precision: of the quantized model; part of what is hidden.
        z: slice on which it is read.
    """

    name: str
    precision: str
    z: int


@dataclass(frozen=True)
class Trial:
    """An item with its sides assigned.

    Attributes:
        number: from 1, in the order of reading.
        item: what is shown.
        quantized_is_left: hidden until the reading ends.
    """

    number: int
    item: Item
    quantized_is_left: bool


def items_of(name: str, comparison: Comparison, most: int) -> list[Item]:
    """Slices worth reading: those on which the masks differ, evenly spread.

    Where the masks are the same there is nothing to prefer.

    Args:
        name: of the object.
        comparison: of the object.
        most: slices at the most.
    """
    reference, candidate = comparison.reference.mask, comparison.candidate.mask
    differing = [
        z for z in comparison.prompt.slices if not np.array_equal(reference.on_slice(z), candidate.on_slice(z))
    ]
    if len(differing) > most:
        places = np.linspace(0, len(differing) - 1, most).round().astype(int)
        differing = [differing[place] for place in places]
    return [Item(name, comparison.candidate.precision, z) for z in differing]


def dealt(items: Sequence[Item], seed: int) -> tuple[Trial, ...]:
    """Shuffle the items, and put each quantized model left in half of its trials.

    Exactly half, not one independent toss each: a reader's preference for one side then favours neither model.

    Args:
        items: what is read.
        seed: the same order and sides for the same seed and items.
    """
    generator = np.random.default_rng(seed)
    order = generator.permutation(len(items))
    shuffled = [items[index] for index in order]
    left = np.zeros(len(items), bool)
    for precision in sorted({each.precision for each in items}):
        places = [place for place, each in enumerate(shuffled) if each.precision == precision]
        left[places] = generator.permutation(np.arange(len(places)) % 2 == generator.integers(2))
    return tuple(
        Trial(number, item, bool(side)) for number, (item, side) in enumerate(zip(shuffled, left, strict=True), start=1)
    )
