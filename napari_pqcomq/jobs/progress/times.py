"""Moments and durations as people say them."""

from __future__ import annotations

from datetime import datetime


def moment(then: datetime) -> str:
    """A moment in the user's own time: the time alone where it was today."""
    here = then.astimezone()
    return f"{here:%H:%M}" if here.date() == datetime.now().astimezone().date() else f"{here:%Y-%m-%d %H:%M}"


def duration(seconds: float) -> str:
    """A duration: ``"8 s"``, ``"2 min 5 s"``."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
