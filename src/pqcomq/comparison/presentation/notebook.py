"""Results as a notebook shows them."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape


def html_table(columns: Sequence[str], rows: Sequence[Sequence[str]], remark: str = "") -> str:
    """A table as HTML; texts are escaped, since names are the user's.

    Args:
        columns: titles, the first one of the whole table.
        rows: cells, the first one of each row says what it tells.
        remark: a sentence below.
    """
    head = "".join(f"<th>{escape(each)}</th>" for each in columns)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    told = f"<p>{escape(remark)}</p>" if remark else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{told}"
