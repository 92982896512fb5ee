"""The inner loop of :mod:`.coordinate_descent`, compiled: a third of the time that torch takes on one core."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from pqcomq.quantization.algorithm.compiled import compiled


@cache
def block_rounding() -> Callable[..., None]:
    """:func:`round_block`, compiled."""
    one, pivot = np.ones((1, 1), np.float32), np.ones(1, np.float32)
    inputs = dict.fromkeys(("start", "coupling", "scale", "zero_point", "inverse_scale"), one)
    changed = {name: one.copy() for name in ("rest", "codes", "change")}
    return compiled(round_block, inputs | changed | {"inverse_pivot": pivot, "bottom": 0, "top": 15})


def round_block(
    start: np.ndarray,
    rest: np.ndarray,
    coupling: np.ndarray,
    scale: np.ndarray,
    zero_point: np.ndarray,
    inverse_scale: np.ndarray,
    inverse_pivot: np.ndarray,
    bottom: int,
    top: int,
    codes: np.ndarray,
    change: np.ndarray,
) -> None:
    """Round a block of columns one after the other; all arrays are of one dtype and C-contiguous.

    Args:
        start: (b, n), b of :mod:`.coordinate_descent`.
        rest: (b, n), r; changed as columns are rounded.
        coupling: (b, b), K within the block.
        scale: (b, n), δ.
        zero_point: (b, n), z.
        inverse_scale: (b, n), 1 / δ.
        inverse_pivot: (b,), 1 / K_ii.
        bottom: the smallest code.
        top: the largest code.
        codes: (b, n), filled.
        change: (b, n), filled with q − b.
    """
    columns, rows = start.shape
    lowest, highest = start.dtype.type(bottom), start.dtype.type(top)
    for i in range(columns):
        for row in range(rows):
            target = start[i, row] + rest[i, row] * inverse_pivot[i]
            code = np.rint(zero_point[i, row] + target * inverse_scale[i, row])
            code = min(max(code, lowest), highest)
            codes[i, row] = code
            change[i, row] = scale[i, row] * (code - zero_point[i, row]) - start[i, row]
        for j in range(i + 1, columns):
            for row in range(rows):
                rest[j, row] -= coupling[i, j] * change[i, row]
