"""Every example in the engine's docstrings gives what it says; those that run models are tests of the public names."""

from __future__ import annotations

import pytest

import pqcomq

from ..docstring_examples import check_examples, modules_with_examples


@pytest.mark.parametrize("name", [each for each in modules_with_examples(pqcomq) if not each.startswith("pqcomq.api.")])
def test_examples_give_what_they_say(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    check_examples(name)
