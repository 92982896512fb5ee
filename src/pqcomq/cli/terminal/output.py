"""Results on standard output: a table for people, JSON for machines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

from pqcomq.errors import printable


def _shown(text: str) -> str:
    """Text in which names of files, members of archives or series steer no terminal."""
    return "\n".join(map(printable, text.split("\n")))


def console_of(width: int | None = None, *, stderr: bool = False) -> Console:
    """Where texts come out as they are: names of files and of extras, as in ``napari-pqcomq[openvino]``, are no markup.

    Args:
        width: of the output in characters; by default the terminal's.
        stderr: standard error in place of standard output.
    """
    return Console(width=width, stderr=stderr, soft_wrap=width is None, highlight=False, markup=False, emoji=False)


def print_json(content: dict[str, Any]) -> None:
    """One JSON document, plain."""
    console_of().out(json.dumps(content, indent=2, allow_nan=False), highlight=False)


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]], caption: str | None = None) -> None:
    """A table, numbers to the right."""
    content = [[_shown(cell) for cell in row] for row in rows]
    table = Table(title=_shown(title), caption=caption, title_justify="left", caption_justify="left")
    widths = [max(map(cell_len, cells)) for cells in zip(columns, *content, strict=True)]
    for index, (column, width) in enumerate(zip(columns, widths, strict=True)):
        table.add_column(column, justify="left" if index == 0 else "right", no_wrap=True, min_width=width)
    for row in content:
        table.add_row(*row)
    # A number cut short by a narrow terminal, or by a pipe that has no width, is worse than a long line.
    needed = sum(widths) + 3 * len(widths) + 1  # each column's padding and border
    console_of(max(Console().width, needed)).print(table)


def print_lines(lines: Iterable[str]) -> None:
    """Plain lines, never wrapped."""
    console = console_of()
    for line in lines:
        console.print(_shown(line))


def print_written(paths: Iterable[Path]) -> None:
    """Where results went."""
    print_lines(f"wrote {path}" for path in paths)


def print_note(text: str) -> None:
    """A remark beside the output, on standard error."""
    console_of(stderr=True).print(_shown(text))
