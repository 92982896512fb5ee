"""Every writing command killed a few times; ``run.py`` does it any number of times."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt" or sys.platform == "darwin", reason="needs processes that can be forked safely")
def test_no_kill_leaves_half_a_set():
    """One kill of each command anywhere, and one while it replaces older files."""
    script = Path(__file__).parent / "run.py"
    ended = subprocess.run([sys.executable, str(script), "--kills", "2"], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr[-3000:]
    assert ended.stdout.count("\n") == 14, ended.stdout
