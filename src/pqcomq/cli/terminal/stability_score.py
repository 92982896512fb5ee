"""``--cascade``: a stability score, or a folder of results that tells one."""

from __future__ import annotations

from pqcomq.errors import InputError


def stability_score(given: str) -> float | None:
    """The score that was given; None where something else was.

    Raises:
        InputError: a number is no stability score.
    """
    try:
        score = float(given)
    except ValueError:
        return None
    if not 0 <= score <= 1:
        raise InputError(f"--cascade {given}: a stability score lies from 0 to 1.")
    return score
