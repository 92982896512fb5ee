"""A table that lists the cases: CSV or Parquet."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from pqcomq.cohort.cases.case import Case, CaseList
from pqcomq.cohort.packages import check_installed
from pqcomq.errors import InputError
from pqcomq.volumes.intensity_window import PRESETS, Window
from pqcomq.volumes.volume import Modality

MANIFEST_SUFFIXES = (".csv", ".parquet")
_NEEDED = ("case", "image", "labels")
_MOST_BYTES, _MOST_ROWS, _MOST_TEXT = 64 * 2**20, 1_000_000, 10_000
_KNOWN = (*_NEEDED, "modality", "window", "patient", "site", "label_numbers")


def manifest_cases(path: Path) -> CaseList:
    """The cases of a manifest; relative paths are relative to the manifest's own folder.

    Columns: ``case``, ``image`` and ``labels`` must be there; ``modality`` (CT, MR, other), ``window`` (a preset's name
    or level,width), ``patient``, ``site`` and ``label_numbers`` may be. The last lists the labels to score, with names
    if they are to have any: ``1=spleen; 2=right kidney``.

    Raises:
        InputError: a column is missing or unknown, or a row cannot be understood.
    """
    rows = _rows(path)
    columns = list(rows[0]) if rows else []
    missing = [name for name in _NEEDED if name not in columns]
    if missing:
        raise InputError(f"The manifest has no column '{missing[0]}'; needed are {', '.join(_NEEDED)}.", path)
    strange = [name for name in columns if name not in _KNOWN]
    if strange:
        raise InputError(f"The manifest's column '{strange[0]}' is unknown; known are {', '.join(_KNOWN)}.", path)
    return CaseList(tuple(_case(row, path, number) for number, row in enumerate(rows, start=1)), (), "manifest")


def _rows(path: Path) -> list[dict[str, Any]]:
    check_installed()
    import pandas as pd
    import pyarrow as pa

    try:
        if path.is_file() and path.stat().st_size > _MOST_BYTES:
            raise InputError(f"The file is larger than the {_MOST_BYTES // 2**20} MiB that a manifest may take.", path)
        if path.suffix.lower() == ".parquet":
            table = pd.DataFrame(pd.read_parquet(path, columns=_columns(path)))
        else:
            table = pd.read_csv(path, dtype=str, keep_default_na=False)  # NA may be a name or a site
    except (OSError, ValueError, OverflowError, NotImplementedError, pa.ArrowException) as problem:
        raise InputError("The file cannot be read as a table.", path) from problem
    if table.empty:
        raise InputError("The manifest lists no case.", path)
    filled = table.astype(object).where(table.notna(), "")
    rows: list[dict[str, Any]] = filled.to_dict("records")
    return rows


def _columns(path: Path) -> list[str]:
    """The columns of a Parquet file, looked at before its rows are widened.

    Raises:
        InputError: there are more rows than a cohort can have.
    """
    from pyarrow import parquet

    told = parquet.read_metadata(path)
    if told.num_rows > _MOST_ROWS:
        raise InputError(f"The file lists {told.num_rows} cases, and {_MOST_ROWS} are the most.", path)
    return list(told.schema.names)


def _case(row: Mapping[str, Any], manifest: Path, number: int) -> Case:
    text = {name: str(value).strip() for name, value in row.items()}
    where = f"{manifest}, row {number}"
    for name, value in text.items():
        if len(value) > _MOST_TEXT or "\0" in value:
            raise InputError(f"'{name}' is no text that a manifest may hold.", where)
    for name in _NEEDED:
        if not text[name]:
            raise InputError(f"'{name}' is empty.", where)
    numbers, names = _labels(text.get("label_numbers", ""), where)
    return Case(
        name=text["case"],
        image=manifest.parent / text["image"],
        labels=manifest.parent / text["labels"],
        patient=text.get("patient", ""),
        site=text.get("site", ""),
        modality=_modality(text.get("modality", ""), where),
        window=_window(text.get("window", ""), where),
        label_names=names,
        only=numbers or None,
    )


def _modality(text: str, where: str) -> Modality | None:
    if not text:
        return None
    modality: Modality
    for modality in get_args(Modality):
        if text.casefold() == modality.casefold():
            return modality
    raise InputError(f"There is no modality '{text}'; name CT, MR or other.", where)


def _window(text: str, where: str) -> Window | None:
    if not text:
        return None
    if text in PRESETS:
        return PRESETS[text]
    try:
        level, width = (float(each) for each in re.split(r"[,;/ ]+", text))
    except ValueError:
        known = ", ".join(PRESETS)
        raise InputError(f"There is no window '{text}'; name one of {known}, or give LEVEL,WIDTH.", where) from None
    return Window(level, width)


def _labels(text: str, where: str) -> tuple[tuple[int, ...], dict[int, str]]:
    """``1=spleen; 2=right kidney`` or ``1 2`` as numbers and names."""
    numbers, names = [], {}
    parts = re.split(r"\s*[;,]\s*", text) if "=" in text else text.split()
    for part in parts:
        if not part:
            continue
        number, _, name = part.partition("=")
        if not (number.strip().isdecimal() and len(number.strip()) < 10):
            raise InputError(f"'{part}' is no label number; write 1 2, or 1=spleen; 2=right kidney.", where)
        numbers.append(int(number))
        if name.strip():
            names[int(number)] = name.strip()
    return tuple(numbers), names
