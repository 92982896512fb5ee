"""The rows that one case adds to a cohort's tables."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pqcomq.cohort.cases.case import Case, NotScored
from pqcomq.comparison.measures.metrics import Scores

SLICE_NUMBER_OF_ORGAN = -1
"""In the column of slices, for rows about a whole organ."""


@dataclass(frozen=True)
class ModelCost:
    """What one model took on one case.

    Attributes:
        model: name.
        encodings: slices that went through the encoder; each once unless the cache was too small.
        distinct_slices: slices that were needed.
        encoder_ms: in all.
        decodings: single boxes decoded.
        decoder_ms: for them.
        doubt_ms: for the moved boxes that tell how sure it is.
        simulated: whether low bits ran widened to float32.
    """

    model: str
    encodings: int
    distinct_slices: int
    encoder_ms: float
    decodings: int
    decoder_ms: float
    doubt_ms: float
    simulated: bool


@dataclass(frozen=True)
class WorstPicture:
    """The prompt of a case on which a quantized model lost most Dice against full precision, to look at.

    Attributes:
        model: name.
        label: title.
        z: slice.
        pixels: (y, x) uint8, as the models saw it.
        truth: (y, x) bool.
        full: (y, x) bool, full precision's mask.
        quantized: (y, x) bool.
        box: x0 y0 x1 y1.
        loss: Dice against ground truth lost.
        spacing_yx: mm.
    """

    model: str
    label: str
    z: int
    pixels: np.ndarray = field(repr=False)
    truth: np.ndarray = field(repr=False)
    full: np.ndarray = field(repr=False)
    quantized: np.ndarray = field(repr=False)
    box: tuple[float, float, float, float]
    loss: float
    spacing_yx: tuple[float, float]


@dataclass(frozen=True)
class CaseResult:
    """A scored case.

    Attributes:
        case: which.
        rows: of the table of scores.
        not_scored: labels left out.
        costs: of each model.
        pictures: the worst prompt of each quantized model.
        modality: of the volume.
        voxels_sha256: of the volume.
        files_sha256: of the image and the label file, or of all that a folder of DICOM holds.
        notes: sentences of the reading.
        reading_seconds: image and labels.
        seconds: in all.
        peak_memory_bytes: of the process, the most seen.
    """

    case: Case
    rows: tuple[dict[str, Any], ...]
    not_scored: tuple[NotScored, ...]
    costs: tuple[ModelCost, ...]
    pictures: tuple[WorstPicture, ...]
    modality: str
    voxels_sha256: str
    files_sha256: str
    notes: tuple[str, ...]
    reading_seconds: float
    seconds: float
    peak_memory_bytes: int


def score_row(
    case: Case,
    modality: str,
    protocol: str,
    label: int,
    z: int,
    model: str,
    role: str,
    against_truth: Scores,
    between: Scores | None,
    doubt: dict[str, float] | None = None,
    *,
    empty: bool,
) -> dict[str, Any]:
    """One row: a model on a prompt. Accuracy and agreement have columns of their own."""
    unknown = float("nan")
    told = doubt or {"stability": unknown, "moved_boxes": unknown, "certainty": unknown}
    return {
        "case": case.name,
        "patient": case.unit,
        "site": case.site,
        "modality": modality,
        "protocol": protocol,
        "label": case.label_title(label),
        "label_number": label,
        "slice": z,
        "model": model,
        "role": role,
        "dice_against_ground_truth": against_truth.dice,
        "nsd_against_ground_truth": against_truth.nsd,
        "hd95_mm_against_ground_truth": against_truth.hd95_mm,
        "dice_between_models": unknown if between is None else between.dice,
        "nsd_between_models": unknown if between is None else between.nsd,
        "hd95_mm_between_models": unknown if between is None else between.hd95_mm,
        "ground_truth_ml": against_truth.volume_a_ml,
        "volume_ml": against_truth.volume_b_ml,
        "mask_is_empty": empty,
        "doubt_stability": told["stability"],
        "doubt_moved_boxes": told["moved_boxes"],
        "doubt_certainty": told["certainty"],
    }
