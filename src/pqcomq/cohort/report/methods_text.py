"""What the report says in words: how it was done, ready to paste into a paper, and where everything came from."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

import pqcomq
from pqcomq.cohort.cohort_result import CohortResult
from pqcomq.cohort.statistics.cohort_statistics import CohortStatistics
from pqcomq.cohort.statistics.paired_statistics import FEWEST_PATIENTS
from pqcomq.cohort.statistics.prompt_summary import GREAT_LOSS, RIGHT_FROM, WRONG_BELOW
from pqcomq.comparison.measures.metrics import NSD_TOLERANCE_MM
from pqcomq.wording import counted

_LIBRARIES = ("torch", "openvino", "numpy", "scipy", "statsmodels", "pandas", "pyarrow", "SimpleITK", "distributed")

_VOLUMES = (
    "Volumes of whole organs are told as bias with a 95 % BCa bootstrap interval, patients being resampled, and as "
    "limits of agreement after Bland and Altman, for several observations of a patient with a varying true value "
    "(J Biopharm Stat 2007, 17:571)."
)


def methods_paragraph(result: CohortResult, statistics: CohortStatistics) -> str:
    """How the numbers came about, from the settings."""
    settings, rules = result.settings, result.settings.protocol
    patients = result.scores["patient"].nunique()
    names = [each.name for each in result.models[1:]]
    most = rules.most_slices
    slices = "every slice" if most is None else f"at most {counted(most, 'evenly spread slice')}"
    moved = f" and moved at random by up to {counted(rules.jitter_pixels, 'voxel')} an edge (seed {rules.seed})"
    grown = f"Boxes were the tight boxes of the ground truth, grown by {counted(rules.margin_voxels, 'voxel')}"
    prompts = f"{grown}{moved if rules.jitter_pixels else ''}."
    told = [
        f"{result.models[0].title} in full precision ({result.models[0].execution}) was compared with "
        f"{', '.join(names)} on {counted(result.scored, 'case')} of {counted(patients, 'patient')} ({_kinds(result)}).",
        prompts,
    ]
    if seen := result.calibrated_here:
        told.append(
            f"A model was calibrated on the images of {counted(len(seen), 'of these cases', 'of these cases')}."
        )
    if "slice" in rules.protocols:
        told.append(
            f"For each label {slices} with at least {counted(rules.least_voxels, 'voxel')} of it were prompted, "
            "each by its own box."
        )
    if "organ" in rules.protocols:
        told.append(
            "Whole organs were prompted by a 3-D box on their middle slice, from which each model followed its own "
            "masks up and down."
        )
    if rules.yardstick_pixels:
        told.append(
            "As a yardstick full precision was also given a second box, each edge moved at random by up to "
            f"{counted(rules.yardstick_pixels, 'voxel')}."
        )
    window = (
        "the default of each modality (CT: level 40, width 400; others: the 0.5th to the 99.5th percentile of what "
        "lies above 0)"
        if settings.window is None
        else f"level {settings.window.level:g}, width {settings.window.width:g}"
    )
    told += [
        f"The intensity window was {window} unless a case brought its own.",
        f"Dice and the normalized surface distance at {NSD_TOLERANCE_MM:g} mm were taken in each volume's own spacing.",
        "The case was the unit of analysis: prompts were averaged within label and case, labels within the case. "
        "Differences (quantized − full precision, Dice against ground truth) are given with 95 % BCa bootstrap "
        "intervals, patients being resampled with all their cases. Non-inferiority was claimed if the interval's lower "
        f"bound lay above −{statistics.margin:g}, a margin stated beforehand, and never with fewer than "
        f"{FEWEST_PATIENTS} patients; with fewer, a loss of more than it was claimed where a one-sided signed-rank "
        "test showed it at 2.5 %. Wilcoxon's signed-rank test on patients' means is given beside it, with Holm's "
        "correction over the labels.",
        f"Full precision counted as right on a prompt at a Dice of {RIGHT_FROM:g} or more, as wrong below "
        f"{WRONG_BELOW:g}; the share of prompts that lose more than {GREAT_LOSS:g} Dice is told.",
        *(_VOLUMES for _each in statistics.volumes[:1]),
        f"All was computed by pqcomq {pqcomq.__version__} with {counted(settings.threads, 'thread')} a worker.",
    ]
    return " ".join(told)


def _kinds(result: CohortResult) -> str:
    """How many cases are of which modality."""
    cases = result.scores.drop_duplicates("case")["modality"]
    return ", ".join(f"{count} {name}" for name, count in cases.value_counts().sort_index().items())


def software() -> list[str]:
    """Versions of what the numbers were computed with."""
    found = [f"pqcomq {pqcomq.__version__}"]
    for name in _LIBRARIES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return found
