"""Whether a model was calibrated on the very image that it is judged on."""

from __future__ import annotations

from collections.abc import Iterable

from pqcomq.cohort.settings import CALIBRATED_ON
from pqcomq.comparison.compared_model import ComparedModel
from pqcomq.volumes.volume import Volume

CALIBRATED_HERE = "calibrated on this very image, on which they are then judged"
"""In the note of such a case."""


def calibrated_here(volume: Volume, models: Iterable[ComparedModel]) -> tuple[str, ...]:
    """A note where models were calibrated on slices of a case's own image, without having been made for it.

    Args:
        volume: of the case.
        models: of the cohort; those that are calibrated on each case's own volume by request say so in their names.
    """
    own = CALIBRATED_ON["own"]
    names = dict.fromkeys(
        model.segmenter.precision
        for model in models
        if model.weights is not None
        and own not in model.segmenter.precision
        and any(each.get("voxels_sha256") == volume.sha256 for each in model.weights.calibration.get("volumes", ()))
    )
    return (f"Models {CALIBRATED_HERE}: {'; '.join(names)}.",) if names else ()
