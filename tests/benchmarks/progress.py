"""How right the time left is that long commands tell: predicted against actual, from a fifth of the way on.

    python tests/benchmarks/progress.py --volume CT --labels LABELS --label 1 2 --weights FILE [--jobs segment compare]

Each command runs as it does in a terminal. At every step the seconds since its start and the seconds told to be left
add up to what the whole command was predicted to take, loading, compiling and writing included; that is held against
what it took. Run it with nothing else running.
"""
# ruff: noqa: E402

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pqcomq.cpu_settings import apply_cpu_settings

apply_cpu_settings()

from pqcomq.cli.terminal import progress_bar as terminal_progress
from pqcomq.models.execution import cpu_name
from pqcomq.volumes.labels.label_maps import read_labels
from pqcomq.volumes.volume_reader import read_volume

MOST_WRONG = 0.3
JOBS = ("quantize", "segment", "compare", "evaluate", "report", "cohort", "demo")


@dataclass
class Told:
    """What a command told of its time, and when.

    Attributes:
        began: when it was called.
        predictions: seconds since then, and the whole as predicted there; None where nothing was told.
    """

    began: float = field(default_factory=time.perf_counter)
    predictions: list[tuple[float, float | None]] = field(default_factory=list)

    def followed(self, work: Generator[Any, None, Any], _text: str, *_kept: object) -> Any:
        """In place of the bar."""
        while True:
            try:
                event = next(work)
            except StopIteration as end:
                return end.value
            since = time.perf_counter() - self.began
            left = event.remaining_seconds
            self.predictions.append((since, None if left is None else since + left))


def arguments_of(job: str, asked: argparse.Namespace, box: list[int], out: Path) -> list[object]:
    """The command line of a job."""
    boxed = ["--box", *box]
    return {
        "quantize": ["quantize", "--calibration", asked.volume, "--bits", 4, "--out", out.with_suffix(".safetensors")],
        "segment": ["segment", asked.volume, "--weights", asked.weights, *boxed, "--out", out.with_suffix(".nii.gz")],
        "compare": ["compare", asked.volume, "--weights", asked.weights, *boxed, "--out", out],
        "evaluate": ["evaluate", *_labelled(asked), "--weights", asked.weights, "--out", out],
        "report": ["report", *_labelled(asked), "--weights", asked.weights, "--out", out],
        "cohort": ["cohort", "--synthetic", 5, "--weights", asked.weights, "--workers", 1, "--out", out],
        "demo": ["demo", "--headless", "--out", out],
    }[job]


def _labelled(asked: argparse.Namespace) -> list[object]:
    return ["--volume", asked.volume, "--labels", asked.labels, "--label", *asked.label]


def main() -> None:
    """Run each job once."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--volume", required=True, type=Path)
    parser.add_argument("--labels", required=True, type=Path)
    parser.add_argument("--label", nargs="+", required=True, type=int)
    parser.add_argument("--weights", required=True, type=Path)
    parser.add_argument("--jobs", nargs="+", choices=JOBS, default=JOBS)
    asked = parser.parse_args()
    volume = read_volume(asked.volume)
    z, y, x = (read_labels(asked.labels, volume) == asked.label[0]).nonzero()
    box = [int(each) for each in (x.min(), y.min(), z.min(), x.max(), y.max(), z.max())]
    print(cpu_name())
    good = True
    for job in asked.jobs:
        with tempfile.TemporaryDirectory() as folder:
            told = Told()
            terminal_progress.followed = told.followed  # before a command imports it
            for name in [name for name in sys.modules if name.startswith("pqcomq.cli.") and ".terminal" not in name]:
                del sys.modules[name]
            from pqcomq.cli.app import main as pqcomq

            try:
                pqcomq([str(each) for each in arguments_of(job, asked, box, Path(folder) / job)])
            except SystemExit as end:
                if end.code:
                    sys.exit(f"{job} failed")
            took = time.perf_counter() - told.began
        later = [whole for since, whole in told.predictions if since >= took / 5]
        known = [whole for whole in later if whole is not None]
        worst = max((abs(whole - took) / took for whole in known), default=1.0)
        first = "nothing" if not known else f"{known[0]:.0f} s"
        passes = bool(known) and len(known) == len(later) and worst <= MOST_WRONG
        good = good and passes
        print(
            f"{job}: took {took:.0f} s; a fifth of the way on {first} was predicted; wrong by at most {worst:.0%} from "
            f"there; {len(later) - len(known)} of {len(later)} steps told no time{'' if passes else '  ✗'}",
            flush=True,
        )
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
