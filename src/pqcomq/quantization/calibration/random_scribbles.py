"""Scribbles that exercise the mask decoder while a model that takes nothing else is calibrated."""

from __future__ import annotations

import cv2
import numpy as np

from pqcomq.quantization.calibration.random_boxes import random_boxes

_CORNERS = 4
"""Of the line that is drawn in a box."""
_PEN = 1 / 100
"""Width of the line, as a share of the slice's longer side: two to three of the 256 pixels that the model sees."""
_FINE = 3
"""Binary places of OpenCV's coordinates."""


def random_scribbles(pixels: np.ndarray, seed: int, count: int) -> np.ndarray:
    """Bent lines of many sizes spread over what a slice shows, each inside the middle of a random box.

    Args:
        pixels: (H, W) uint8.
        seed: the same scribbles for the same slice, seed and count.
        count: how many.

    Returns:
        (count, H, W) bool.
    """
    rng = np.random.default_rng([seed, count])
    pen = max(1, round(max(pixels.shape) * _PEN))
    drawn = np.zeros((count, *pixels.shape), dtype=np.uint8)
    for place, box in zip(drawn, random_boxes(pixels, seed, count), strict=True):
        low, high = 0.75 * box[:2] + 0.25 * box[2:], 0.25 * box[:2] + 0.75 * box[2:]
        corners = rng.uniform(low, high, (_CORNERS, 2))  # (corners, 2) x y
        cv2.polylines(place, [np.rint(corners * 2**_FINE).astype(np.int32)], False, 1, pen, shift=_FINE)
    return drawn.astype(bool)
