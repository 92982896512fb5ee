"""A run of tests between several workers ends, whatever happens to a worker."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

FILE = """
import os, pytest

@pytest.mark.parametrize("number", range(6))
def test_it(number):
    if {dies} and number == 2:
        os._exit(3)
"""
PLUGIN = """
from file_scheduler import FileScheduler

def pytest_xdist_make_scheduler(config, log):
    config.option.loadscopereorder = False
    return FileScheduler(config, log)
"""


@pytest.mark.parametrize("fatal_files", [{3}, {0, 7}])
def test_a_run_in_which_workers_die_ends_and_fails_by_those_tests_alone(tmp_path, fatal_files):
    pytest.importorskip("xdist")
    for file in range(8):
        (tmp_path / f"test_{file}.py").write_text(FILE.format(dies=file in fatal_files))
    (tmp_path / "conftest.py").write_text(PLUGIN)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    command = [sys.executable, "-m", "pytest", "-n", "2", "-q", "-p", "no:cacheprovider"]
    without = [word for plugin in ("napari", "npe2", "pytest-qt", "xvfb", "timeout") for word in ("-p", f"no:{plugin}")]
    ran = subprocess.run(
        [*command, *without, str(tmp_path)],
        cwd=tmp_path,
        env={"PYTHONPATH": str(Path(__file__).parent), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert f"{len(fatal_files)} failed, {8 * 6 - len(fatal_files)} passed" in ran.stdout
    for file in fatal_files:
        assert f"crashed while running 'test_{file}.py::test_it[2]'" in ran.stdout
