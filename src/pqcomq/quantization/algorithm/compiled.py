"""Loops over single numbers, compiled by Numba.

Torch would run several short operations for each of them, and every one lets Python's lock go and takes it back: two
threads with a layer each took half as long again as one after the other. Compiled loops hold no lock. Without
``fastmath`` no sum is done in another order, so that they give what torch's operations gave.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


def compiled(loop: Callable[..., None], example: Mapping[str, Any]) -> Callable[..., None]:
    """A loop over arrays, compiled for each set of types when it is first called with them.

    What was compiled is kept beside its file, or in the user's cache. Where neither can be written it is compiled in
    every process that quantizes, which takes half a second.

    Args:
        loop: changes arrays that it is given by name.
        example: the smallest arguments, of the types that layers have.
    """
    import numba  # a quarter of a second that only quantizing needs

    options: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
    made: Callable[..., None]
    try:
        made = numba.njit(loop, cache=True, **options)
        made(**example)  # compiled and kept now: a full disk would end a layer's quantization
    except (RuntimeError, OSError):
        made = numba.njit(loop, **options)
    return made
