"""A table that lists the cases: CSV or Parquet."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any, get_args

from pqcomq.cohort.cases.case import Case, CaseList, NotScored
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
    if they are to have any: ``1=spleen; 2=right kidney``. A row without an image or labels is listed as a case that
    cannot be scored.

    Raises:
        InputError: a column is missing, unknown or there twice, or a row cannot be understood.
    """
    columns, rows = _table(path)
    _check_columns(columns, path)
    cases, lost = [], []
    for number, cells in enumerate(rows, start=1):
        row = {name: _text(cell) for name, cell in zip_longest(columns, cells, fillvalue="")}
        if not any(row.values()):
            continue
        where = f"{path}, row {number}"
        _check_row(row, where)
        empty = next((name for name in _NEEDED if not row[name]), None)
        if empty is None:
            cases.append(_case(row, path, where))
        else:
            lost.append(NotScored(row["case"], "", f"its row names no {empty}"))
    if not cases and not lost:
        raise InputError("The manifest lists no case.", path)
    return CaseList(tuple(cases), tuple(lost), "manifest")


def _table(path: Path) -> tuple[list[str], Sequence[Sequence[Any]]]:
    """Names of the columns, and the cells of each row."""
    check_installed()
    import pyarrow as pa

    try:
        if path.is_file() and path.stat().st_size > _MOST_BYTES:
            raise InputError(f"The file is larger than the {_MOST_BYTES // 2**20} MiB that a manifest may take.", path)
        names, rows = _parquet_table(path) if path.suffix.lower() == ".parquet" else _csv_table(path)
    except UnicodeDecodeError as problem:
        raise InputError("The file is not written in UTF-8; save it as CSV in UTF-8.", path) from problem
    except InputError:
        raise
    except (OSError, csv.Error, ValueError, OverflowError, NotImplementedError, pa.ArrowException) as problem:
        raise InputError("The file cannot be read as a table.", path) from problem
    return [name.strip().casefold() for name in names], rows


def _csv_table(path: Path) -> tuple[list[str], list[list[str]]]:
    """Cells are parted as the names of the columns are: by comma, tab, or the semicolon of many spreadsheets."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        head = stream.readline()
        stream.seek(0)
        names, *rows = list(csv.reader(stream, delimiter=max(",;\t", key=head.count))) or [[]]
    return names, rows


def _parquet_table(path: Path) -> tuple[list[str], list[tuple[Any, ...]]]:
    """How many rows there are is looked at before they are widened; pandas' own numbers of them are left out."""
    from pyarrow import parquet

    told = parquet.read_metadata(path)
    if told.num_rows > _MOST_ROWS:
        raise InputError(f"The file lists {told.num_rows} cases, and {_MOST_ROWS} are the most.", path)
    names = [name for name in told.schema.names if not name.startswith("__index_level_")]
    table = parquet.read_table(path, columns=names, partitioning=None)
    return table.column_names, list(zip(*(column.to_pylist() for column in table.columns), strict=True))


def _check_columns(columns: Sequence[str], path: Path) -> None:
    missing = [name for name in _NEEDED if name not in columns]
    if missing:
        raise InputError(f"The manifest has no column '{missing[0]}'; needed are {', '.join(_NEEDED)}.", path)
    strange = [name for name in columns if name and name not in _KNOWN]
    if strange:
        raise InputError(f"The manifest's column '{strange[0]}' is unknown; known are {', '.join(_KNOWN)}.", path)
    twice = [name for name in _KNOWN if columns.count(name) > 1]
    if twice:
        raise InputError(f"The manifest has the column '{twice[0]}' twice.", path)


def _text(cell: Any) -> str:  # noqa: ANN401 (whatever a column of a Parquet file holds)
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)  # pandas makes fractions of whole numbers where some are missing
    return "" if cell is None else str(cell).strip()


def _check_row(row: Mapping[str, str], where: str) -> None:
    """See that a row names its case, and holds nothing that no manifest may."""
    for name, value in row.items():
        if len(value) > _MOST_TEXT or "\0" in value:
            raise InputError(f"'{name}' is no text that a manifest may hold.", where)
        if value and not name:
            raise InputError(f"'{value}' stands in no column.", where)
    if not row["case"]:
        raise InputError("'case' is empty.", where)


def _case(row: Mapping[str, str], manifest: Path, where: str) -> Case:
    numbers, names = _labels(row.get("label_numbers", ""), where)
    return Case(
        name=row["case"],
        image=manifest.parent / row["image"],
        labels=manifest.parent / row["labels"],
        patient=row.get("patient", ""),
        site=row.get("site", ""),
        modality=_modality(row.get("modality", ""), where),
        window=_window(row.get("window", ""), where),
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
    if text.casefold() in PRESETS:
        return PRESETS[text.casefold()]
    try:
        level, width = (float(each) for each in re.split(r"[,;/ ]+", text))
        return Window(level, width)
    except (ValueError, InputError):
        known = ", ".join(PRESETS)
        raise InputError(f"There is no window '{text}'; name one of {known}, or give LEVEL,WIDTH.", where) from None


def _labels(text: str, where: str) -> tuple[tuple[int, ...], dict[int, str]]:
    """``1=spleen; 2=right kidney`` or ``1 2`` as numbers and names."""
    numbers, names = [], {}
    parts = re.split(r"\s*[;,]\s*" if "=" in text else r"[;,\s]+", text)
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
