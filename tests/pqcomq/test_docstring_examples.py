"""Every example in the engine's docstrings gives what it says; those that run models are tests of the public names."""

from __future__ import annotations

import doctest
from importlib import import_module
from pathlib import Path

import pytest

import pqcomq

ROOT = Path(pqcomq.__file__).parents[1]
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for path in (ROOT / "pqcomq").rglob("*.py")
    if ">>> " in path.read_text(encoding="utf-8") and path.parent.name != "api"
)


@pytest.mark.parametrize("name", MODULES)
def test_examples_give_what_they_say(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = doctest.testmod(import_module(name), optionflags=doctest.ELLIPSIS)
    assert result.attempted
    assert not result.failed
