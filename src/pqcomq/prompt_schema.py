"""What files of this program may say of a prompt, and of the window that its model saw the volume in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta

from pqcomq.json_schema import Exact, Finite, Whole

Coordinate = Annotated[float, Meta(ge=-1e6, le=1e6)]


class Point(Exact):
    """One point of a prompt."""

    x: Coordinate
    y: Coordinate
    z: Whole
    positive: bool


Scribble = Annotated[list[tuple[Whole, Whole, Whole, Whole]], Meta(min_length=1, max_length=1_000_000)]
"""Runs of drawn voxels: slice, row, first and last column."""


class Window(Exact):
    """Level and width."""

    level: Finite
    width: Annotated[float, Meta(gt=0, le=1e300)]


def check_prompt(
    box: Sequence[float] | None, points: Sequence[Point], slices_of_points: object, scribble: object = None
) -> None:
    """See that something is asked.

    Raises:
        ValueError: there is nothing, a scribble does not stand alone, or there are both a box and slices of points.
    """
    if scribble is not None and (box is not None or points):
        raise ValueError("a prompt has a scribble beside a box or points")
    if box is None and scribble is None and not any(each.positive for each in points):
        raise ValueError("a prompt has neither a box nor a positive point")
    if box is not None and slices_of_points is not None:
        raise ValueError("a prompt has both a box and slices of points")
