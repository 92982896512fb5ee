"""One bar for what a job does one after the other."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from pqcomq.progress import Progress, Steps, translated

T = TypeVar("T")

WHOLE = (0.0, 1.0)
"""All of a bar."""
READY = 0.2
"""Of a job, to make models ready before they are asked; passed at once where they are."""
STEPS = 1000
"""Of a bar that several jobs or parts share."""


def border(first: float, then: float) -> float:
    """Where on a bar one piece of work ends and another begins; neither is to seem nothing.

    Args:
        first: how long the one is expected to take.
        then: how long the other, in the same unit.

    Examples:
        >>> border(60, 20), border(0, 5), border(300, 1)
        (0.75, 0.1, 0.95)
    """
    return min(max(first / (first + then), 0.1), 0.95) if first + then > 0 else 0.5


def part_of(work: Steps[T], begin: float, end: float) -> Steps[T]:
    """Long work as a part of a larger one.

    Args:
        work: that tells its own progress.
        begin: where the part begins, 0 to 1 of the whole.
        end: likewise.
    """

    def told(progress: Progress) -> Progress:
        if not progress.total:
            return progress
        done = begin + (end - begin) * progress.step / progress.total
        return replace(progress, step=round(STEPS * done), total=STEPS)

    return translated(work, told)
