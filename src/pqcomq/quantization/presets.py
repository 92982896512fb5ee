"""What is chosen for a model where the user chooses nothing but a bit width."""

from __future__ import annotations

from dataclasses import replace

from pqcomq.models import medsam
from pqcomq.quantization.algorithm.config import Method, QuantizationConfig

_BUDGETS = {medsam.KEY: {2: 2.4, 4: 4.38}}
"""Effective bits a weight where they are not the usual ones. A permutation costs 16 bits an input channel, next to
nothing in a layer of 768 outputs, and the seventh and twelfth part of MedSAM ViT-B's checkpoint leave no more."""


def default_settings(model: str, bits: int, method: Method = "pcomq", *, integers: bool = False) -> QuantizationConfig:
    """The settings for a model at a bit width.

    Args:
        model: its key.
        bits: bit width.
        method: one of the family.
        integers: weights that processors multiply as signed bytes; the method is then given.

    Raises:
        ValueError: there is no such bit width.
    """
    chosen = QuantizationConfig.for_integers(bits) if integers else QuantizationConfig.default(bits, method)
    budget = _BUDGETS.get(model, {}).get(bits)
    return chosen if chosen.budget is None or budget is None else replace(chosen, budget=budget)
