"""Grams of whole passes, to hold against what layers see one after another."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pqcomq.quantization.algorithm.gram import InputGram, PassGrams, QuantizableLayer, no_grams


@contextmanager
def gathering_grams(layers: dict[str, QuantizableLayer]) -> Iterator[dict[str, InputGram]]:
    """While open, every forward pass of this thread adds to each layer's Gram matrix."""
    grams = no_grams(layers)
    watching = PassGrams(layers)
    try:
        with watching.into(grams):
            yield grams
    finally:
        watching.end()
