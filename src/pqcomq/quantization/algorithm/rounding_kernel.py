"""The inner loop of :mod:`.coordinate_descent`, compiled.

Torch would run seven short operations a column. Each of them lets Python's lock go and takes it back, so that two
threads with a layer each took half as long again as one after the other. Compiled by Numba the loop takes a third of
the time on one core and holds no lock. It gives the same codes: without ``fastmath`` no sum is done in another order.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np


@cache
def block_rounding() -> Callable[..., None]:
    """:func:`round_block`, compiled.

    What was compiled is kept beside this file, or in the user's cache. Where neither can be written it is compiled in
    every process that quantizes, which takes half a second.
    """
    import numba  # a quarter of a second that only quantizing needs

    options: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
    compiled: Callable[..., None]
    try:
        compiled = numba.njit(round_block, cache=True, **options)
        compiled(**_ONE)  # compiled and kept now: a full disk would end the first layer's quantization
    except (RuntimeError, OSError):
        compiled = numba.njit(round_block, **options)
    return compiled


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


_ONE: dict[str, Any] = {
    "start": np.ones((1, 1), np.float32),
    "rest": np.ones((1, 1), np.float32),
    "coupling": np.ones((1, 1), np.float32),
    "scale": np.ones((1, 1), np.float32),
    "zero_point": np.ones((1, 1), np.float32),
    "inverse_scale": np.ones((1, 1), np.float32),
    "inverse_pivot": np.ones(1, np.float32),
    "bottom": 0,
    "top": 15,
    "codes": np.ones((1, 1), np.float32),
    "change": np.ones((1, 1), np.float32),
}
"""The smallest block, of the types that layers have."""
