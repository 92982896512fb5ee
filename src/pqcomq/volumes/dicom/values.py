"""Values of DICOM tags as plain Python."""

from __future__ import annotations

import math
from typing import Any

from pydicom.dataset import Dataset


def text(dataset: Dataset, keyword: str) -> str:
    """A tag's text on one line, without control characters (they would reach a terminal)."""
    value = dataset.get(keyword)
    content = "" if value is None else "\\".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
    return " ".join("".join(c if c.isprintable() else " " for c in content).split())


def numbers(dataset: Dataset, keyword: str, count: int) -> tuple[float, ...] | None:
    """A tag's numbers; None if it is absent or empty, ValueError if they are not ``count`` finite ones."""
    value: Any = dataset.get(keyword)
    if value is None or value == "" or (not isinstance(value, (int, float)) and len(value) == 0):
        return None
    found = tuple(float(v) for v in (value if count > 1 else [value]))
    if len(found) != count or not all(map(math.isfinite, found)):
        raise ValueError(f"{keyword} is {value}")
    return found


def number(dataset: Dataset, keyword: str) -> float | None:
    """A tag's one number; None if it is absent or empty, ValueError if it is none."""
    found = numbers(dataset, keyword, 1)
    return None if found is None else found[0]
