"""Every example in the plugin's docstrings gives what it says."""

from __future__ import annotations

import pytest

import napari_pqcomq

from ..docstring_examples import check_examples, modules_with_examples


@pytest.mark.parametrize("name", modules_with_examples(napari_pqcomq))
def test_examples_give_what_they_say(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    check_examples(name)
