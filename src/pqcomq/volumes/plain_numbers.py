"""Numbers as files write them: Python also takes ``2_5`` for 25, digits of other scripts, and separators for blanks."""

from __future__ import annotations

import re

_PYTHONS_ALONE = re.compile(r"[_\x1c-\x1f]|[^\x00-\x7f]")


def plain_float(value: object) -> float:
    """A number, from text as every reader understands it, or from what is a number already.

    Raises:
        ValueError: it is none.

    Examples:
        >>> plain_float(" 2.5e1 ")
        25.0
        >>> plain_float("2_5")
        Traceback (most recent call last):
        ValueError: '2_5' is no number
    """
    return float(_checked(value))


def plain_words(text: str) -> list[str]:
    """A list of numbers as text, parted at blanks as every reader parts it.

    Raises:
        ValueError: there is something in it that no number has, and Python alone would part or read.

    Examples:
        >>> plain_words("0.75 1.25  2.5")
        ['0.75', '1.25', '2.5']
    """
    if _PYTHONS_ALONE.search(text):
        raise ValueError(f"{text!r} is no list of numbers")
    return text.split()


def plain_int(value: object) -> int:
    """The same of a whole number.

    Raises:
        ValueError: it is none.
    """
    checked = _checked(value)
    return int(checked)


def _checked(value: object) -> str | float:
    """The value, if it is no text that Python alone would take for a number.

    Raises:
        ValueError: it is.
    """
    written = getattr(value, "original_string", None)  # of pydicom's decimal strings
    for text in (value, written):
        if isinstance(text, str) and _PYTHONS_ALONE.search(text):
            raise ValueError(f"'{text}' is no number")
    return value  # type: ignore[return-value]  # float() and int() raise on anything else
