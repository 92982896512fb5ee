"""A finished comparison as panes: masks of all objects, plates of one."""

from __future__ import annotations

import numpy as np

from napari_pqcomq.jobs.comparison_result import ObjectResult, ShownResult
from napari_pqcomq.viewer.scene import Mark, Pane
from napari_pqcomq.viewer.verdict_badges import mark_of
from pqcomq.comparison.gate import Tolerance, judge
from pqcomq.comparison.palette import FULL_COLOUR, QUANTIZED_COLOUR
from pqcomq.comparison.result import Comparison, Side
from pqcomq.comparison.text import side_lines, side_title


def panes_of(result: ShownResult, number: int, tolerance: Tolerance) -> list[Pane]:
    """One pane a model, full precision first.

    Args:
        result: of one or several objects.
        number: of the object that the plates are about.
        tolerance: of the gate.
    """
    titles = [side_title(side) for side in _sides(result.objects[0])]
    colours = [FULL_COLOUR, *[QUANTIZED_COLOUR] * (len(titles) - 1)]
    masks = [
        labels_of([(found.prompt.number, _sides(found)[index].mask) for found in result.objects])
        for index in range(len(titles))
    ]
    lines, marks = plate_lines(result, number), plate_marks(result, number, tolerance)
    return [Pane(*each) for each in zip(titles, lines, masks, colours, marks, strict=True)]


def plate_lines(result: ShownResult, number: int) -> list[tuple[str, ...]]:
    """What each side's plate says of object ``number``; a comparison of several objects names it."""
    found = result.of(number) or result.objects[0]
    head = (found.name,) if len(result.objects) > 1 else ()
    comparisons: tuple[Comparison, ...] = (found.comparison, *found.comparisons)
    return [(*head, *side_lines(comparison, side)) for comparison, side in zip(comparisons, _sides(found), strict=True)]


def plate_marks(result: ShownResult, number: int, tolerance: Tolerance) -> list[Mark | None]:
    """The gate's verdict on each side for object ``number``; there is none on full precision."""
    found = result.of(number) or result.objects[0]
    return [None, *(mark_of(judge(each, tolerance, found.name)) for each in found.comparisons)]


def labels_of(masks: list[tuple[int, np.ndarray]]) -> np.ndarray:
    """Masks as one array of object numbers, (z, y, x) uint8; where masks overlap, the later one is seen."""
    labels = np.zeros(masks[0][1].shape, dtype=np.uint8)
    for number, mask in masks:
        labels[mask] = number
    return labels


def _sides(found: ObjectResult) -> list[Side]:
    return [found.comparison.reference, *(comparison.candidate for comparison in found.comparisons)]
