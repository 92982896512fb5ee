"""A model over all prompts: the mean, and beside it what a mean hides."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from pqcomq.cohort.scoring.loaded_models import ModelInfo
from pqcomq.cohort.statistics.pairs import moved_box_name, paired, protocols_of

if TYPE_CHECKING:
    import pandas as pd

RIGHT_FROM, WRONG_BELOW = 0.8, 0.5
"""Dice of full precision against ground truth from which on it counts as right, and below which as wrong."""
GREAT_LOSS = 0.1
"""Dice against ground truth; a prompt that loses more is counted."""
STRATA = ("right", "doubtful", "wrong")
ALL_PROMPTS = "all"


@dataclass(frozen=True)
class Stratum:
    """The prompts on which full precision is right, doubtful or wrong.

    Attributes:
        name: of :data:`STRATA`.
        prompts: how many.
        full_dice: mean of full precision against ground truth; NaN where there is no prompt.
        dice: mean of this model against ground truth.
        worst_dice: the least.
        losing: share of its prompts that lose more than :data:`GREAT_LOSS` of Dice against ground truth.
    """

    name: str
    prompts: int
    full_dice: float
    dice: float
    worst_dice: float
    losing: float


@dataclass(frozen=True)
class PromptSummary:
    """One model over all prompts of one protocol; Dice and NSD against ground truth unless they say otherwise.

    Attributes:
        protocol: ``"slice"`` or ``"organ"``.
        model: name.
        prompts: how many.
        cases: how many.
        dice: mean.
        dice_median: median.
        worst_decile: mean Dice of the worst tenth of the prompts.
        worst_dice: of the worst prompt.
        worst_at: that prompt: case, label, slice.
        nsd: mean.
        hd95_mm: median; infinite where most masks are empty.
        dice_between: mean Dice against full precision's mask; NaN for full precision itself.
        worst_between: the least of them.
        losing: share of prompts that lose more than :data:`GREAT_LOSS` of Dice to full precision.
        most_lost: by the prompt that loses most.
        strata: by how right full precision is.
        part: label or modality that the prompts are of; :data:`ALL_PROMPTS` for all.
    """

    protocol: str
    model: str
    prompts: int
    cases: int
    dice: float
    dice_median: float
    worst_decile: float
    worst_dice: float
    worst_at: tuple[str, str, int]
    nsd: float
    hd95_mm: float
    dice_between: float
    worst_between: float
    losing: float
    most_lost: float
    strata: tuple[Stratum, ...]
    part: str = ALL_PROMPTS

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready: what is no number is None."""
        return {name: finite(value) for name, value in asdict(self).items()}


def prompt_summaries(
    scores: pd.DataFrame, models: Sequence[ModelInfo], by: Literal["label", "modality"] | None = None
) -> list[PromptSummary]:
    """Every model by every protocol, full precision first, moved boxes last.

    Args:
        scores: of the cohort.
        models: full precision first.
        by: one summary for each label or modality that there is; by default one for all prompts.
    """
    found = []
    moved = moved_box_name(scores)
    names = [each.name for each in models] + ([moved] if moved else [])
    for protocol in protocols_of(scores):
        tables = {name: paired(scores, name, protocol) for name in names}
        parts = [ALL_PROMPTS] if by is None else sorted(set(tables[names[0]][by]))
        for part in parts:
            for name, table in tables.items():
                rows = table if by is None else table[table[by] == part]
                found.append(replace(summarised(rows, name, protocol, name == names[0]), part=part))
    return found


def summarised(pairs: pd.DataFrame, model: str, protocol: str, is_full: bool) -> PromptSummary:
    """One model over its prompts."""
    dice = pairs["quantized_dice"].to_numpy()
    ordered = np.sort(dice)
    worst = pairs.iloc[int(np.argmin(dice))]
    between = np.full(1, np.nan) if is_full else pairs["dice_between_models"].to_numpy()
    return PromptSummary(
        protocol=protocol,
        model=model,
        prompts=len(pairs),
        cases=pairs["case"].nunique(),
        dice=float(dice.mean()),
        dice_median=float(np.median(dice)),
        worst_decile=worst_decile(dice),
        worst_dice=float(ordered[0]),
        worst_at=(str(worst["case"]), str(worst["label"]), int(worst["slice"])),
        nsd=float(pairs["quantized_nsd"].mean()),
        hd95_mm=float(np.median(pairs["quantized_hd95_mm"])),
        dice_between=float(between.mean()),
        worst_between=float(between.min()),
        losing=share_losing(pairs),
        most_lost=max(0.0, float(-pairs["difference"].min())),
        strata=strata_of(pairs),
    )


def worst_decile(dice: np.ndarray) -> float:
    """Mean of the worst tenth of the prompts, (prompts,), of one at least."""
    return float(np.sort(dice)[: max(1, math.ceil(len(dice) / 10))].mean())


def strata_of(pairs: pd.DataFrame) -> tuple[Stratum, ...]:
    """The prompts of :func:`.pairs.paired` by how right full precision is, in the order of :data:`STRATA`."""
    return tuple(_stratum(pairs, name) for name in STRATA)


def share_losing(pairs: pd.DataFrame) -> float:
    """Share of the prompts that lose more than :data:`GREAT_LOSS` of Dice against ground truth to full precision."""
    return float((pairs["difference"] < -GREAT_LOSS).mean())


def stratum_of(full_dice: pd.Series) -> np.ndarray:
    """Which stratum each prompt belongs to, by full precision's Dice against ground truth."""
    return np.select([full_dice >= RIGHT_FROM, full_dice < WRONG_BELOW], ["right", "wrong"], "doubtful")


def _stratum(pairs: pd.DataFrame, name: str) -> Stratum:
    rows = pairs[stratum_of(pairs["full_dice"]) == name]
    if rows.empty:
        return Stratum(name, 0, *[math.nan] * 4)
    dice = rows["quantized_dice"]
    return Stratum(
        name, len(rows), float(rows["full_dice"].mean()), float(dice.mean()), float(dice.min()), share_losing(rows)
    )


def finite(value: Any) -> Any:  # noqa: ANN401 (whatever JSON may hold)
    """JSON-ready: None for what is no number or beyond all numbers, however deep."""
    if isinstance(value, dict):
        return {name: finite(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
