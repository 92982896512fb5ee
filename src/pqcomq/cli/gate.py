"""``pqcomq gate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pqcomq.cli.options import AsJson
from pqcomq.cli.output import print_json, print_lines
from pqcomq.cli.report import LeastDice, MostVolume
from pqcomq.comparison.gate import Tolerance, judge_objects, overall
from pqcomq.session.load import SavedSession

_NOT_PASSED = 1


def gate(
    session: Annotated[Path, typer.Argument(help="Folder of a session.")],
    dice: LeastDice = Tolerance.dice,
    volume_percent: MostVolume = Tolerance.volume_percent,
    json: AsJson = False,
) -> None:
    """Hold a session's numbers against a tolerance: status 0 if every object passes, 1 if not."""
    tolerance = Tolerance(dice, volume_percent)
    verdicts = judge_objects(SavedSession.at(session).numbers(), tolerance)
    outcome = overall(verdicts)
    if json:
        print_json({"outcome": outcome, "verdicts": [verdict.to_dict() for verdict in verdicts]})
    else:
        print_lines([*(verdict.sentence for verdict in verdicts), f"All together: {outcome.upper()}."])
    if outcome != "pass":
        raise typer.Exit(_NOT_PASSED)
