"""Opens any number of damaged files of every kind that is read, and tells what came of them.

``python tests/fuzz/run.py --inputs 3000`` gives each format so many mutants, the same for the same ``--seed``. Each is
opened in a worker process with 10 s and 1 GiB; what is accepted must equal what an independent reader gives, or bear a
finding that asks a person to look. Inputs that are at fault are kept in the folder given by ``--keep``.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import queue
import random
import select
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

sys.path.insert(0, str(Path(__file__).parent))

from mutants import mutator, name_of
from readers import agree
from seeds import CORPUS, files_beside, make_seeds

SECONDS = 10
"""Of the processor, that an input may take."""
MOST_SECONDS = 120
"""Of the clock."""
BATCH = 44
"""Inputs that a worker is given at once."""
COLUMNS = (
    "refused",
    "opened",
    "tracebacks",
    "deaths",
    "out of memory",
    "wrongly accepted",
    "hangs",
    "compared",
    "messages",
)
"""Compared are those opened that another reader opened too; messages are what a library printed past Python. Both are
counted among the others."""
PLURALS = {"traceback": "tracebacks", "death": "deaths", "hang": "hangs"}

Job = dict[str, str]


@dataclass
class Input:
    """A damaged file, and where it lies."""

    kind: str
    number: int
    path: Path
    data: bytes

    def job(self, role: str) -> Job:
        """What a worker is asked."""
        return {"format": self.kind, "path": str(self.path), "role": role}


class Worker:
    """A process that opens inputs, started again when it dies or hangs."""

    def __init__(self, seeds: Path) -> None:
        self._seeds = seeds
        self._process: subprocess.Popen[str] | None = None
        self._heard = b""

    def _started(self) -> subprocess.Popen[str]:
        if self._process is None or self._process.poll() is not None:
            self._heard = b""
            script = str(Path(__file__).parent / "worker.py")
            environment = os.environ | {"OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}
            self._process = subprocess.Popen(
                [sys.executable, script, str(self._seeds)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                env=environment,
            )  # fmt: skip
            if self._line(300) is None:
                raise SystemExit("a worker does not start")
        return self._process

    def _line(self, seconds: float) -> str | None:
        """The next line, empty where the process has ended; None where none comes in that time."""
        assert self._process is not None
        assert self._process.stdout is not None
        stream = self._process.stdout.fileno()
        while b"\n" not in self._heard:
            if not select.select([stream], [], [], seconds)[0]:
                return None
            if not (more := os.read(stream, 1 << 16)):
                return ""
            self._heard += more
        line, _, self._heard = self._heard.partition(b"\n")
        return line.decode()

    def ask(self, jobs: list[Job]) -> list[dict[str, Any]]:
        """What came of inputs, in their order; all are sent at once, so that no process waits for another."""
        told: list[dict[str, Any]] = []
        while len(told) < len(jobs):
            waiting = jobs[len(told) :]
            process = self._started()
            assert process.stdin is not None
            with contextlib.suppress(BrokenPipeError):
                process.stdin.writelines(json.dumps(each) + "\n" for each in waiting)
                process.stdin.flush()
            for _ in waiting:
                told.append(self._answer(process))
                if self._process is None:
                    break
        return told

    def _answer(self, process: subprocess.Popen[str]) -> dict[str, Any]:
        """What came of the input that is next; the process is gone where that ended it."""
        before, begun = self._processor_seconds(), time.monotonic()
        line = None
        # Seconds of the processor: on a machine with other work, those of the clock tell nothing.
        while line is None and time.monotonic() - begun < MOST_SECONDS:
            line = self._line(1)
            if line is None and self._processor_seconds() - before > SECONDS:
                break
        if line:
            found: dict[str, Any] = json.loads(line)
            return found
        if line is None:
            process.kill()
        process.wait()
        self._process = None
        return {"outcome": "hang" if line is None else "death", "told": str(process.returncode)}

    def _processor_seconds(self) -> float:
        try:
            times = psutil.Process(self._process.pid).cpu_times() if self._process else None
        except psutil.Error:  # it is gone
            return 0.0
        return times.user + times.system if times else 0.0

    def close(self) -> None:
        """End it."""
        if self._process is not None:
            with self._process:  # closes its pipes
                self._process.kill()
            self._process = None


def some(jobs: queue.Queue[tuple[str, int]]) -> Iterator[tuple[str, int]]:
    """The next few that wait, or none."""
    with contextlib.suppress(queue.Empty):
        for _ in range(BATCH):
            yield jobs.get_nowait()


class Fuzz:
    """One run over all formats."""

    def __init__(self, folder: Path, seed: int, keep: Path | None) -> None:
        self.folder, self.seed, self.keep = folder, seed, keep
        self.seeds = make_seeds(folder / "seeds")
        self._beside = {kind: files_beside(kind, self.seeds, folder / "seeds") for kind in self.seeds}
        self._corpus = {kind: sorted((CORPUS / kind).glob("*")) for kind in self.seeds}
        self.counts: dict[str, Counter[str]] = defaultdict(Counter)
        self.faults: list[tuple[str, str, str, str]] = []
        self._lock = threading.Lock()

    def run(self, formats: list[str], inputs: int, workers: int, seconds: float) -> None:
        """Open the corpus and so many inputs of each format, or as many as so many seconds allow."""
        self._end = time.monotonic() + seconds
        jobs: queue.Queue[tuple[str, int]] = queue.Queue()
        for kind in formats:
            for number in range(len(self._corpus[kind])):
                jobs.put((kind, number - len(self._corpus[kind])))
        for number in range(inputs):
            for kind in formats:
                jobs.put((kind, number))
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(lambda index: self._work(jobs, index), range(workers)))  # an error in one ends the run

    def _work(self, jobs: queue.Queue[tuple[str, int]], index: int) -> None:
        opener, other = Worker(self.folder / "seeds"), Worker(self.folder / "seeds")
        try:
            while time.monotonic() < self._end:
                batch = [
                    self._made(*job, self.folder / f"inputs-{index}-{place}") for place, job in enumerate(some(jobs))
                ]
                if not batch:
                    return
                self.judge(batch, opener, other)
        finally:
            opener.close()
            other.close()

    def _made(self, kind: str, number: int, folder: Path) -> Input:
        """A mutant, or one of the corpus by a number below 0; and beside it what belongs to it."""
        if number >= 0:
            return self.mutant(kind, number, folder, random.Random(f"{self.seed}/{kind}/{number}"))
        data = self._corpus[kind][number].read_bytes()
        return self._written(Input(kind, number, folder / name_of(kind, data, self._names(kind)), data))

    def mutant(self, kind: str, number: int, folder: Path, chosen: random.Random) -> Input:
        """A damaged seed, as ``chosen`` will have it; and beside it what belongs to it."""
        name, whole = chosen.choice(self.seeds[kind])
        return self._written(Input(kind, number, folder / name, mutator(kind, name, chosen)(whole, chosen)))

    def _names(self, kind: str) -> list[str]:
        return [name for name, _ in self.seeds[kind]]

    def _written(self, made: Input) -> Input:
        folder = made.path.parent
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for each, content in (self._beside[made.kind] | {made.path.name: made.data}).items():
            (folder / each).write_bytes(content)
        return made

    def judge(self, batch: list[Input], opener: Worker, other: Worker) -> None:
        """Open some inputs, and what was accepted with another reader too."""
        found = opener.ask([each.job("open") for each in batch])
        accepted = [
            (made, opened["told"])
            for made, opened in zip(batch, found, strict=True)
            if opened["outcome"] == "opened" and not opened["told"]["flags"]
        ]
        seconds = other.ask([made.job("second") for made, _ in accepted])
        wrong = {
            (made.kind, made.number): f"{ours} instead of {second['told']}"
            for (made, ours), second in zip(accepted, seconds, strict=True)
            if second["outcome"] == "read" and not agree(made.kind, ours, second["told"])
        }
        with self._lock:
            for (made, _), second in zip(accepted, seconds, strict=True):
                self.counts[made.kind]["compared"] += second["outcome"] == "read" and second["told"] is not None
        for made, opened in zip(batch, found, strict=True):
            told = wrong.get((made.kind, made.number))
            outcome = "wrongly accepted" if told else PLURALS.get(opened["outcome"], opened["outcome"])
            with self._lock:
                self.counts[made.kind][outcome] += 1
                if opened.get("noise"):
                    self.counts[made.kind]["messages"] += 1
                    self._keep(made, "messages", opened["noise"], "")
                if outcome not in ("refused", "opened"):
                    self._keep(made, outcome, told or str(opened.get("told")), opened.get("where", ""))

    def _keep(self, made: Input, outcome: str, told: str, where: str) -> None:
        last = [line.strip() for line in where.splitlines() if "pqcomq" in line][-1:]
        name = f"{self.seed}-{made.number}-{made.path.name}"
        self.faults.append((made.kind, outcome, name, f"{told[:300]} {''.join(last)}"))
        if self.keep is not None:
            self.keep.mkdir(parents=True, exist_ok=True)
            (self.keep / f"{made.kind}-{outcome.replace(' ', '-')}-{name}").write_bytes(made.data)

    def table(self) -> str:
        """Formats in rows, outcomes in columns."""
        lines = ["| format | inputs | " + " | ".join(COLUMNS) + " |", "|---" * (len(COLUMNS) + 2) + "|"]
        total: Counter[str] = Counter()
        for kind, counts in self.counts.items():
            total.update(counts)
            lines.append(self._row(kind, counts))
        return "\n".join([*lines, self._row("all", total)])

    @staticmethod
    def _row(name: str, counts: Counter[str]) -> str:
        return (
            f"| {name} | {sum(counts.values()) - counts['compared'] - counts['messages']} | "
            + " | ".join(str(counts[each]) for each in COLUMNS)
            + " |"
        )


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=300, help="mutants of each format")
    parser.add_argument("--formats", nargs="*")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="take no new input after so many")
    parser.add_argument("--keep", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        fuzz = Fuzz(Path(folder), given.seed, given.keep)
        fuzz.run(given.formats or list(fuzz.seeds), given.inputs, given.workers, given.seconds)
        print(fuzz.table())
        for fault in fuzz.faults[:200]:
            print("  ", *fault)
        raise SystemExit(1 if fuzz.faults else 0)


if __name__ == "__main__":
    main()
