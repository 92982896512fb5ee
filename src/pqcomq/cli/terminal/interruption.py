"""Ctrl-C and a request to end: told in a sentence that says what was kept."""

from __future__ import annotations

import signal
from contextlib import suppress

NOTHING_KEPT = "nothing was written"


class Interrupted(Exception):  # noqa: N818 (no error: the user asked for it)
    """The user ended a command; the message says what was kept. Typer would end the process without a word."""


def end_as_by_ctrl_c() -> None:
    """Have a request to end (SIGTERM, as from a batch system) end a command as Ctrl-C does."""
    with suppress(ValueError):  # signals can only be set in the main thread
        signal.signal(signal.SIGTERM, signal.default_int_handler)
