"""How long a scale bar is: a round number of millimetres."""

from __future__ import annotations

import math


def round_length(longest: float) -> float:
    """The longest of 1, 2 and 5 millimetres, and their tenfolds and tenths, that is no longer than this.

    Examples:
        >>> [round_length(each) for each in (7.0, 49.9, 99.99999999999999, 0.3)]
        [5.0, 20.0, 50.0, 0.2]
    """
    tens = 10.0 ** math.floor(math.log10(longest))  # a hair below a power of ten it is that power
    return max(tens * each for each in (0.5, 1, 2, 5) if tens * each <= longest)
