"""Ctrl-C and a request to end: told in a sentence that says what was kept."""

from __future__ import annotations

import signal
from contextlib import suppress
from types import FrameType

NOTHING_KEPT = "nothing was written"


class Interrupted(Exception):  # noqa: N818 (no error: the user asked for it)
    """The user ended a command; the message says what was kept. Typer would end the process without a word."""


class _Asked:
    """Whether the user has asked this process to end."""

    to_end = False


def end_as_by_ctrl_c() -> None:
    """Have a request to end (SIGTERM, as from a batch system) end a command as Ctrl-C does, and neither be lost."""
    with suppress(ValueError):  # signals can only be set in the main thread
        signal.signal(signal.SIGTERM, _end)
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # a shell has work behind itself ignore it
            signal.signal(signal.SIGINT, _end)


def end_if_asked() -> None:
    """Between two steps of long work: end it where the request was lost.

    Python drops what is raised while it clears an object away, and Ctrl-C raises wherever the program stands.

    Raises:
        KeyboardInterrupt: the user has asked for the end.
    """
    if _Asked.to_end:
        raise KeyboardInterrupt


def _end(_number: int, _frame: FrameType | None) -> None:
    _Asked.to_end = True
    raise KeyboardInterrupt
