"""Long work in a terminal: a bar, the step, the time left; on standard error, so that output can be piped."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import TypeVar

from rich import progress as rich_progress
from rich.console import Console

from pqcomq.cli.terminal.interruption import NOTHING_KEPT, Interrupted, end_if_asked
from pqcomq.errors import printable
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
        rich_progress.TextColumn("{task.description}", markup=False),
        rich_progress.BarColumn(),
        rich_progress.MofNCompleteColumn(),
        rich_progress.TextColumn("{task.fields[left]}", markup=False),
    )
    console = Console(stderr=True)
    # Where nobody watches, a bar would leave an empty line in the log.
    with rich_progress.Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        task = bars.add_task(printable(text), total=None, left="")
        while True:
            end_if_asked()
            try:
                event = next(work)
            except StopIteration as end:
                result: ResultT = end.value
                return result
            bars.update(task, completed=event.step, total=event.total or None, left=_left(event))


class DownloadBar:
    """A bar of megabytes, as downloads tell it."""

    total: float | None = None

    def __init__(self, bars: rich_progress.Progress, name: str) -> None:
        self._bars, self._task = bars, bars.add_task(f"fetching {name}", total=None)

    def update(self, n: float) -> None:
        """Move on by ``n`` bytes."""
        self._bars.update(self._task, advance=n, total=self.total)


@contextmanager
def downloading(name: str) -> Iterator[DownloadBar]:
    """Show a bar while a file is fetched.

    Raises:
        Interrupted: the user ended it; what came is kept.
    """
    columns = (
        rich_progress.TextColumn("{task.description}", markup=False),
        rich_progress.BarColumn(),
        rich_progress.DownloadColumn(),
        rich_progress.TransferSpeedColumn(),
        rich_progress.TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    try:
        with rich_progress.Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
            yield DownloadBar(bars, name)
    except KeyboardInterrupt:
        raise Interrupted("what was fetched is kept, and the same command goes on from there") from None


def _left(event: Progress) -> str:
    """What was just done and, where it is known, the time left."""
    text = printable(event.text)
    return text if event.remaining_seconds is None else f"{event.remaining_seconds:.0f} s left · {text}"
