"""Whether ``pqcomq quantize`` writes the same bytes with any number of threads and in every run, and what it takes.

    python tests/benchmarks/determinism.py --calibration CT1 CT2 [--bits 4] [--slices 8] [--threads 1 2 4 2]

Each run is a process of its own. Ends with status 1 if any file differs.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pqcomq.models.execution import cpu_name


def main() -> None:
    """Quantize once for each number of threads, and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calibration", nargs="+", required=True, type=Path)
    parser.add_argument("--bits", default=4, type=int)
    parser.add_argument("--slices", default=8, type=int)
    parser.add_argument("--threads", nargs="+", default=[1, 2, 4, 2], type=int)
    asked = parser.parse_args()
    print(f"{cpu_name()}, {os.cpu_count()} cores; LiteMedSAM, {asked.bits} bits, {asked.slices} slices", flush=True)
    found = set()
    with tempfile.TemporaryDirectory() as folder:
        for number, threads in enumerate(asked.threads):
            path = Path(folder) / f"{number}.safetensors"
            command = [sys.executable, "-m", "pqcomq.cli", "quantize", "--bits", asked.bits, "--out", path]
            command += ["--calibration-slices", asked.slices, "--calibration", *asked.calibration]
            environment = os.environ | {"OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}
            began = time.perf_counter()
            process = subprocess.Popen(list(map(str, command)), env=environment, stdout=subprocess.DEVNULL)
            _, status, used = os.wait4(process.pid, 0)
            wall = time.perf_counter() - began
            if status:
                sys.exit(f"the run with {threads} threads failed")
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            found.add(digest)
            print(
                f"{threads} threads: {digest[:16]}, {wall:.0f} s, {used.ru_utime + used.ru_stime:.0f} s of CPU, "
                f"at most {used.ru_maxrss / 2**20:.2f} GB",
                flush=True,
            )
    if len(found) > 1:
        sys.exit("the files differ")
    print("all files are the same, byte for byte")


if __name__ == "__main__":
    main()
