"""What a scheduler and workers cost and bring: one process, one Dask worker, two; and whether memory stays flat.

    python tests/benchmarks/cohort_scaling.py --weights lite-4bit.safetensors --cases 8 --most-slices 2 --out FOLDER

Synthetic cases, slice by slice, every worker with one thread. Each way is a run of ``pqcomq cohort`` of its own; its
rate is that from the landing of every worker's first case to the last one's, so that starting Python and loading the
models, which a run of any length pays once, is told apart. What a scheduler costs is the time from one landing to the
next beyond what cases took by their own account, and the processor time of client and scheduler beside the workers';
the latter tells something on a busy machine too. With ``--memory-only FOLDER`` the memory of a run there is told.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

from pqcomq.cohort.cohort_store import CohortStore

WAYS = {"one process": 1, "two workers": 2}
"""Workers of each."""

SCHEDULER = "scheduler, one worker"

LOOK_SECONDS = 0.02
"""From one look at what has landed to the next."""


@dataclass(frozen=True)
class Timed:
    """One run.

    Attributes:
        whole: seconds of the command.
        steady: seconds between the landing of every worker's first case and the last one's.
        rate: cases a second in that time.
        computing: seconds that a case took by its own account, the mean of all.
        slices: that were encoded, over all models.
        cases: that landed in that time.
        client: processor seconds of client and scheduler in that time; of one process, those of all.
        workers: processor seconds of the workers in that time.
    """

    whole: float
    steady: float
    rate: float
    computing: float
    slices: int
    cases: int
    client: float
    workers: float


def run(
    weights: Path, cases: int, folder: Path, options: list[str], workers: int = 1, others: Sequence[psutil.Process] = ()
) -> Timed:
    """Score synthetic cases in a process of its own.

    Args:
        weights: of the quantized model.
        cases: how many.
        folder: of the results.
        options: further ones of the command.
        workers: how many score.
        others: scheduler and worker that were started by hand.
    """
    command = [sys.executable, "-m", "pqcomq.cli", "cohort", "--synthetic", str(cases), "--weights", str(weights)]
    began = time.perf_counter()
    client = psutil.Popen(
        [*command, "--prompted-by", "slice", "--out", str(folder), *options], stdout=subprocess.DEVNULL
    )
    taken = {}
    while client.poll() is None:
        landed = len(list((folder / "cases").glob("*.parquet")))
        if landed in (workers, cases) and landed not in taken:
            taken[landed] = processor_seconds(client, others)
        time.sleep(LOOK_SECONDS)
    whole = time.perf_counter() - began
    if client.returncode:
        raise SystemExit(f"the run in {folder} ended with status {client.returncode}")
    store = CohortStore(folder)
    times = sorted(path.stat().st_mtime for path in (folder / "cases").glob("*.parquet"))
    steady = times[-1] - times[workers - 1]
    return Timed(
        whole,
        steady,
        (cases - workers) / steady,
        float(store.cases()["seconds"].mean()),
        int(store.costs()["encodings"].sum()),
        cases - workers,
        *(np.subtract(taken[cases], taken[workers]).tolist()),
    )


def processor_seconds(client: psutil.Process, others: Sequence[psutil.Process]) -> tuple[float, float]:
    """What client and scheduler took so far, and what their children did, which are the workers.

    Args:
        client: the command.
        others: Dask's scheduler and the process that started its worker, or none.
    """
    apart = [client, *others]
    below = [child for each in apart for child in each.children(recursive=True)]
    return tuple(sum(sum(each.cpu_times()[:2]) for each in group) for group in (apart, below))


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
    running = [psutil.Popen(each, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for each in programs]
    try:
        return run(weights, cases, folder, [*options, "--scheduler", f"tcp://127.0.0.1:{port}"], others=running)
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
    parser.add_argument("--ways", nargs="+", choices=[*WAYS, SCHEDULER], default=[*WAYS, SCHEDULER])
    parser.add_argument("--memory-only", type=Path)
    given = parser.parse_args()
    if given.memory_only is not None:
        print(memory(given.memory_only))
        return
    few = ["--most-slices", str(given.most_slices)]
    timed = {}
    for name in given.ways:
        place = given.out / name
        if name == SCHEDULER:
            timed[name] = with_scheduler(given.weights, given.cases, place, few)
        else:
            count = WAYS[name]
            timed[name] = run(given.weights, given.cases, place, [*few, "--workers", str(count)], count)
    print("| | whole, s | cases a minute once running | a case by its own account, s | slices encoded |")
    print("|" + "---|" * 5)
    for name, each in timed.items():
        print(f"| {name} | {each.whole:.0f} | {60 * each.rate:.2f} | {each.computing:.2f} | {each.slices} |")
    print()
    for name, each in timed.items():
        print(f"{name}: {_processor_told(each, given.cases)}")
    if SCHEDULER in timed:
        dask = timed[SCHEDULER]
        beyond, encoded = 1 / dask.rate - dask.computing, dask.slices / given.cases
        print(
            f"a scheduler costs {1e3 * beyond:.0f} ms a case beyond its own account, {1e3 * beyond / encoded:.1f} ms a "
            f"slice encoded, {beyond / dask.computing:+.1%}"
        )
    if set(WAYS) <= set(timed):
        one, two = (timed[name] for name in WAYS)
        print(f"two workers are {two.rate / one.rate:.2f} × as fast as one process")
    print(memory(given.out / given.ways[-1]))


def _processor_told(each: Timed, cases: int) -> str:
    """What a run took of the processor."""
    if not each.workers:
        return f"a case takes {each.client / each.cases:.2f} s of the processor"
    apart, encoded = each.client / each.cases, each.slices / cases
    return (
        f"a case takes {each.workers / each.cases:.2f} s of the processor in a worker; client and scheduler take "
        f"{1e3 * apart:.0f} ms, {1e3 * apart / encoded:.1f} ms a slice encoded, {each.client / each.workers:.1%}"
    )


if __name__ == "__main__":
    main()
