"""Long work in a terminal: a bar, the step, the time left; on standard error, so that output can be piped."""

from __future__ import annotations

from collections.abc import Generator
from typing import Protocol, TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn


class Step(Protocol):
    """What every long work of the engine yields."""

    @property
    def step(self) -> int:
        """Steps done."""

    @property
    def total(self) -> int:
        """All steps."""

    @property
    def remaining_seconds(self) -> float:
        """Time left, estimated."""


StepT = TypeVar("StepT", bound=Step)
ResultT = TypeVar("ResultT")


def followed(work: Generator[StepT, None, ResultT], text: str) -> ResultT:
    """Run ``work`` to its end with a bar, and give its result."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[left]}"),
    )
    console = Console(stderr=True)
    # Where nobody watches, a bar would leave an empty line in the log.
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        task = bars.add_task(text, total=None, left="")
        while True:
            try:
                event = next(work)
            except StopIteration as end:
                return end.value
            left = f"{event.remaining_seconds:.0f} s left"
            name = f"{text}: {event.phase}" if hasattr(event, "phase") else text
            bars.update(task, description=name, completed=event.step, total=event.total, left=left)
