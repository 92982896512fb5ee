"""Opens any number of damaged files of every kind that is read, and tells what came of them.

``python tests/fuzz/run.py --inputs 3000`` gives each format so many mutants, the same for the same ``--seed``. Each is
opened in a worker process with 10 s and 1 GiB; what is accepted must equal what an independent reader gives, or bear a
finding that asks a person to look. Inputs that are at fault are kept in the folder given by ``--keep``.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import json
import os
import queue
import random
import select
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import psutil

sys.path.insert(0, str(Path(__file__).parent))

from mutants import bytes_of, elements_of, fields_of, json_of, lines_of, members_of, safetensors_of
from seeds import make_seeds

SECONDS = 10
"""Of the processor, that an input may take."""
MOST_SECONDS = 120
"""Of the clock."""
COLUMNS = ("refused", "opened", "tracebacks", "deaths", "out of memory", "wrongly accepted", "hangs", "messages")
"""Messages are what a library printed past Python, of an input that is counted among the others too."""
PLURALS = {"traceback": "tracebacks", "death": "deaths", "hang": "hangs"}
NIFTI_FIELDS = (
    (0, "i"), *((40 + 2 * each, "h") for each in range(8)), (70, "h"), (72, "h"),
    *((76 + 4 * each, "f") for each in range(8)), (108, "f"), (112, "f"), (116, "f"), (123, "b"), (252, "h"),
    (254, "h"),
    *((256 + 4 * each, "f") for each in range(18)),
)  # fmt: skip


def _packed_nifti(data: bytes, chosen: random.Random) -> bytes:
    """Fields of a compressed header, compressed again."""
    return gzip.compress(fields_of(NIFTI_FIELDS)(gzip.decompress(data), chosen), 1, mtime=0)


def mutator(kind: str, name: str, chosen: random.Random) -> Any:
    """One way of damaging a file: that which knows its structure two times in three."""
    if chosen.random() < 0.33:
        return bytes_of
    if kind == "NIfTI":
        return _packed_nifti if name.endswith(".gz") else fields_of(NIFTI_FIELDS)
    if kind == "NRRD":
        return lines_of(b":", b"\n\n")
    if kind == "MetaImage":
        return lines_of(b"=", b"ElementDataFile")
    if kind in ("DICOM", "SEG", "RTSTRUCT"):
        return elements_of
    if kind == "zip":
        return members_of
    if name.endswith(".json"):
        return json_of
    if name.endswith(".safetensors"):
        return safetensors_of
    return bytes_of


class Worker:
    """A process that opens inputs, started again when it dies or hangs."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def _started(self) -> subprocess.Popen[str]:
        if self._process is None or self._process.poll() is not None:
            script = str(Path(__file__).parent / "worker.py")
            environment = os.environ | {"OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}
            self._process = subprocess.Popen(
                [sys.executable, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                env=environment,
            )  # fmt: skip
            if self._line(300) is None:
                raise SystemExit("a worker does not start")
        return self._process

    def _line(self, seconds: float) -> str | None:
        assert self._process is not None
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], seconds)
        return self._process.stdout.readline() if ready else None

    def ask(self, kind: str, path: Path, role: str) -> dict[str, Any]:
        """What came of an input."""
        process = self._started()
        assert process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(json.dumps({"format": kind, "path": str(path), "role": role}) + "\n")
            process.stdin.flush()
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
            self._process.kill()
            self._process.wait()


def agree(kind: str, ours: dict[str, Any], other: dict[str, Any] | None) -> bool:
    """Whether two readers gave the same."""
    if other is None:
        return True
    if kind in ("SEG", "session"):
        return all(ours.get(key) == other[key] for key in other)
    if ours["shape"] != other["shape"] and [each for each in ours["shape"] if each != 1] != [
        each for each in other["shape"] if each != 1
    ]:
        return False
    near = all(
        abs(ours[key] - other[key]) <= 1e-5 * max(abs(ours[key]), abs(other[key]), 1e-30)
        for key in ("low", "high", "sum")
    )
    if not near or other["spacing"] is None:
        return near
    pairs = zip(ours["spacing"], other["spacing"], strict=False)
    return all(abs(one - two) <= 1e-4 * max(one, two, 1e-6) for one, two in pairs)


