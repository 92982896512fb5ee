"""JSON from files that anybody may have written, held against the schema of its format before anything uses it.

A schema is a :class:`msgspec.Struct`: which entries there are, of what kind, and in which range. Nesting and size are
limited before, so that neither the interpreter's stack nor its memory decides.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from pqcomq.atomic_files import why
from pqcomq.errors import InputError

MOST_BYTES = 64 * 2**20
"""Of a file; a session of a hundred objects with three precisions each takes 5 MiB."""

MOST_DEPTH = 24
"""Lists and objects in one another; our own formats need 10."""

MOST_TEXT = 10_000

Text = Annotated[str, Meta(max_length=MOST_TEXT)]
Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
Finite = Annotated[float, Meta(ge=-1e300, le=1e300)]
NotNegative = Annotated[float, Meta(ge=0, le=1e300)]
Share = Annotated[float, Meta(ge=0, le=1)]
Count = Annotated[int, Meta(ge=0, le=2**53)]
Whole = Annotated[int, Meta(ge=-(2**31), le=2**31)]


class Exact(Struct, forbid_unknown_fields=True):
    """An object whose entries are all known: it is made into one of ours, entry by entry."""


class Damaged(ValueError):  # noqa: N818 (the file is, and the sentence says so)
    """JSON that is not what its format asks for; the message says what and where, and names no file."""


def checked_json(data: bytes | str, schema: Any) -> dict[str, Any]:  # noqa: ANN401 (any type that msgspec knows)
    """A JSON object that fits a schema.

    Args:
        data: JSON, UTF-8 where it is bytes.
        schema: a :class:`msgspec.Struct`, or a mapping of them.

    Returns:
        The object as it stands in the text, entries that the schema does not name included.

    Raises:
        Damaged: it is no JSON, is nested or written too large, or does not fit.

    Examples:
        >>> class Point(Exact):
        ...     x: Finite
        >>> checked_json('{"x": 1.5}', Point)
        {'x': 1.5}
        >>> checked_json('{"x": "left"}', Point)
        Traceback (most recent call last):
        pqcomq.json_schema.Damaged: entry x: expected float, got str
    """
    if len(data) > MOST_BYTES:
        raise Damaged(f"{len(data) // 2**20} MiB of JSON, and {MOST_BYTES // 2**20} are the most")
    try:
        content = msgspec.json.decode(data)
    except RecursionError:
        raise Damaged(f"lists are nested deeper than {MOST_DEPTH}") from None
    except (msgspec.MsgspecError, ValueError) as problem:
        raise Damaged(str(problem)) from None
    _check_depth(content)
    check_content(content, schema)
    if not isinstance(content, dict):
        raise Damaged("it is no JSON object")
    return content


def check_content(content: object, schema: Any) -> None:  # noqa: ANN401
    """See that what was read from JSON fits a schema.

    Raises:
        Damaged: it does not.
    """
    try:
        msgspec.convert(content, schema)
    except (msgspec.MsgspecError, ValueError) as problem:
        raise Damaged(_in_words(str(problem))) from None


def read_json(path: Path, schema: Any) -> dict[str, Any]:  # noqa: ANN401
    """The same from a file, whose size is looked at before it is read.

    Raises:
        FileNotFoundError: there is none.
        InputError: it cannot be read.
        Damaged: its content is not what the format asks for.
    """
    try:
        if not path.is_file():
            raise FileNotFoundError(path)
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise Damaged(f"{size // 2**20} MiB of JSON, and {MOST_BYTES // 2**20} are the most")
        data = path.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as problem:
        raise InputError(f"The file cannot be read: {why(problem)}.", path) from problem
    return checked_json(data, schema)


def _in_words(message: str) -> str:
    """A sentence of msgspec with the place first, as in ``"entry gate.dice: expected float <= 1.0"``."""
    plain = message.replace("`", "")
    told, _, place = plain.partition(" - at $")
    return f"entry {place.removeprefix('.')}: {told[0].lower()}{told[1:]}" if place else plain


def _check_depth(content: object) -> None:
    """Refuse nesting, level by level: no call goes deeper with it."""
    level = [content]
    for _ in range(MOST_DEPTH):
        level = [
            inner
            for each in level
            if isinstance(each, dict | list)
            for inner in (each.values() if isinstance(each, dict) else each)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return
    raise Damaged(f"lists are nested deeper than {MOST_DEPTH}")
