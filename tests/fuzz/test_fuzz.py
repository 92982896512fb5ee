"""Damaged files of every kind that is read; ``run.py`` opens any number of them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt" or sys.platform == "darwin", reason="limits of memory are Linux's")
def test_nothing_but_refusals_and_truths():
    command = [sys.executable, str(Path(__file__).parent / "run.py"), "--inputs", "300", "--workers", "2"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr[-3000:]
    corpus = sum(path.is_file() for path in (Path(__file__).parent / "corpus").rglob("*"))
    assert f"| all | {3300 + corpus} |" in ended.stdout