class Fuzz:
    """One run over all formats."""

    def __init__(self, folder: Path, seed: int, keep: Path | None) -> None:
        self.folder, self.seed, self.keep = folder, seed, keep
        self.seeds = make_seeds(folder / "seeds")
        self.counts: dict[str, Counter[str]] = defaultdict(Counter)
        self.faults: list[tuple[str, str, str, str]] = []
        self._lock = threading.Lock()

    def run(self, formats: list[str], inputs: int, workers: int, seconds: float) -> None:
        """Open so many inputs of each format, or as many as so many seconds allow."""
        self._end = time.monotonic() + seconds
        jobs: queue.Queue[tuple[str, int]] = queue.Queue()
        for number in range(inputs):
            for kind in formats:
                jobs.put((kind, number))
        threads = [threading.Thread(target=self._work, args=(jobs, index)) for index in range(workers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _work(self, jobs: queue.Queue[tuple[str, int]], index: int) -> None:
        opener, other = Worker(), Worker()
        try:
            while time.monotonic() < self._end:
                try:
                    kind, number = jobs.get_nowait()
                except queue.Empty:
                    return
                self._one(kind, number, opener, other, self.folder / f"inputs{index}")
        finally:
            opener.close()
            other.close()

    def _one(self, kind: str, number: int, opener: Worker, other: Worker, folder: Path) -> None:
        chosen = random.Random(f"{self.seed}/{kind}/{number}")
        name, data = chosen.choice(self.seeds[kind])
        mutant = mutator(kind, name, chosen)(data, chosen)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / name
        if kind == "journal":
            for each, whole in self.seeds[kind]:
                (folder / each).write_bytes(whole)
            (folder / "made-by-pqcomq.txt").write_text("")
        if name.endswith((".nhdr", ".mhd")):
            for each in (self.folder / "seeds").glob("d.*raw*"):
                (folder / each.name).write_bytes(each.read_bytes())
        path.write_bytes(mutant)
        found = opener.ask(kind, path, "open")
        outcome = PLURALS.get(found["outcome"], found["outcome"])
        told = str(found.get("told"))
        if outcome == "opened" and not found["told"]["flags"]:
            if kind == "journal":
                second: dict[str, Any] | None = None
                if found["told"]["layer"] not in (None, self._journal_layer(opener)):
                    outcome = "wrongly accepted"
            else:
                second = other.ask(kind, path, "second")
                if second["outcome"] == "read" and not agree(kind, found["told"], second["told"]):
                    outcome, told = "wrongly accepted", f"{found['told']} instead of {second['told']}"
        with self._lock:
            self.counts[kind][outcome] += 1
            if found.get("noise"):
                self.counts[kind]["messages"] += 1
                self._keep(kind, number, name, mutant, "messages", found["noise"], "")
            if outcome not in ("refused", "opened"):
                self._keep(kind, number, name, mutant, outcome, told, found.get("where", ""))

    _whole_layer: Any = None

    def _journal_layer(self, opener: Worker) -> Any:
        """The layer of the journal that nobody damaged."""
        if self._whole_layer is None:
            folder = self.folder / "whole-journal"
            folder.mkdir(exist_ok=True)
            for each, whole in self.seeds["journal"]:
                (folder / each).write_bytes(whole)
            (folder / "made-by-pqcomq.txt").write_text("")
            self._whole_layer = opener.ask("journal", folder / "plan.json", "open")["told"]["layer"]
        return self._whole_layer

    def _keep(self, kind: str, number: int, name: str, data: bytes, outcome: str, told: str, where: str) -> None:
        last = [line.strip() for line in where.splitlines() if "pqcomq" in line][-1:]
        self.faults.append((kind, outcome, f"{number}-{name}", f"{told[:300]} {''.join(last)}"))
        if self.keep is not None:
            self.keep.mkdir(parents=True, exist_ok=True)
            (self.keep / f"{kind}-{outcome.replace(' ', '-')}-{number}-{name}").write_bytes(data)

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
            f"| {name} | {sum(counts.values()) - counts['messages']} | "
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
