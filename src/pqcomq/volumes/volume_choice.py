"""The question which of several volumes in one file or series is meant."""

from __future__ import annotations

from collections.abc import Sequence

from pqcomq.errors import InputError
from pqcomq.volumes.import_issues import REMEDIES, Remedy

MOST_LISTED = 8
"""Parts named in one message."""


class PartChoiceNeeded(InputError):  # noqa: N818  # the plugin answers it with a choice
    """One file or series holds several volumes; ``parts`` names them in their order, counted from 1."""

    def __init__(self, what: str, reason: str, parts: Sequence[str], remedies: Sequence[Remedy] = ()) -> None:
        listed = ", ".join(f"{number} ({label})" for number, label in enumerate(parts[:MOST_LISTED], start=1))
        more = f", … {len(parts)} ({parts[-1]})" if len(parts) > MOST_LISTED else ""
        offered = "".join(f", or the remedy '{remedy}' to {REMEDIES[remedy]}" for remedy in remedies)
        super().__init__(f"{reason}; choose a part: {listed}{more}{offered}.", what)
        self.what = what
        self.parts = list(parts)


def checked_part(part: int, count: int, what: str) -> int:
    """The index from 0 of a part counted from 1.

    Raises:
        InputError: there is no such part.
    """
    if not 1 <= part <= count:
        there_are = "is only one part" if count == 1 else f"are parts 1 to {count}"
        raise InputError(f"There is no part {part}; there {there_are}.", what)
    return part - 1
