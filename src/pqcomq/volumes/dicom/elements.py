"""Values of DICOM tags as plain Python."""

from __future__ import annotations

import math
from typing import Any

from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from pqcomq.volumes.plain_numbers import plain_float


class OddValueError(ValueError):
    """A tag that is needed holds something else than it must; the message is a clause that names tag and value."""

    def __init__(self, keyword: str, value: object) -> None:
        shown = value if isinstance(value, str) else "\\".join(map(str, value)) if isinstance(value, list) else value
        super().__init__(f"its {keyword} is '{one_line(str(shown))}'")


def one_line(content: str) -> str:
    """Text without control characters, which would reach a terminal."""
    return " ".join("".join(c if c.isprintable() else " " for c in content).split())


def text(dataset: Dataset, keyword: str) -> str:
    """A tag's text on one line; empty where there is none, or where it cannot be read."""
    try:
        value = dataset.get(keyword)
    except (ValueError, TypeError, OverflowError, NotImplementedError):  # an odd value is no text
        return ""
    content = "" if value is None else "\\".join(map(str, value)) if isinstance(value, MultiValue) else str(value)
    return one_line(content)


def numbers(dataset: Dataset, keyword: str, count: int) -> tuple[float, ...] | None:
    """A tag's numbers; None if it is absent or empty.

    Raises:
        OddValueError: they are not ``count`` finite ones.
    """
    value = _plain(dataset, keyword)
    if value is None or value == "" or (isinstance(value, list) and not any(str(v).strip() for v in value)):
        return None
    try:
        found = tuple(plain_float(v) for v in (value if isinstance(value, list) else [value]))
    except (TypeError, ValueError):
        raise OddValueError(keyword, value) from None
    if len(found) != count or not all(map(math.isfinite, found)):
        raise OddValueError(keyword, value)
    return found


def number(dataset: Dataset, keyword: str) -> float | None:
    """A tag's one number; None if it is absent or empty.

    Raises:
        OddValueError: it is none.
    """
    found = numbers(dataset, keyword, 1)
    return None if found is None else found[0]


def whole_number(dataset: Dataset, keyword: str) -> int | None:
    """A tag's one whole number; None if it is absent or empty.

    Raises:
        OddValueError: it is none.
    """
    found = number(dataset, keyword)
    if found is not None and not found.is_integer():
        raise OddValueError(keyword, found)
    return None if found is None else int(found)


def number_if_any(dataset: Dataset, keyword: str) -> float | None:
    """The same of a tag that nothing depends on: what is no number is no reason to leave the file out."""
    try:
        return number(dataset, keyword)
    except OddValueError:
        return None


def _plain(dataset: Dataset, keyword: str) -> Any:  # noqa: ANN401 (whatever the tag holds)
    """A value as it stands in the file: one text or number, or a list of them.

    Decimal and integer strings are taken apart here, many times as quickly as by pydicom, and also where they were
    written under another text representation (one scanner writes pixel spacing as UT).
    """
    element = dataset.get_item(keyword) if keyword in dataset else None
    if element is None:
        return None
    content = element.value
    if isinstance(element, RawDataElement):
        if element.VR in ("DS", "IS", "UT", "LT", "ST", "LO", "SH") and isinstance(content, bytes):
            content = content.decode("ascii", "replace")
        else:
            try:
                content = dataset.get(keyword)
            except (ValueError, TypeError, OverflowError, NotImplementedError):
                return element.value
    if isinstance(content, str):
        pieces = [piece.strip(" \0") for piece in content.strip(" \0").split("\\")]
        return pieces if len(pieces) > 1 else pieces[0]
    return list(content) if isinstance(content, MultiValue | list | tuple) else content
