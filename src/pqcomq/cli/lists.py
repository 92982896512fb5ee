"""Options that take several values in a row, as shells expand ``*.nii.gz``."""

from __future__ import annotations

from collections.abc import Sequence

_LISTS = {
    "quantize": {"--calibration"},
    "bench": {"--label", "--weights"},
    "evaluate": {"--label", "--weights"},
    "report": {"--label", "--name", "--weights"},
}


def repeat_options(arguments: Sequence[str]) -> list[str]:
    """Turn ``--label 1 2 3`` into ``--label 1 --label 2 --label 3``, which is what the parser takes.

    Args:
        arguments: of the process; the first is the command. These commands take no positional arguments, so that all
            values up to the next option belong to the list.
    """
    lists = _LISTS.get(arguments[0], set()) if arguments else set()
    repeated: list[str] = []
    current: str | None = None
    for argument in arguments:
        if argument.startswith("--"):
            current = argument if argument in lists else None
            repeated.append(argument)
        elif current is not None and repeated[-1] != current:
            repeated += [current, argument]
        else:
            repeated.append(argument)
    return repeated
