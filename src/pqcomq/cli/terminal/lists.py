"""Options that take several values in a row: lists, as shells expand ``*.nii.gz``, and the numbers of a box or a point.

What is here is done before a command is known, so nothing that takes time is imported.
"""

from __future__ import annotations

from collections.abc import Sequence

from pqcomq.errors import InputError

BOX = "--box"
NUMBERS = {BOX: 6, "--point": 3, "--negative-point": 3, "--slices": 2}
"""Option → how many numbers belong to it."""
_NAMES = {6: "six numbers X0 Y0 Z0 X1 Y1 Z1", 3: "three numbers X Y Z", 2: "two numbers FIRST LAST"}

_LISTS = {
    "quantize": {"--calibration"},
    "cohort": {
        "--weights",
        "--bits",
        "--method",
        "--calibration",
        "--calibrate-on",
        "--label",
        "--prompted-by",
        "--runtime",
    },
    "bench": {"--label", "--weights"},
    "evaluate": {"--label", "--weights"},
    "report": {"--label", "--name", "--weights"},
}


def repeat_options(arguments: Sequence[str]) -> list[str]:
    """Turn ``--label 1 2 3`` into ``--label 1 --label 2 --label 3``, which is what the parser takes.

    Args:
        arguments: of the process; the first is the command. All values up to the next option
            belong to a list, so that a positional argument stands before the options.
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


def joined_numbers(arguments: Sequence[str]) -> list[str]:
    """Turn ``--box 1 2 3 4 5 6`` into one value, so that the option may be given several times; points likewise.

    Raises:
        InputError: there are fewer numbers up to the next option.
    """
    joined: list[str] = []
    index = 0
    while index < len(arguments):
        joined.append(arguments[index])
        index += 1
        option = joined[-1]
        wanted = NUMBERS.get(option)
        if wanted is None:
            continue
        values: list[str] = []
        while index < len(arguments) and len(values) < wanted and is_number(arguments[index]):
            values.append(arguments[index])
            index += 1
        if len(values) < wanted:
            found = f", and then '{arguments[index]}'" if index < len(arguments) else ""
            raise InputError(f"{option} needs {_NAMES[wanted]}, but {len(values)} follow it{found}.")
        joined.append(" ".join(values))
    return joined


def is_number(text: str) -> bool:
    """Whether a word on the command line is a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True
