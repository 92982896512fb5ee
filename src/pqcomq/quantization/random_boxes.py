"""Boxes that exercise the mask decoder while it is calibrated, where nobody has drawn any."""

from __future__ import annotations

import numpy as np

BOXES_A_SLICE = 6

_SIDES = (0.08, 0.5)
"""Shortest and longest side, as a share of the content's shorter one: from a small vessel to a liver."""


def random_boxes(pixels: np.ndarray, seed: int) -> np.ndarray:
    """Boxes of many sizes spread over what a slice shows.

    Args:
        pixels: (H, W) uint8.
        seed: the same boxes for the same slice and seed.

    Returns:
        (6, 4) x0 y0 x1 y1 in slice pixels, inside the slice.
    """
    rng = np.random.default_rng(seed)
    rows, columns = np.nonzero(pixels)
    if rows.size == 0:  # nothing is shown: anywhere is as good
        rows, columns = (np.array([0, side - 1]) for side in pixels.shape)
    y0, y1, x0, x1 = rows.min(), rows.max() + 1, columns.min(), columns.max() + 1
    size = rng.uniform(*_SIDES, BOXES_A_SLICE) * min(y1 - y0, x1 - x0)  # (B,)
    aspect = np.exp(rng.uniform(-0.5, 0.5, BOXES_A_SLICE))  # (B,)
    width, height = np.minimum(size * aspect, x1 - x0), np.minimum(size / aspect, y1 - y0)
    left = x0 + rng.uniform(0, 1, BOXES_A_SLICE) * (x1 - x0 - width)
    top = y0 + rng.uniform(0, 1, BOXES_A_SLICE) * (y1 - y0 - height)
    return np.stack([left, top, left + width, top + height], axis=1)
