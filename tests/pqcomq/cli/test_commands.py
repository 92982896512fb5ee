"""Commands are listed without being imported, and are the real ones once they are asked for."""

from __future__ import annotations

import inspect
from importlib import import_module

import pytest

from pqcomq.cli.commands import SUMMARIES, load_command


@pytest.mark.parametrize("name", SUMMARIES)
def test_a_summary_is_the_first_paragraph_of_the_command_s_help(name):
    function = getattr(import_module(f"pqcomq.cli.{name}"), name)
    first = inspect.getdoc(function).split("\n\n")[0]
    assert SUMMARIES[name] == " ".join(first.split())
    assert load_command(name).params


def test_help_lists_every_command(run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    status, text, _ = run("--help")
    assert status == 0
    assert all(name in text for name in SUMMARIES)
    assert "warnings.log" in text


def test_an_unknown_command_is_answered_with_one_like_it(run):
    status, _, err = run("quantise")
    assert status == 2
    assert "Did you mean 'quantize'?" in err


def test_a_command_s_help_tells_its_options(run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    status, text, _ = run("gate", "--help")
    assert status == 0
    assert "--volume-percent" in text
