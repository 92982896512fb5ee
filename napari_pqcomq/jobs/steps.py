"""What a background job yields: how far it has come."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import TypeVar

from pqcomq.progress import Progress

T = TypeVar("T")


@dataclass(frozen=True)
class Step:
    """How far a job has come.

    Attributes:
        text: what is being done, one line.
        done: steps finished.
        total: all steps; 0 while unknown.
        remaining_seconds: estimate, None while unknown.
    """

    text: str
    done: int
    total: int
    remaining_seconds: float | None = None


Steps = Generator[Step, None, T]


def step_of(prefix: str, progress: Progress) -> Step:
    """The engine's progress for the panel."""
    return Step(prefix + progress.text, progress.step, progress.total, progress.remaining_seconds)
