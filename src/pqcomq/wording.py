"""Numbers in sentences: one thing is not several, and no figure is rounded onto the limit that it misses."""

from __future__ import annotations

import math

_MOST_PLACES = 17
"""More tell no two numbers apart."""


def counted(count: int, one: str, several: str = "") -> str:
    """A number with what it counts.

    Args:
        count: how many.
        one: the word for one of them.
        several: for none or more; by default the same with an s.

    Examples:
        >>> counted(1, "case"), counted(3, "case"), counted(2, "box", "boxes")
        ('1 case', '3 cases', '2 boxes')
    """
    return f"{count} {one if count == 1 else several or f'{one}s'}"


def beside(limit: float, value: float, places: int, sign: str = "") -> str:
    """A figure that is told with a limit, with more places where rounding would put it on the limit or beyond.

    Args:
        limit: that it is held against, as the sentence tells it.
        value: the figure.
        places: behind the point, where they suffice.
        sign: ``"+"`` to tell it of numbers above 0, too.

    Examples:
        >>> beside(0.98, 0.97996, 4), beside(0.98, 0.9712345, 4)
        ('0.97996', '0.9712')
    """
    for more in range(places, _MOST_PLACES):
        text = f"{value:{sign}.{more}f}"
        told = float(text)
        if math.isclose(value, limit, abs_tol=1e-9) or ((told > limit) == (value > limit) and told != limit):
            return text
    return f"{value:{sign}.{_MOST_PLACES}f}"
