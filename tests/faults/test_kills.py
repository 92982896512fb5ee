"""Some writing commands killed twice each; ``run.py`` does it to all, any number of times."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

WRITERS = ("segment", "quantize", "cohort", "export", "card", "models fetch")
"""One command for each way of writing: a set of files, a journal, a data set, a folder, a file beside, a download."""


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt" or sys.platform == "darwin", reason="needs processes that can be forked safely")
def test_no_kill_leaves_half_a_set():
    """One kill of each command anywhere, and one while it replaces older files."""
    script = Path(__file__).parent / "run.py"
    command = [sys.executable, str(script), "--kills", "2", "--command", *WRITERS]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr[-3000:]
    assert ended.stdout.count("\n") == 1 + len(WRITERS), ended.stdout
