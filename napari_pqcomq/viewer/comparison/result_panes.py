"""What the sides of the view show: a finished comparison's masks and figures, or nothing yet."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from napari_pqcomq.translation import tr
from napari_pqcomq.viewer.comparison.verdict_badges import mark_of
from napari_pqcomq.viewer.scene import Mark, Pane
from pqcomq.comparison.comparison_result import ComparisonResult
from pqcomq.comparison.gate import Tolerance, judge
from pqcomq.comparison.presentation.comparison_text import heading, side_lines, side_title
from pqcomq.comparison.presentation.palette import FULL_COLOUR, QUANTIZED_COLOUR
from pqcomq.models.segmenter import Segmenter
from pqcomq.segmentation.box_mask import BoxMask
from pqcomq.volumes.volume import Volume

_LIVE_LINES = (tr("Draw a box: the masks follow."),)


def panes_of(result: ComparisonResult, number: int, tolerance: Tolerance) -> list[Pane]:
    """One pane a model, full precision first.

    Args:
        result: of one or several objects.
        number: of the object that the plates are about.
        tolerance: of the gate.
    """
    titles = [side_title(each) for each in result.objects[0].results]
    masks = [
        labels_of([(found.number, found.results[index].mask) for found in result.objects], result.volume.grid.shape_zyx)
        for index in range(len(titles))
    ]
    lines, marks = plate_lines(result, number, tolerance), plate_marks(result, number, tolerance)
    return [Pane(*each) for each in zip(titles, lines, masks, _colours(len(titles)), marks, strict=True)]


def live_panes(segmenters: Sequence[Segmenter], volume: Volume) -> list[Pane]:
    """One pane a model without masks, which follow the boxes; full precision first."""
    empty = np.zeros(volume.grid.shape_zyx, dtype=np.uint8)
    titles = [heading(each.title, each.precision) for each in segmenters]
    colours = _colours(len(titles))
    return [Pane(title, _LIVE_LINES, empty, colour) for title, colour in zip(titles, colours, strict=True)]


def plate_lines(result: ComparisonResult, number: int, tolerance: Tolerance) -> list[tuple[str, ...]]:
    """What each side's plate says of object ``number``; a comparison of several objects names it."""
    found = result.of(number) or result.objects[0]
    head = (found.name,) if len(result.objects) > 1 else ()
    comparisons = (found.comparisons[0], *found.comparisons)
    below = tolerance.stability
    return [(*head, *side_lines(*each, below)) for each in zip(comparisons, found.results, strict=True)]


def plate_marks(result: ComparisonResult, number: int, tolerance: Tolerance) -> list[Mark | None]:
    """The gate's verdict on each side for object ``number``; there is none on full precision."""
    found = result.of(number) or result.objects[0]
    return [None, *(mark_of(judge(each, tolerance, found.name)) for each in found.comparisons)]


def lowest_failing(result: ComparisonResult, number: int, tolerance: Tolerance) -> int:
    """The side to look at first: of those that fail the gate the one of the fewest bits, or of all if none fails.

    Args:
        result: of one or several objects.
        number: of the object that is judged.
        tolerance: of the gate.

    Returns:
        The side, counted from 0; full precision is side 0.
    """
    found = result.of(number) or result.objects[0]
    sides = list(enumerate(found.comparisons, start=1))
    failing = [each for each in sides if judge(each[1], tolerance, found.name).outcome == "fail"]
    return min(failing or sides, key=lambda each: each[1].candidate.effective_bits)[0]


def labels_of(masks: list[tuple[int, BoxMask]], shape_zyx: tuple[int, int, int]) -> np.ndarray:
    """Masks as one volume of object numbers, (z, y, x) uint8; where masks overlap, the later one is seen."""
    labels = np.zeros(shape_zyx, dtype=np.uint8)
    for number, mask in masks:
        labels[mask.inside][mask.voxels] = number
    return labels


def _colours(sides: int) -> list[str]:
    """Of the headings: full precision's first."""
    return [FULL_COLOUR, *[QUANTIZED_COLOUR] * (sides - 1)]
