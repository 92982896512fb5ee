"""Tables as CSV, for spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pqcomq.atomic_files import replacing


def as_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows with the same keys, at least one, as text under a line of their keys."""
    text = io.StringIO(newline="")
    table = csv.DictWriter(text, fieldnames=list(rows[0]))
    table.writeheader()
    table.writerows(rows)
    return text.getvalue()


def write_table(rows: Sequence[Mapping[str, Any]], path: Path, *, overwrite: bool = False) -> None:
    """Write rows with the same keys, at least one.

    Raises:
        InputError: the file exists or cannot be written.
    """
    with replacing(path, overwrite=overwrite) as partial:
        partial.write_text(as_csv(rows), encoding="utf-8", newline="")
