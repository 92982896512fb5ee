"""``pqcomq gate``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pqcomq.cli.report import DoubtBelow, LeastDice, MostVolume
from pqcomq.cli.terminal.idle_options import refuse_idle
from pqcomq.cli.terminal.options import AsJson, LossMargin
from pqcomq.cli.terminal.output import print_json, print_lines, print_note
from pqcomq.cli.terminal.statuses import NOT_PASSED, PASSED, UNDECIDED, Answer
from pqcomq.cohort.statistics.loss_margin import DEFAULT_MARGIN
from pqcomq.comparison.tolerance import Tolerance
from pqcomq.errors import InputError
from pqcomq.wording import counted

if TYPE_CHECKING:
    from pqcomq.cohort.cohort_result import CohortResult

_STATUSES = {"pass": PASSED, "fail": NOT_PASSED, "undecided": UNDECIDED}


def gate(
    context: typer.Context,
    session: Annotated[Path, typer.Argument(help="Folder of a session or of a cohort's results.")],
    dice: LeastDice = Tolerance.dice,
    volume_percent: MostVolume = Tolerance.volume_percent,
    doubt_below: DoubtBelow = Tolerance.stability,
    loss_margin: LossMargin = DEFAULT_MARGIN,
    cascade: Annotated[
        str | None,
        typer.Option(
            help="Of a cohort: judge the quantized models with full precision's answer wherever their stability score "
            "is below this, as segment --cascade gives it; or below what another cohort's results tell for these "
            "weights. With the folder itself each patient's threshold is chosen on the others.",
            metavar="SCORE|DIR",
        ),
    ] = None,
    json: AsJson = False,
) -> None:
    """Hold a session's or a cohort's numbers against a tolerance: 0 if all passes, 1 if one fails, 3 if undecided.

    A session is held against --dice and --volume-percent, and slices in doubt are told. A cohort is held against
    --loss-margin: a quantized model passes if a greater loss of Dice against ground truth is ruled out, for all labels
    together and for each.
    """
    from pqcomq.cohort.cohort_store import CohortStore
    from pqcomq.comparison.gate import judge_objects, overall
    from pqcomq.session.load import SavedSession

    if CohortStore.is_at(session):
        of_session = "dice", "volume_percent", "doubt_below"
        refuse_idle(context, "a cohort is held against --loss-margin", *of_session)
        _cohort(session, loss_margin, cascade, json=json)
        return
    if cascade is not None:
        raise InputError("--cascade belongs to a cohort's results; a session has full precision on every slice.")
    refuse_idle(context, "a session is held against --dice and --volume-percent", "loss_margin")
    tolerance = Tolerance(dice, volume_percent, doubt_below)
    verdicts = judge_objects(SavedSession.at(session).numbers(), tolerance)
    outcome = overall(verdicts)
    if json:
        print_json({"outcome": outcome, "verdicts": [verdict.to_dict() for verdict in verdicts]})
    else:
        print_lines([*(verdict.sentence for verdict in verdicts), f"All together: {outcome.upper()}."])
    raise Answer(_STATUSES[outcome])


def _cohort(folder: Path, margin: float, cascade: str | None, *, json: bool) -> None:
    """The same of a cohort; one that is not finished cannot pass.

    Raises:
        InputError: no case was scored, or the cascade is no score and no cohort's folder.
    """
    from pqcomq.cohort.cohort_result import CohortResult
    from pqcomq.cohort.statistics.cohort_statistics import CascadeVerdicts, CohortStatistics

    result = CohortResult.at(folder)
    if cascade is None:
        statistics = CohortStatistics.of(result, margin)
        verdicts, outcome = statistics.verdicts(), statistics.outcome()
        sentences = [verdict.sentence for verdict in verdicts]
    else:
        judged = CascadeVerdicts.of(result, margin, _thresholds(result, cascade))
        verdicts, outcome, sentences = list(judged.differences), judged.outcome, judged.sentences
    left = f"Not done: {result.unfinished} of {counted(result.total, 'case')}."
    if result.unfinished and outcome == "pass":
        outcome = "undecided"
    if json:
        told: dict[str, Any] = {"outcome": outcome, "unfinished": result.unfinished}
        if cascade is not None:
            told |= {"cascade_below": judged.thresholds, "sent_on": judged.sent}
        print_json(told | {"verdicts": [verdict.to_dict() for verdict in verdicts]})
    else:
        lines = [*sentences, *[left] * bool(result.unfinished)]
        print_lines([*lines, f"All together: {outcome.upper()}."])
    raise Answer(_STATUSES[outcome])


def _thresholds(result: CohortResult, given: str) -> float | dict[str, float] | None:
    """A stability score, what another cohort tells for each model, or None for what this cohort tells.

    Raises:
        InputError: it is neither, or the other cohort tells none for one of the models.
    """
    from pqcomq.cli.terminal.stability_score import stability_score
    from pqcomq.cohort.cohort_result import CohortResult
    from pqcomq.cohort.statistics.cascade_threshold import CascadeThreshold

    score = stability_score(given)
    if score is not None:
        return score
    other = CohortResult.at(Path(given))
    if other.store.folder.resolve() == result.store.folder.resolve():
        return None
    if result.settings.recipes:
        raise InputError("Models that were quantized for each case anew have no threshold in another cohort.", given)
    found: dict[str, float] = {}
    runtimes = len(result.settings.runtimes)
    for place, model in enumerate(result.models[1:]):
        told = CascadeThreshold.of(other, result.settings.quantized[place // runtimes].fingerprint)
        print_note(told.sentence)
        found[model.name] = told.threshold
    return found
