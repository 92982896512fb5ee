"""Seconds and memory before anything is asked for: ``import pqcomq`` and ``pqcomq --help``, each in new processes.

    python tests/benchmarks/import_times.py [REPEATS]

Medians of wall time and of CPU time (user and system), and the largest resident set. The first run of each is left out:
it may compile bytecode. Unix only.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time

PROGRAMS = {
    "python -c pass": ["-c", "pass"],
    "import pqcomq": ["-c", "import pqcomq"],
    "pqcomq --help": ["-m", "pqcomq.cli", "--help"],
    "import torch": ["-c", "import torch"],
}
"""The first and the last for scale."""

_KIBIBYTE = 1 if sys.platform == "darwin" else 1024
"""Unit of ``ru_maxrss``: bytes on macOS, KiB elsewhere."""


def measured(arguments: list[str]) -> tuple[float, float, float]:
    """Wall seconds, CPU seconds and largest resident set in MB of one process."""
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{arguments} ended with {process.returncode}")
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * _KIBIBYTE / 1e6


def main() -> None:
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    print(f"{'':16} {'wall s':>8} {'CPU s':>8} {'MB':>8}")
    for title, arguments in PROGRAMS.items():
        runs = [measured(arguments) for _ in range(repeats + 1)][1:]
        wall, cpu, size = (statistics.median(column) for column in zip(*runs, strict=True))
        print(f"{title:16} {wall:8.3f} {cpu:8.3f} {size:8.1f}")


if __name__ == "__main__":
    main()
