"""Prompts on the command line: boxes, and points inside and outside of one object."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pqcomq.cli.terminal.boxes import BoxUnit, boxes_of
from pqcomq.cli.terminal.lists import is_number
from pqcomq.errors import InputError
from pqcomq.segmentation.prompt import Prompt, PromptPoint
from pqcomq.volumes.volume import Volume


def prompts_of(
    boxes: Sequence[str],
    points: Sequence[str],
    negative_points: Sequence[str],
    slices: str | None,
    unit: BoxUnit,
    volume: Volume,
) -> list[Prompt]:
    """The prompts that options name: one for each box, or one of points, beside a box or alone.

    Args:
        boxes: six numbers each.
        points: three numbers each, inside the object.
        negative_points: likewise, outside of it.
        slices: first and last slice of a prompt of points alone; None for those of the points.
        unit: of boxes and points.
        volume: that they lie in.

    Raises:
        InputError: there is nothing to segment, they do not go together, are no numbers, or reach outside.
    """
    given = boxes_of(boxes, unit, volume)
    marks = [_point(text, unit, volume, positive=True) for text in points]
    marks += [_point(text, unit, volume, positive=False) for text in negative_points]
    if slices is not None and (given or not marks):
        raise InputError("--slices says how far points alone are followed; a box has its own slices.")
    if marks and len(given) > 1:
        raise InputError(
            f"Points belong to one object, but there are {len(given)} boxes; run the command once for each."
        )
    shape = volume.grid.shape_zyx
    if not marks:
        if not given:
            raise InputError("Name what to segment: --box or --point.")
        return [Prompt(box) for box in given]
    return [Prompt(given[0] if given else None, tuple(marks), _span(slices)).checked(shape)]


def single_prompt(
    boxes: Sequence[str],
    points: Sequence[str],
    negative_points: Sequence[str],
    slices: str | None,
    unit: BoxUnit,
    volume: Volume,
) -> Prompt:
    """The same for commands that take one prompt.

    Raises:
        InputError: there are several, too.
    """
    if len(boxes) > 1:
        raise InputError(f"This command takes one --box, not {len(boxes)}; pqcomq segment takes several.")
    return prompts_of(boxes, points, negative_points, slices, unit, volume)[0]


def _point(text: str, unit: BoxUnit, volume: Volume, *, positive: bool) -> PromptPoint:
    values = [float(piece) if is_number(piece) else None for piece in text.replace(",", " ").split()]
    numbers = [value for value in values if value is not None]
    if len(numbers) != len(values) or len(numbers) != 3:
        raise InputError(f"A point needs three numbers x, y, z, not '{text}'.")
    if unit is BoxUnit.mm:
        x, y, z = volume.grid.to_voxels(np.array([numbers]))[0].tolist()
        numbers = [x, y, float(np.rint(z))]
    return PromptPoint.of(numbers, positive=positive)


def _span(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    values = text.replace(",", " ").split()
    if len(values) != 2 or not all(is_number(value) and float(value).is_integer() for value in values):
        raise InputError(f"--slices needs two whole numbers, the first and the last slice, not '{text}'.")
    return int(float(values[0])), int(float(values[1]))
