"""How far a long piece of work is."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TypeVar

_Result = TypeVar("_Result")
_Told = TypeVar("_Told")
_Else = TypeVar("_Else")


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
    """Long work that tells the same in other words; whoever stops asking for it stops the work.

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


@dataclass(frozen=True)
class Progress:
    """Where the work stands.

    Attributes:
        step: steps done.
        total: all steps.
        text: what was just done.
        remaining_seconds: estimate from the steps so far.
    """

    step: int
    total: int
    text: str
    remaining_seconds: float


class Stopwatch:
    """Makes :class:`Progress` of equal steps."""

    def __init__(self, total: int) -> None:
        self._total, self._done, self._began = total, 0, time.perf_counter()

    def step(self, text: str) -> Progress:
        """One more step is done."""
        self._done += 1
        elapsed = time.perf_counter() - self._began
        return Progress(self._done, self._total, text, elapsed / self._done * (self._total - self._done))
