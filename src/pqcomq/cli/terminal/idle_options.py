"""Options that would do nothing beside others are refused: whoever gives one counts on it."""

from __future__ import annotations

import typer

from pqcomq.errors import InputError


def refuse_idle(context: typer.Context, reason: str, *names: str) -> None:
    """Refuse options that were given and would do nothing.

    Args:
        context: of the command.
        reason: a clause, why they would.
        names: of the command's parameters.

    Raises:
        InputError: one of them was given.
    """
    for name in names:
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            raise InputError(f"--{name.replace('_', '-')} would do nothing: {reason}.")
