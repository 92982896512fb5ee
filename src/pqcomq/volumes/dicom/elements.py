"""Values of DICOM tags as plain Python."""

from __future__ import annotations

import math
from typing import Any

from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue


def text(dataset: Dataset, keyword: str) -> str:
    """A tag's text on one line, without control characters (they would reach a terminal)."""
    value = dataset.get(keyword)
    content = "" if value is None else "\\".join(map(str, value)) if isinstance(value, MultiValue) else str(value)
    return " ".join("".join(c if c.isprintable() else " " for c in content).split())


def numbers(dataset: Dataset, keyword: str, count: int) -> tuple[float, ...] | None:
    """A tag's numbers; None if it is absent or empty, ValueError if they are not ``count`` finite ones."""
    value: Any = _decimals(dataset, keyword) or dataset.get(keyword)
    if value is None or value == "" or (not isinstance(value, (int, float)) and len(value) == 0):
        return None
    found = tuple(float(v) for v in (value if isinstance(value, list) or count > 1 else [value]))
    if len(found) != count or not all(map(math.isfinite, found)):
        raise ValueError(f"{keyword} is {value}")
    return found


def _decimals(dataset: Dataset, keyword: str) -> list[str] | None:
    """Decimal or integer strings as they stand in the file: many times as quick as pydicom's own numbers."""
    element = dataset.get_item(keyword) if keyword in dataset else None
    if not (isinstance(element, RawDataElement) and element.VR in ("DS", "IS") and isinstance(element.value, bytes)):
        return None
    content = element.value.decode("ascii", "replace").strip(" \0")
    return content.split("\\") if content else None


def number(dataset: Dataset, keyword: str) -> float | None:
    """A tag's one number; None if it is absent or empty, ValueError if it is none."""
    found = numbers(dataset, keyword, 1)
    return None if found is None else found[0]
