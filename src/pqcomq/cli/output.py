"""Results on standard output: a table for people, JSON for machines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table


def print_json(content: dict[str, Any]) -> None:
    """One JSON document, plain."""
    Console(soft_wrap=True, highlight=False).out(json.dumps(content, indent=2, allow_nan=False), highlight=False)


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]], caption: str | None = None) -> None:
    """A table, numbers to the right."""
    table = Table(title=title, caption=caption, title_justify="left", caption_justify="left")
    for index, column in enumerate(columns):
        table.add_column(column, justify="left" if index == 0 else "right", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    console = Console()
    # A number cut short by a narrow terminal, or by a pipe that has no width, is worse than a long line.
    needed = Measurement.get(console, console.options.update(max_width=10_000), table).minimum
    Console(width=max(console.width, needed)).print(table)


def print_lines(lines: Iterable[str]) -> None:
    """Plain lines, never wrapped."""
    console = Console(soft_wrap=True, highlight=False)
    for line in lines:
        console.print(line, markup=False)


def print_written(paths: Iterable[Path]) -> None:
    """Where results went."""
    print_lines(f"wrote {path}" for path in paths)
