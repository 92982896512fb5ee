"""What a cohort measured of one quantized model, as it stands on the model's card."""

from __future__ import annotations

from pqcomq.cohort.cohort_result import CohortResult
from pqcomq.cohort.statistics.cohort_statistics import CohortStatistics
from pqcomq.cohort.statistics.prompt_summary import PromptSummary
from pqcomq.errors import InputError
from pqcomq.wording import counted


def card_figures(result: CohortResult, statistics: CohortStatistics, fingerprint: str) -> list[str]:
    """Lines of Markdown: accuracy and agreement apart, a mean never without its worst case.

    Args:
        result: of the cohort.
        statistics: of it.
        fingerprint: of the quantized weights; a name and a number of bits may be those of others.

    Raises:
        InputError: the cohort did not run these weights.
    """
    settings = result.settings
    place = next((at for at, each in enumerate(settings.quantized) if each.fingerprint == fingerprint), None)
    if place is None:
        ran = ", ".join(f"{each.name} with {each.effective_bits:.3f} bits stored" for each in result.models[1:])
        raise InputError(f"The cohort did not run the weights of this file, but {ran}.")
    model = result.models[1 + place * len(settings.runtimes)]  # the first runtime's; see on_runtimes
    full_name, patients = result.models[0].name, result.scores["patient"].nunique()
    lines = [
        f"A cohort of {counted(result.scored, 'case')} of {counted(patients, 'patient')}; run by {model.execution}.",
        "",
        "| prompts | number | Dice against ground truth, full precision: mean (worst) | "
        "Dice against ground truth, this model: mean (worst) | Dice between the models: mean (worst) | "
        "this model, worst tenth of the prompts | prompts that lose more than .1 |",
        "|---|---|---|---|---|---|---|",
    ]
    for protocol in dict.fromkeys(each.protocol for each in statistics.prompts):
        rows = {each.model: each for each in statistics.prompts if each.protocol == protocol}
        full, own = rows[full_name], rows[model.name]
        lines.append(
            f"| {protocol} | {own.prompts} | {full.dice:.3f} ({full.worst_dice:.2f}) | {own.dice:.3f} "
            f"({own.worst_dice:.2f}) | {own.dice_between:.3f} ({own.worst_between:.2f}) | {own.worst_decile:.3f} | "
            f"{100 * own.losing:.1f} % |"
        )
    lines += ["", *_strata([each for each in statistics.prompts if each.model == model.name])]
    outcome = statistics.outcome(model.name)
    return [*lines, "", f"Verdict at a margin of {statistics.margin:g} Dice: {outcome}."]


def _strata(rows: list[PromptSummary]) -> list[str]:
    """The same where full precision is right, doubtful or wrong, since a mean over all of them hides who loses."""
    lines = [
        "| prompts | full precision is | number | this model against ground truth: mean (worst) | lose more than .1 |",
        "|---|---|---|---|---|",
    ]
    return lines + [
        f"| {row.protocol} | {each.name} | {each.prompts} | {each.dice:.3f} ({each.worst_dice:.2f}) | "
        f"{100 * each.losing:.1f} % |"
        for row in rows
        for each in row.strata
        if each.prompts
    ]
