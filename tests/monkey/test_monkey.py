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
    script = Path(__file__).with_name("run.py")
    command = [sys.executable, str(script), "--steps", "40", "--seed", "8", "--calm", "--out", str(tmp_path)]
    ended = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    assert ended.returncode == 0, ended.stdout[-4000:] + ended.stderr[-3000:]
    assert "40 actions" in ended.stdout
    assert "0 kinds of faults" in ended.stdout
