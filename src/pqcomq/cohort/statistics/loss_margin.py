"""How much worse than full precision a quantized model may be where nothing else was stated beforehand."""

DEFAULT_MARGIN = 0.01
"""Dice against ground truth."""
