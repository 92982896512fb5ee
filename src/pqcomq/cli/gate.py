"""``pqcomq gate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from pqcomq.cli.report import DoubtBelow, LeastDice, MostVolume
from pqcomq.cli.terminal.idle_options import refuse_idle
from pqcomq.cli.terminal.options import AsJson, LossMargin
from pqcomq.cli.terminal.output import print_json, print_lines
from pqcomq.cli.terminal.statuses import NOT_PASSED, PASSED, UNDECIDED, Answer
from pqcomq.cohort.statistics.loss_margin import DEFAULT_MARGIN
from pqcomq.comparison.tolerance import Tolerance
from pqcomq.errors import InputError
from pqcomq.wording import counted

_STATUSES = {"pass": PASSED, "fail": NOT_PASSED, "undecided": UNDECIDED}


def gate(
    context: typer.Context,
    session: Annotated[Path, typer.Argument(help="Folder of a session or of a cohort's results.")],
    dice: LeastDice = Tolerance.dice,
    volume_percent: MostVolume = Tolerance.volume_percent,
    doubt_below: DoubtBelow = Tolerance.stability,
    loss_margin: LossMargin = DEFAULT_MARGIN,
    cascade: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            help="Of a cohort: judge the quantized models with full precision's answer wherever their stability score "
            "is below this, as segment --cascade gives it.",
            metavar="SCORE",
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


def _cohort(folder: Path, margin: float, cascade: float | None, *, json: bool) -> None:
    """The same of a cohort; one that is not finished cannot pass.

    Raises:
        InputError: no case was scored.
    """
    from pqcomq.cohort.cohort_result import CohortResult
    from pqcomq.cohort.statistics.cohort_statistics import CascadeVerdicts, CohortStatistics

    result = CohortResult.at(folder)
    if cascade is None:
        statistics = CohortStatistics.of(result, margin)
        verdicts, outcome = statistics.verdicts(), statistics.outcome()
        sentences = [verdict.sentence for verdict in verdicts]
    else:
        judged = CascadeVerdicts.of(result, margin, cascade)
        verdicts, outcome, sentences = list(judged.differences), judged.outcome, judged.sentences
    left = f"Not done: {result.unfinished} of {counted(result.total, 'case')}."
    if result.unfinished and outcome == "pass":
        outcome = "undecided"
    if json:
        told: dict[str, Any] = {"outcome": outcome, "unfinished": result.unfinished}
        if cascade is not None:
            told |= {"cascade_below": cascade, "sent_on": judged.sent}
        print_json(told | {"verdicts": [verdict.to_dict() for verdict in verdicts]})
    else:
        lines = [*sentences, *[left] * bool(result.unfinished)]
        print_lines([*lines, f"All together: {outcome.upper()}."])
    raise Answer(_STATUSES[outcome])
