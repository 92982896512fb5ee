"""Boxes that exercise the mask decoder while it is calibrated, where nobody has drawn any."""

from __future__ import annotations

import math

import numpy as np

_SIDES = (0.08, 0.5)
"""Shortest and longest side, as a share of the content's shorter one: from a small vessel to a liver."""

_SMALL = (0.02, 0.12)
"""Those of every third box: a vessel, a lymph node, a small tumour; 5 to 30 of a model's 256 pixels."""


def random_boxes(pixels: np.ndarray, seed: int, count: int) -> np.ndarray:
    """Boxes of many sizes spread over what a slice shows, every third one small.

    Args:
        pixels: (H, W) uint8.
        seed: the same boxes for the same slice, seed and count.
        count: how many.

    Returns:
        (count, 4) x0 y0 x1 y1 in slice pixels, inside the slice.
    """
    rng = np.random.default_rng(seed)
    rows, columns = np.nonzero(pixels)
    if rows.size == 0:  # nothing is shown: anywhere is as good
        rows, columns = (np.array([0, side - 1]) for side in pixels.shape)
    y0, y1, x0, x1 = rows.min(), rows.max() + 1, columns.min(), columns.max() + 1
    small = np.arange(count) % 3 == 2  # (B,)
    least, most = (math.log(side) for side in _SMALL)
    share = np.where(small, np.exp(rng.uniform(least, most, count)), rng.uniform(*_SIDES, count))  # (B,)
    size = share * min(y1 - y0, x1 - x0)  # (B,)
    aspect = np.exp(rng.uniform(-0.5, 0.5, count))  # (B,)
    width, height = np.minimum(size * aspect, x1 - x0), np.minimum(size / aspect, y1 - y0)
    left = x0 + rng.uniform(0, 1, count) * (x1 - x0 - width)
    top = y0 + rng.uniform(0, 1, count) * (y1 - y0 - height)
    return np.stack([left, top, left + width, top + height], axis=1)
