"""Prompts on the command line: boxes, points inside and outside of one object, and scribbles from a file of labels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pqcomq.cli.terminal.boxes import BoxUnit, boxes_of
from pqcomq.cli.terminal.lists import is_number
from pqcomq.errors import InputError
from pqcomq.segmentation.prompt import Prompt, PromptPoint
from pqcomq.segmentation.scribble import Scribble
from pqcomq.volumes.labels.label_maps import read_labels
from pqcomq.volumes.labels.labels_present import labels_present
from pqcomq.volumes.volume import Volume

BACKGROUND = 1000
"""Label of what the MedSAM authors' files of scribbles have outside of all objects; no model is asked with it."""


def prompts_of(
    boxes: Sequence[str],
    points: Sequence[str],
    negative_points: Sequence[str],
    slices: str | None,
    unit: BoxUnit,
    volume: Volume,
    scribbles: Path | None = None,
) -> list[Prompt]:
    """The prompts that options name: one for each box, one of points, beside a box or alone, or one for each scribble.

    Args:
        boxes: six numbers each.
        points: three numbers each, inside the object.
        negative_points: likewise, outside of it.
        slices: first and last slice of a prompt of points or of a scribble; None for those that they lie on.
        unit: of boxes and points.
        volume: that they lie in.
        scribbles: file of labels on the volume's voxels, one for each object.

    Raises:
        InputError: there is nothing to segment, they do not go together, are no numbers, or reach outside; the file
            cannot be read or lies on another grid.
    """
    given = boxes_of(boxes, unit, volume)
    marks = [_point(text, unit, volume, positive=True) for text in points]
    marks += [_point(text, unit, volume, positive=False) for text in negative_points]
    shape = volume.grid.shape_zyx
    if scribbles is not None:
        if given or marks:
            raise InputError("A scribble stands alone: --scribble goes with neither --box nor points.")
        drawn = _drawn(scribbles, volume)
        return [Prompt(scribble=each, span=_span(slices)).checked(shape) for each in drawn]
    if slices is not None and (given or not marks):
        raise InputError("--slices says how far points alone or a scribble are followed; a box has its own slices.")
    if marks and len(given) > 1:
        raise InputError(
            f"Points belong to one object, but there are {len(given)} boxes; run the command once for each."
        )
    if not marks:
        if not given:
            raise InputError("Name what to segment: --box, --point or --scribble.")
        return [Prompt(box) for box in given]
    return [Prompt(given[0] if given else None, tuple(marks), _span(slices)).checked(shape)]


def single_prompt(
    boxes: Sequence[str],
    points: Sequence[str],
    negative_points: Sequence[str],
    slices: str | None,
    unit: BoxUnit,
    volume: Volume,
    scribbles: Path | None = None,
) -> Prompt:
    """The same for commands that take one prompt.

    Raises:
        InputError: there are several, too.
    """
    if len(boxes) > 1:
        raise InputError(f"This command takes one --box, not {len(boxes)}; pqcomq segment takes several.")
    found = prompts_of(boxes, points, negative_points, slices, unit, volume, scribbles)
    if len(found) > 1:
        raise InputError(f"The file holds {len(found)} scribbles, and this command takes one.", scribbles)
    return found[0]


def _drawn(path: Path, volume: Volume) -> list[Scribble]:
    """The scribbles of a file, by the numbers of their labels."""
    labels = read_labels(path, volume)
    numbers = [number for number in labels_present(labels) if number != BACKGROUND]
    if not numbers:
        raise InputError("The file holds no scribble: it has no label but 0 and 1000, the background.", path)
    return [Scribble.of(labels == number) for number in numbers]


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
