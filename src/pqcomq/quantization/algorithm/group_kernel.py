"""The choice of coarse scales and zero-points, one group after the other, compiled."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from pqcomq.quantization.algorithm.compiled import compiled


@cache
def best_groups() -> Callable[..., None]:
    """:func:`choose_groups`, compiled."""
    example = {
        "system": np.ones((1, 2, 2), np.float32),
        "left": np.ones((1, 2), np.float32),
        "scales": np.ones((1, 1), np.float32),
        "zero_points": np.ones((1, 1), np.float32),
        "steps": np.zeros((1, 1), np.int32),
        "powers": np.ones(3, np.float32),
    }
    return compiled(choose_groups, example | {"least": -1, "window": 1, "most_quarter": 15})


def choose_groups(
    system: np.ndarray,
    left: np.ndarray,
    scales: np.ndarray,
    zero_points: np.ndarray,
    steps: np.ndarray,
    powers: np.ndarray,
    least: int,
    window: int,
    most_quarter: int,
) -> None:
    """Of each row the best scale and zero-point of one group after the other, the others held fixed.

    A scale moves by a step at most, each with the zero-point that then is best. All arrays are C-contiguous, and but
    for the steps of one dtype.

    Args:
        system: (n, 2 G, 2 G), normal equations of scales and offsets.
        left: (n, 2 G), their right-hand side with the levels as they are; changed with them.
        scales: (n, G), changed.
        zero_points: (n, G), changed.
        steps: (n, G) int32, of the scales; changed.
        powers: scales of all steps from ``least`` on.
        least: the lowest step.
        window: steps that the scales of a row may lie apart.
        most_quarter: the largest whole number of a zero-point, see :func:`.quarters`.
    """
    number = left.dtype.type
    nothing, two, four, half, most = number(0), number(2), number(4), number(0.5), number(most_quarter)
    rows, count = scales.shape
    for row in range(rows):
        for unit in range(count):
            flat_unit = count + unit
            own, cross = system[row, unit, unit], system[row, unit, flat_unit]
            flat = system[row, flat_unit, flat_unit]
            scale, step = scales[row, unit], steps[row, unit]
            offset = -scale * zero_points[row, unit]
            lowest = max(steps[row].max() - window, least)
            highest = steps[row].min() + window
            gained, by_scale, by_offset = nothing, nothing, nothing
            for move in range(-1, 2):
                moved = min(max(step + move, lowest), highest)
                candidate = powers[min(max(moved - least, 0), len(powers) - 1)]
                rise = candidate - scale
                wanted = offset + (left[row, flat_unit] - cross * rise) / flat
                quarter = np.rint((-wanted / candidate + half) * four)
                if quarter < nothing:  # NaN stays what it is, and gains nothing
                    quarter = nothing
                elif quarter > most:
                    quarter = most
                zero_point = quarter / four - half
                shift = -candidate * zero_point - offset
                gain = two * (rise * left[row, unit] + shift * left[row, flat_unit])
                gain -= own * (rise * rise) + two * cross * rise * shift + flat * (shift * shift)
                if gain > gained:
                    gained, by_scale, by_offset = gain, rise, shift
                    scales[row, unit], zero_points[row, unit], steps[row, unit] = candidate, zero_point, moved
            for other in range(2 * count):
                left[row, other] -= system[row, other, unit] * by_scale + system[row, other, flat_unit] * by_offset
