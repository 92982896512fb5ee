"""``pqcomq replay``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pqcomq.backends.runtime import Runtime
from pqcomq.cli.terminal.options import AsJson, Checkpoint, ModalityOption, Part, Remedies, Series, opened
from pqcomq.cli.terminal.output import print_json, print_lines
from pqcomq.cli.terminal.progress_bar import followed
from pqcomq.cli.terminal.statuses import NOT_PASSED, Answer
from pqcomq.wording import counted

if TYPE_CHECKING:
    from pqcomq.session.replay import Replay

_SHOWN = 20
"""Differences printed one by one; --json has them all."""


def replay(
    session: Annotated[Path, typer.Argument(help="Folder of a session.")],
    volume: Annotated[Path, typer.Option(help="The volume it was made on; its voxels are checked.")],
    checkpoint: Checkpoint = None,
    series: Series = None,
    part: Part = None,
    remedy: Remedies = None,
    modality: ModalityOption = None,
    runtime: Annotated[
        Runtime | None, typer.Option(help="By default what the session was made with; another gives other numbers.")
    ] = None,
    json: AsJson = False,
) -> None:
    """Run a session again: status 0 if every voxel and number comes out the same, 1 with the differences if not."""
    from pqcomq.models.registry import load_model
    from pqcomq.session.load import SavedSession
    from pqcomq.session.replay import replay as run_again

    saved = SavedSession.at(session)
    opened_volume = opened(volume, series, modality, part, remedy)
    saved.check_volume(opened_volume)  # told before a model is loaded
    full = load_model(saved.model_key, checkpoint)
    recorded = saved.opened(opened_volume, saved.models(full, runtime))
    outcome = followed(run_again(recorded), "Replaying")
    if json:
        print_json(outcome.to_dict())
    else:
        print_lines(_sentences(outcome))
    if not outcome.is_same:
        raise Answer(NOT_PASSED)


def _sentences(outcome: Replay) -> list[str]:
    if outcome.is_same:
        lines = [f"The same: all {counted(outcome.checked, 'number')} came out as recorded, to the last voxel."]
    else:
        count = len(outcome.differences)
        lines = [f"Not the same: {count} of {counted(outcome.checked, 'number')} came out differently."]
        lines += [f"  {each}" for each in outcome.differences[:_SHOWN]]
        lines += [f"  and {count - _SHOWN} more"] * (count > _SHOWN)
    lines += [f"  {each}" for each in outcome.elsewhere]
    lines += ["Time is not expected to repeat:"] + [f"  {each}" for each in outcome.timings]
    return lines
