"""What a scheduler and workers cost and bring: one process, one Dask worker, two; and whether memory stays flat.

    python tests/benchmarks/cohort_scaling.py --weights lite-4bit.safetensors --cases 8 --most-slices 2 --out FOLDER

Synthetic cases, slice by slice, every worker with one thread. Each way is a run of ``pqcomq cohort`` of its own; its
rate is that from the landing of every worker's first case to the last one's, so that starting Python and loading the
models, which a run of any length pays once, is told apart. What a scheduler costs is the time from one landing to the
next beyond what cases took by their own account. With ``--memory-only FOLDER`` the memory of a run there is told.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pqcomq.cohort.cohort_store import CohortStore

WAYS = {"one process": 1, "two workers": 2}
"""Workers of each."""


@dataclass(frozen=True)
class Timed:
    """One run.

    Attributes:
        whole: seconds of the command.
        steady: seconds between the landing of every worker's first case and the last one's.
        rate: cases a second in that time.
        computing: seconds that a case took by its own account, the mean of all.
        slices: that were encoded, over all models.
    """

    whole: float
    steady: float
    rate: float
    computing: float
    slices: int


def run(weights: Path, cases: int, folder: Path, options: list[str], workers: int = 1) -> Timed:
    """Score synthetic cases in a process of its own."""
    command = [sys.executable, "-m", "pqcomq.cli", "cohort", "--synthetic", str(cases), "--weights", str(weights)]
    began = time.perf_counter()
    subprocess.run([*command, "--prompted-by", "slice", "--out", str(folder), *options], check=True, stdout=-3)
    whole = time.perf_counter() - began
    store = CohortStore(folder)
    landed = sorted(path.stat().st_mtime for path in (folder / "cases").glob("*.parquet"))
    steady = landed[-1] - landed[workers - 1]
    return Timed(
        whole,
        steady,
        (cases - workers) / steady,
        float(store.cases()["seconds"].mean()),
        int(store.costs()["encodings"].sum()),
    )


def with_scheduler(weights: Path, cases: int, folder: Path, options: list[str]) -> Timed:
    """The same by a scheduler and one worker that were started by hand."""
    port = "8799"
    programs = [
        [sys.executable, "-m", "distributed.cli.dask_scheduler", "--port", port, "--no-dashboard"],
        [
            sys.executable,
            "-m",
            "distributed.cli.dask_worker",
            f"tcp://127.0.0.1:{port}",
            "--nthreads",
            "1",
            "--no-dashboard",
        ],
    ]
    running = [subprocess.Popen(each, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for each in programs]
    try:
        return run(weights, cases, folder, [*options, "--scheduler", f"tcp://127.0.0.1:{port}"])
    finally:
        for each in running:
            each.terminate()


def memory(folder: Path) -> str:
    """Peak memory of the workers, early and late: the mean of the first and the last tenth of the cases that landed."""
    store = CohortStore(folder)
    landed = {path.stem: path.stat().st_mtime for path in (folder / "cases").glob("*.parquet")}
    keys = {case.name: case.key for case in store.found().cases}
    table = store.cases()
    order = np.argsort([landed[keys[name]] for name in table["case"]])
    peaks = table["peak_memory_bytes"].to_numpy()[order] / 1e6
    tenth = max(len(peaks) // 10, 1)
    warm = peaks[tenth:]
    return (
        f"peak memory of a worker, MB: first tenth of {len(peaks)} cases {peaks[:tenth].mean():.0f}, second "
        f"{warm[:tenth].mean():.0f}, last {peaks[-tenth:].mean():.0f}, highest {peaks.max():.0f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--cases", type=int, default=24)
    parser.add_argument("--most-slices", type=int, default=8)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--memory-only", type=Path)
    given = parser.parse_args()
    if given.memory_only is not None:
        print(memory(given.memory_only))
        return
    few = ["--most-slices", str(given.most_slices)]
    timed = {
        name: run(given.weights, given.cases, given.out / name, [*few, "--workers", str(count)], count)
        for name, count in WAYS.items()
    }
    place = given.out / "scheduler, one worker"
    timed[place.name] = with_scheduler(given.weights, given.cases, place, few)
    print("| | whole, s | cases a minute once running | a case by its own account, s | slices encoded |")
    print("|" + "---|" * 5)
    for name, each in timed.items():
        print(f"| {name} | {each.whole:.0f} | {60 * each.rate:.2f} | {each.computing:.2f} | {each.slices} |")
    one, two, dask = timed["one process"], timed["two workers"], timed["scheduler, one worker"]
    print(f"\ntwo workers are {two.rate / one.rate:.2f} × as fast as one process")
    beyond = 1 / dask.rate - dask.computing
    encoded = dask.slices / given.cases
    print(
        f"a scheduler costs {1e3 * beyond:.0f} ms a case beyond its own account, {1e3 * beyond / encoded:.1f} ms a "
        f"slice encoded, {beyond / dask.computing:+.1%}; one process {1 / one.rate / one.computing - 1:+.1%}"
    )
    print(f"cases a minute of a scheduler and of one process: {60 * dask.rate:.2f} and {60 * one.rate:.2f}")
    print(memory(given.out / "two workers"))


if __name__ == "__main__":
    main()
