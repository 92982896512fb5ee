"""With what a command ends, each status for one thing alone."""

from __future__ import annotations

PASSED = 0
NOT_PASSED = 1
"""What was asked was answered with no: a tolerance is not met, a session did not come out the same."""
BAD_INPUT = 2
UNDECIDED = 3
"""Of a gate: nothing failed, and what there is does not suffice to pass."""
FAULT = 70
"""The program itself is at fault, or its output could not be printed."""
INTERRUPTED = 130


class Answer(Exception):  # noqa: N818 (no error: a command's answer)
    """A command's own status, apart from those with which libraries end a process."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status
