"""The rows of the strip of slices: agreement of each quantized model, and full precision's accuracy."""

from __future__ import annotations

from napari_pqcomq.translation import tr
from napari_pqcomq.viewer.overlays.slice_strip import StripRow
from pqcomq.comparison.comparison_result import ObjectComparison
from pqcomq.comparison.presentation.comparison_text import short_names
from pqcomq.segmentation.doubt import DOUBTFUL


def slice_rows(found: ObjectComparison, doubt_below: float = DOUBTFUL) -> list[StripRow]:
    """One row a quantized model against full precision; full precision against ground truth, where there is one.

    Args:
        found: on one object.
        doubt_below: stability score below which a slice is in doubt.
    """
    names = short_names(each.precision for each in found.results)
    rows = [
        StripRow(
            names[each.candidate.precision],
            tr("{short_precision}: Dice vs full precision", short_precision=names[each.candidate.precision]),
            {score.z: score.agreement for score in each.slices},
            each.doubtful_slices(doubt_below),
        )
        for each in found.comparisons
    ]
    first = found.comparisons[0]
    accuracy = {score.z: score.reference_accuracy for score in first.slices if score.reference_accuracy is not None}
    if accuracy:
        precision = names[first.reference.precision]
        rows.append(StripRow(tr("vs truth"), tr("{precision}: Dice vs ground truth", precision=precision), accuracy))
    return rows
