"""What a cohort measured of one quantized model, as it stands on the model's card."""

from __future__ import annotations

from pqcomq.cohort.cohort_result import CohortResult
from pqcomq.cohort.statistics.cohort_statistics import CohortStatistics
from pqcomq.errors import InputError


def card_figures(
    result: CohortResult, statistics: CohortStatistics, precision: str, effective_bits: float
) -> list[str]:
    """Lines of Markdown: accuracy and agreement apart, a mean never without its worst case.

    Args:
        result: of the cohort.
        statistics: of it.
        precision: of the quantized model, as its title says.
        effective_bits: bits stored for each of its weights.

    Raises:
        InputError: the cohort did not run this model.
    """
    model = next(
        (
            each
            for each in result.models[1:]
            if each.name.startswith(precision) and each.effective_bits == effective_bits
        ),
        None,
    )
    if model is None:
        ran = ", ".join(f"{each.name} with {each.effective_bits:.3f} bits stored" for each in result.models[1:])
        raise InputError(f"The cohort did not run {precision} with {effective_bits:.3f} bits stored, but {ran}.")
    full_name, patients = result.models[0].name, result.scores["patient"].nunique()
    lines = [
        f"A cohort of {result.scored} cases of {patients} patients; run by {model.execution}.",
        "",
        "| prompts | number | Dice against ground truth, full precision: mean (worst) | "
        "Dice against ground truth, this model: mean (worst) | Dice between the models: mean (worst) |",
        "|---|---|---|---|---|",
    ]
    for protocol in dict.fromkeys(each.protocol for each in statistics.prompts):
        rows = {each.model: each for each in statistics.prompts if each.protocol == protocol}
        full, own = rows[full_name], rows[model.name]
        lines.append(
            f"| {protocol} | {own.prompts} | {full.dice:.3f} ({full.worst_dice:.2f}) | {own.dice:.3f} "
            f"({own.worst_dice:.2f}) | {own.dice_between:.3f} ({own.worst_between:.2f}) |"
        )
    outcome = statistics.outcome(model.name)
    return [*lines, "", f"Verdict at a margin of {statistics.margin:g} Dice: {outcome}."]
