"""The script that sets up a checkout runs the tests by options that pytest takes."""

from __future__ import annotations

import runpy
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[1] / ".ci" / "start.py"


def test_the_fast_tests_are_found_without_the_plugins_of_windows():
    options = runpy.run_path(str(SCRIPT))["WINDOWLESS"]
    command = [sys.executable, "-m", "pytest", "-q", "--collect-only", *options, "tests/test_locks.py"]
    ran = subprocess.run(command, cwd=SCRIPT.parents[1], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr
