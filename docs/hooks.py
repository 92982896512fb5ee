"""The generated parts of the documentation, put in place of their marks while mkdocs builds."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

COMMANDS, PACKAGES = "<!-- generated: commands -->", "<!-- generated: packages -->"
HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parent


def on_config(config: Any) -> Any:  # noqa: ANN401 (mkdocs' own type)
    """Let the hook import the checkout's packages and the drawing beside it."""
    for place in (HERE, CHECKOUT, CHECKOUT / "src"):
        if str(place) not in sys.path:
            sys.path.insert(0, str(place))
    return config


def on_page_markdown(markdown: str, **_others: object) -> str:
    """Replace the marks in a page."""
    if COMMANDS in markdown:
        markdown = markdown.replace(COMMANDS, command_pages())
    if PACKAGES in markdown:
        from package_drawing import drawing

        markdown = markdown.replace(PACKAGES, f"<div>{drawing(CHECKOUT)}</div>")
    return markdown


def on_page_content(html: str, **_others: object) -> str:
    """Show names that docstrings mark with Sphinx's roles, such as ``:class:`.Scores```, as plain code."""
    return re.sub(r":(?:attr|class|data|func|meth|mod):<code>[~.]*", "<code>", html)


def command_pages() -> str:
    """Every command with its arguments and options, as ``typer … utils docs`` writes them."""
    import typer
    from typer.cli import get_docs_for_click

    from pqcomq.cli.app import app

    command = typer.main.get_command(app)
    context = command.make_context("pqcomq", [], resilient_parsing=True)
    text = get_docs_for_click(obj=command, ctx=context, name="pqcomq")
    _title, _line, rest = text.partition("\n")  # the page has a title of its own
    return rest
