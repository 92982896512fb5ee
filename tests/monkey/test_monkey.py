"""A short walk through a window, always the same one; ``run.py`` walks for as long as it is asked to."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
@pytest.mark.gui
def test_nothing_goes_wrong_whatever_is_pressed(tmp_path):
    """Each job is waited for, so that the walk does not depend on how fast the machine is."""
    told = walked("--steps", "40", "--seed", "8", "--calm", "--out", str(tmp_path))
    assert "40 actions" in told


@pytest.mark.slow
@pytest.mark.gui
def test_a_layer_that_naparis_own_key_hides_is_no_fault(tmp_path):
    """Without a comparison V is left to napari, which shows or hides the selected layers."""
    actions = tmp_path / "actions.txt"
    actions.write_text("add_a_layer:122100\npress_a_key:651677\npress_a_key:651677\n", encoding="utf-8")
    assert "3 actions" in walked("--replay", str(actions), "--out", str(tmp_path / "out"))
    played = (tmp_path / "out" / "actions.txt").read_text(encoding="utf-8")
    assert "shapes |" in played
    assert played.count("V |") == 2, "the seeds stand for other actions now"


def walked(*arguments):
    """What a walk without a fault prints."""
    command = [sys.executable, str(Path(__file__).with_name("run.py")), *arguments]
    ended = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    assert ended.returncode == 0, ended.stdout[-4000:] + ended.stderr[-3000:]
    assert "0 kinds of faults" in ended.stdout
    return ended.stdout
