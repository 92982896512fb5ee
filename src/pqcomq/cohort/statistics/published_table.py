"""The table of the paper that the method comes from, beside a cohort's own numbers.

Source: *Weight Group-wise Post-Training Quantization for Medical Foundation Model*, arXiv 2604.07674: MedSAM ViT-B on
AbdomenCT-1K.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from pqcomq.cohort.cohort_result import CohortResult
from pqcomq.cohort.statistics.cohort_statistics import CohortStatistics
from pqcomq.cohort.statistics.prompt_summary import PromptSummary, Stratum
from pqcomq.models import medsam
from pqcomq.quantization.algorithm.config import METHOD_TITLES, PUBLISHED_TITLE, Method
from pqcomq.wording import counted

PUBLISHED: dict[tuple[int, Method | None], tuple[float, float]] = {
    (32, None): (93.51, 92.97),
    (8, "rtn"): (93.50, 92.94),
    (8, "comq"): (93.49, 92.94),
    (8, "pcomq"): (93.62, 93.20),
    (4, "rtn"): (90.53, 86.76),
    (4, "comq"): (91.87, 90.01),
    (4, "pcomq"): (93.43, 93.09),
    (2, "rtn"): (29.79, 30.22),
    (2, "comq"): (71.80, 53.73),
    (2, "pcomq"): (86.94, 78.94),
}
"""Bits and method → DSC and NSD in %."""

_METHODS = sorted({method for _bits, method in PUBLISHED if method is not None})


@dataclass(frozen=True)
class PublishedRow:
    """One model, the paper's numbers and ours in %; NaN where the cohort has no such model.

    Attributes:
        bits: 32 for full precision.
        method: title.
        paper_dice: DSC.
        paper_nsd: NSD.
        dice: mean over this cohort's prompts, against ground truth.
        nsd: likewise.
        worst_decile: mean of this cohort's worst tenth of prompts; the paper tells nothing of this and what follows.
        worst_dice: of this cohort's worst prompt.
        losing: prompts of this cohort that lose more than .1 Dice to full precision.
        strata: by how right full precision is here, Dice from 0 to 1; empty where the cohort has no such model.
    """

    bits: int
    method: str
    paper_dice: float
    paper_nsd: float
    dice: float
    nsd: float
    worst_decile: float
    worst_dice: float
    losing: float
    strata: tuple[Stratum, ...] = field(default=(), kw_only=True)


def published_rows(result: CohortResult, statistics: CohortStatistics) -> list[PublishedRow]:
    """A row for each of the paper's."""
    summaries = [each for each in statistics.prompts if each.protocol == statistics.decided_by]
    rows = []
    for (bits, method), (paper_dice, paper_nsd) in PUBLISHED.items():
        title = "full precision" if method is None else METHOD_TITLES[method]
        ours = summaries[0] if method is None else _quantized(summaries, f"{bits}-bit {title}")
        if ours is None:
            rows.append(PublishedRow(bits, title, paper_dice, paper_nsd, *[math.nan] * 5))
            continue
        told = (ours.dice, ours.nsd, ours.worst_decile, ours.worst_dice, ours.losing)
        rows.append(
            PublishedRow(bits, title, paper_dice, paper_nsd, *(100 * each for each in told), strata=ours.strata)
        )
    return rows


def differences_to_the_paper(result: CohortResult, statistics: CohortStatistics) -> list[str]:
    """What is not the paper's experiment, a sentence each; what the program cannot know is said, too."""
    told = []
    if result.settings.model != medsam.KEY:
        told.append(f"The model is {result.models[0].title}; the paper's is MedSAM ViT-B.")
    told += [
        f"The data are {counted(result.scored, 'case')} of your own choice; the paper's are AbdomenCT-1K, and which of "
        "its cases and labels it scored is for you to match.",
        "Each slice was prompted by the tight box of its own label, grown by "
        f"{counted(result.settings.protocol.margin_voxels, 'voxel')}."
        if statistics.decided_by == "slice"
        else "Whole organs were prompted by a 3-D box.",
    ]
    names = [each.name for each in result.models]
    if any(f"-bit {METHOD_TITLES[method]}" in name for method in _METHODS for name in names if not _is_published(name)):
        told.append(
            "This program's default goes beyond the published method (see For researchers), and its RTN and COMQ take "
            "groups of 64 input channels; pqcomq cohort --published takes the papers' settings."
        )
    if any(map(_is_published, names)):
        told.append(
            "Methods as published have a scale an output channel; the layers, those of image encoder and mask decoder, "
            "the calibration slices, and that λ is searched are this program's choice."
        )
    return told


def _is_published(name: str) -> bool:
    return PUBLISHED_TITLE in name


def _quantized(summaries: list[PromptSummary], title: str) -> PromptSummary | None:
    """A method's row: as published where the cohort has that, else with this program's settings."""
    return _of(summaries, f"{title}{PUBLISHED_TITLE}") or _of(summaries, title)


def _of(summaries: list[PromptSummary], title: str) -> PromptSummary | None:
    return next((each for each in summaries if each.model == title or each.model.startswith(f"{title},")), None)
