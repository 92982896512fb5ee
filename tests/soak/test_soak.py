"""Nothing grows in a few rounds of work; ``run.py`` does it for any number of minutes."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.skipif("PQCOMQ_SOAK" not in os.environ, reason="takes minutes of a quiet machine: set PQCOMQ_SOAK")
@pytest.mark.slow
@pytest.mark.gui
def test_the_window_works_round_after_round_and_lets_go_of_everything(tmp_path):
    out = tmp_path / "soak"
    command = [sys.executable, str(Path(__file__).with_name("run.py")), "--minutes", "2", "--rounds", "12"]
    command += ["--side", "96", "--depth", "8", "--short", "--out", str(out)]
    ended = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    assert ended.returncode == 0, ended.stdout[-2000:] + ended.stderr[-3000:]
    with (out / "rounds.csv").open(encoding="utf-8") as stream:
        rounds = list(csv.DictReader(stream))
    assert rounds
    assert all(float(row["memory MB"]) > 0 and float(row["slice step ms"]) > 0 for row in rounds)
    assert (out / "rounds.png").stat().st_size > 1000
