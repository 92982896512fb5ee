"""Full precision and a quantized model on the same prompts, side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pqcomq.cohort.scoring.loaded_models import FULL_PRECISION, MOVED_BOX
from pqcomq.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

_WHERE = ["case", "patient", "modality", "label", "label_number", "slice"]
_SCORES = {
    "dice_against_ground_truth": "dice",
    "nsd_against_ground_truth": "nsd",
    "hd95_mm_against_ground_truth": "hd95_mm",
    "volume_ml": "volume_ml",
}


def paired(scores: pd.DataFrame, model: str, protocol: str) -> pd.DataFrame:
    """A row for each prompt.

    Args:
        scores: of the cohort.
        model: name of a quantized model, or of full precision with moved boxes.
        protocol: ``"slice"`` or ``"organ"``.

    Returns:
        Where (case, patient, modality, label, label_number, slice); against ground truth ``full_dice``,
        ``quantized_dice`` and the like for NSD, HD95 (mm) and volume (mL), with ``difference`` = quantized − full
        precision in Dice; ``dice_between_models``; and the doubt scores.

    Raises:
        InputError: there is no row of this model.
    """
    rows = scores[scores["protocol"] == protocol]
    full = rows[rows["role"] == FULL_PRECISION][[*_WHERE, "ground_truth_ml", *_SCORES]]
    other = rows[rows["model"] == model]
    if other.empty:
        raise InputError(f"There is no result of {model!r} by the protocol '{protocol}'.")
    doubt = [name for name in other.columns if name.startswith("doubt_")]
    other = other[[*_WHERE, *_SCORES, "dice_between_models", "nsd_between_models", "mask_is_empty", *doubt]]
    table = full.rename(columns={name: f"full_{short}" for name, short in _SCORES.items()}).merge(
        other.rename(columns={name: f"quantized_{short}" for name, short in _SCORES.items()}),
        on=_WHERE,
        how="inner",
        validate="one_to_one",
    )
    table["difference"] = table["quantized_dice"] - table["full_dice"]
    return table


def moved_box_name(scores: pd.DataFrame) -> str | None:
    """Name of full precision with moved boxes; None where none were moved."""
    names = scores.loc[scores["role"] == MOVED_BOX, "model"]
    return None if names.empty else str(names.iloc[0])


def protocols_of(scores: pd.DataFrame) -> list[str]:
    """The protocols that there are rows of, that by slices first."""
    found = set(scores["protocol"]) if len(scores) else set()
    return [name for name in ("slice", "organ") if name in found]
