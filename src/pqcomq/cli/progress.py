"""Long work in a terminal: a bar, the step, the time left; on standard error, so that output can be piped."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TypeVar

from rich import progress as rich_progress
from rich.console import Console

from pqcomq.cli.interruption import NOTHING_KEPT, Interrupted
from pqcomq.progress import Progress

ProgressT = TypeVar("ProgressT", bound=Progress)
ResultT = TypeVar("ResultT")


def followed(
    work: Generator[ProgressT, None, ResultT], text: str, kept: Callable[[], str] = lambda: NOTHING_KEPT
) -> ResultT:
    """Run ``work`` to its end with a bar, and give its result.

    Args:
        work: that tells its progress.
        text: what it is.
        kept: says what remains of it where the user ends it.

    Raises:
        Interrupted: the user ended it.
    """
    try:
        return _followed(work, text)
    except KeyboardInterrupt:
        raise Interrupted(kept()) from None


def _followed(work: Generator[ProgressT, None, ResultT], text: str) -> ResultT:
    columns = (
        rich_progress.TextColumn("{task.description}"),
        rich_progress.BarColumn(),
        rich_progress.MofNCompleteColumn(),
        rich_progress.TextColumn("{task.fields[left]}", markup=False),
    )
    console = Console(stderr=True)
    # Where nobody watches, a bar would leave an empty line in the log.
    with rich_progress.Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        task = bars.add_task(text, total=None, left="")
        while True:
            try:
                event = next(work)
            except StopIteration as end:
                result: ResultT = end.value
                return result
            bars.update(task, completed=event.step, total=event.total or None, left=_left(event))


def _left(event: Progress) -> str:
    """What was just done and, where it is known, the time left."""
    if event.remaining_seconds is None:
        return event.text
    return f"{event.remaining_seconds:.0f} s left · {event.text}"
