"""How far a long piece of work is."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from typing import TypeVar

_Result = TypeVar("_Result")
_Told = TypeVar("_Told")
_Else = TypeVar("_Else")


@dataclass(frozen=True)
class Progress:
    """Where the work stands.

    Attributes:
        step: steps done.
        total: all steps; 0 while unknown.
        text: what was just done, or what is being done, one line.
        remaining_seconds: estimate; None while unknown.
    """

    step: int
    total: int
    text: str
    remaining_seconds: float | None = None


Steps = Generator[Progress, None, _Result]
"""Long work as a generator: it yields how far it has come and returns its result. Closing it stops the work."""

ProgressCallback = Callable[[Progress], None]
"""Is told of every step. An exception that it raises ends the work."""


def reported(work: Generator[Progress, None, _Result], progress: ProgressCallback | None) -> _Result:
    """Run long work to its end, tell a function of each step, and give the result."""
    tell = progress or (lambda step: None)
    return finished(translated(work, tell))


def finished(work: Generator[object, None, _Result]) -> _Result:
    """Run long work to its end, whatever it tells meanwhile, and give its result."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            result: _Result = end.value
            return result


def translated(
    work: Generator[_Told, None, _Result], tell: Callable[[_Told], _Else]
) -> Generator[_Else, None, _Result]:
    """Long work that tells its progress in other words; closing the generator stops the work.

    Args:
        work: a generator with a return value, which becomes this one's.
        tell: what is said for each of its yields.
    """
    try:
        while True:
            try:
                told = next(work)
            except StopIteration as end:
                result: _Result = end.value
                return result
            yield tell(told)
    finally:
        work.close()


def prefixed(work: Generator[Progress, None, _Result], prefix: str) -> Steps[_Result]:
    """Long work with words before each text that say which part of a larger work it is."""
    return translated(work, lambda progress: replace(progress, text=prefix + progress.text))


class Stopwatch:
    """Makes :class:`Progress` of equal steps.

    The time left is judged by the later half of the steps done: the first ones warm up, compile, and time what is timed
    once, which says nothing of those to come.

    Attributes:
        total: all steps; 0 while unknown, to be set as soon as it is known.
    """

    def __init__(self, total: int = 0) -> None:
        self.total = total
        self._ends = [time.perf_counter()]
        """When it began, and when each step was done, later by what was left out."""

    def step(self, text: str) -> Progress:
        """One more step is done."""
        self._ends.append(time.perf_counter())
        done = len(self._ends) - 1
        if not self.total:
            return Progress(done, 0, text)
        return Progress(done, self.total, text, self._pace * (self.total - done))

    def meanwhile(self, text: str) -> Progress:
        """Told within a step: the time left is what it was after the last one, less what went by since."""
        done = len(self._ends) - 1
        if not (self.total and done):
            return Progress(done, self.total, text)
        since = time.perf_counter() - self._ends[-1]
        at_least = self._pace * (self.total - done - 1)  # this step may take longer than the others
        return Progress(done, self.total, text, max(self._pace * (self.total - done) - since, at_least))

    def leave_out(self) -> None:
        """Count what went by since the last step for none: it is done once, and says nothing of the steps to come."""
        since = time.perf_counter() - self._ends[-1]
        self._ends = [end + since for end in self._ends]

    @property
    def _pace(self) -> float:
        """Seconds a step, over the later half of those done."""
        done = len(self._ends) - 1
        first = done // 2
        return (self._ends[-1] - self._ends[first]) / (done - first)
