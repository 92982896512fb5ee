"""Kills every writing command at random moments, and tells what is left.

``python tests/faults/run.py --kills 50``: half of the kills fall anywhere in a run, half while files are written;
every other one finds older files to replace. After a kill, each file that can be seen must be whole; after the next
start, all files of the set must be there or none, older ones all old, and nothing hidden left. Commands that keep what
they have finished are run again to the end, which must come out as if nobody had killed them.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import hashlib
import io
import os
import random
import re
import shutil
import signal
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"

sys.path.insert(0, str(Path(__file__).parent))

from writing_commands import COMMANDS, WritingCommand, is_whole, prepare

from pqcomq.atomic_files import recover
from pqcomq.cli import main as command_line

OLD = "old"
LEFT_LOCK = re.compile(r"\.lite-medsam-scribble\.lock|\.mobile-sam\.lock|\.mobile_sam\.pt\.lock")
"""Empty files beside weights that a killed process held; they hold nobody up, and the next one takes them away."""


@dataclass
class Outcome:
    """What became of the kills of one command."""

    name: str
    kills: int = 0
    none: int = 0
    whole: int = 0
    kept: int = 0
    replaced_none: int = 0
    finished_later: int = 0
    while_writing: int = 0
    faults: list[str] = field(default_factory=list)


def child(arguments: list[str], log: Path, place: Path) -> int:
    """Run a command in a forked process, which has all modules already; gives its number."""
    process = os.fork()
    if process:
        return process
    status = 70
    try:
        os.environ["PQCOMQ_MODELS"] = str(place / "models")
        with log.open("wb") as stream:
            for number in (1, 2):
                os.dup2(stream.fileno(), number)
        try:
            command_line(arguments)
        except SystemExit as end:
            status = int(end.code or 0)
    finally:
        os._exit(status)


def warm_up(command: WritingCommand, inputs: Path, place: Path) -> None:
    """Run a command in this process, so that those forked from it need not import what it does."""
    make_place(place, command, inputs)
    os.environ["PQCOMQ_MODELS"] = str(place / "models")
    unheard = io.StringIO()
    with contextlib.redirect_stdout(unheard), contextlib.redirect_stderr(unheard), contextlib.suppress(SystemExit):
        command_line(command.arguments(inputs, place / command.out))
    gc.collect()
    gc.freeze()  # else each of those looks through this process's objects, and copies their pages


def ended(process: int) -> int:
    """Wait for a child; gives its status."""
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def is_running(process: int) -> bool:
    """Whether a child still runs; one that does not is not waited for."""
    return os.waitid(os.P_PID, process, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None


def make_place(place: Path, command: WritingCommand, inputs: Path) -> None:
    """A folder for one run."""
    place.mkdir()
    if command.beside:
        shutil.copy(inputs / command.beside, place)


def files_in(place: Path, beside: str) -> dict[str, str]:
    """Every file below a folder but one, with a hash of its content."""
    return {
        path.relative_to(place).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in place.rglob("*")
        if path.is_file() and path.name != (beside or None) and not LEFT_LOCK.fullmatch(path.name)
    }


def staged(place: Path) -> bool:
    """Whether files are being written below a folder."""
    return any(each.name.startswith(".pqcomq-") for each in (*place.iterdir(), *place.glob("*/.pqcomq-*")))


def whole_run(command: WritingCommand, inputs: Path, work: Path) -> tuple[dict[str, str], float, float]:
    """A run that nobody kills: its files, its seconds, and for how many of them files were written."""
    place = work / "whole"
    make_place(place, command, inputs)
    begun, writing = time.monotonic(), 0.0
    process = child(command.arguments(inputs, place / command.out), work / "log.txt", place)
    while is_running(process):
        if staged(place):
            writing += 0.002
        time.sleep(0.002)
    if ended(process):
        raise SystemExit((work / "log.txt").read_text())
    return files_in(place, command.beside), time.monotonic() - begun, max(writing, 0.02)


def kill_once(
    command: WritingCommand,
    inputs: Path,
    work: Path,
    whole: dict[str, str],
    seconds: tuple[float, float],
    told: Outcome,
) -> None:
    """One run that is killed, and what is left of it."""
    place = work / f"killed-{told.kills}"
    make_place(place, command, inputs)
    replaces = bool(told.kills % 2) and command.replaces and not command.grows
    arguments = command.arguments(inputs, place / command.out)
    if replaces:
        arguments.append("--overwrite")
        for name in whole:
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).write_text(OLD)
    process = child(arguments, work / "log.txt", place)
    if told.kills % 4 in (0, 3):
        time.sleep(random.uniform(0, seconds[0]))
    else:
        until = time.monotonic() + 3 * seconds[0]
        while not staged(place) and is_running(process) and time.monotonic() < until:
            time.sleep(0.0005)
        time.sleep(random.uniform(0, seconds[1]))
    told.kills += 1
    writing = staged(place)
    told.while_writing += writing
    os.kill(process, signal.SIGKILL)
    status = ended(process)
    judge(command, inputs, place, whole, replaces, told)
    if status not in (0, -signal.SIGKILL):
        told.faults.append(f"ended with {status}: {(work / 'log.txt').read_text()[-300:]}")
    shutil.rmtree(place)


def judge(
    command: WritingCommand, inputs: Path, place: Path, whole: dict[str, str], replaces: bool, told: Outcome
) -> None:
    """Look at what a kill has left, before and after the next start."""
    for name in files_in(place, command.beside):
        path = place / name
        if name.endswith(".lock"):  # empty, and holds nobody up
            continue
        seen = not any(part.startswith(".") for part in Path(name).parts)
        if seen and not (replaces and path.read_text(errors="replace") == OLD) and not is_whole(path):
            told.faults.append(f"{name} is half a file")
    before = set(files_in(place, command.beside))
    if command.grows:
        again(command, inputs, place, whole, told)
        return
    recover(place / command.out if "." not in command.out else place)
    left = files_in(place, command.beside)
    old = {name for name in left if (place / name).read_text(errors="replace") == OLD}
    if set(left) - set(whole):
        told.faults.append(f"left behind: {sorted(set(left) - set(whole))}")
    if not left:
        told.none += 1
    elif set(left) != set(whole) or (old and old != set(whole)):
        told.faults.append(f"half a set: {len(left)} of {len(whole)} files, {len(old)} of them old")
    elif old:
        told.kept += 1
    else:
        told.whole += 1
        told.finished_later += before != set(left)


def again(command: WritingCommand, inputs: Path, place: Path, whole: dict[str, str], told: Outcome) -> None:
    """Run a command that keeps what it has finished to its end."""
    finished = "quantize" not in command.name or not (place / command.out).is_file()
    if not finished:
        told.whole += 1
    else:
        log = place.parent / "again.txt"
        if ended(child(command.arguments(inputs, place / command.out), log, place)):
            told.faults.append(f"does not go on: {log.read_text()[-300:]}")
            return
        told.finished_later += 1
    left = files_in(place, command.beside)
    if not finished:  # nobody was there yet to take these away
        left = {name: digest for name, digest in left.items() if ".unfinished/" not in name and ".lock" not in name}
    # Times differ from run to run; weights, pictures of masks and scores do not.
    same = [name for name in whole if name.endswith((".safetensors", "scores.csv", ".npz"))]
    if set(left) != set(whole):
        told.faults.append(f"other files: {sorted(set(left) ^ set(whole))}")
    elif any(left[name] != whole[name] for name in same):
        told.faults.append("another result than without a kill")


def main() -> None:
    """Run and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--command", nargs="*", default=[each.name for each in COMMANDS])
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    random.seed(chosen.seed)
    print(f"{'command':13} {'kills':>5} {'writing':>7} {'none':>5} {'whole':>5} {'old kept':>8} {'later':>5} faults")
    faults = 0
    with tempfile.TemporaryDirectory() as folder:
        inputs = Path(folder) / "inputs"
        prepare(inputs)
        for command in (each for each in COMMANDS if each.name in chosen.command):
            work = Path(folder) / command.name
            work.mkdir()
            if command.forks_warm:
                warm_up(command, inputs, work / "warm")
            whole, *seconds = whole_run(command, inputs, work)
            told = Outcome(command.name)
            for _ in range(chosen.kills):
                kill_once(command, inputs, work, whole, (seconds[0], seconds[1]), told)
            counts = f"{told.kills:5} {told.while_writing:7} {told.none:5} {told.whole:5} {told.kept:8}"
            print(f"{told.name:13} {counts} {told.finished_later:5} {len(told.faults)}", flush=True)
            for fault in told.faults:
                print(f"    {fault}", flush=True)
            faults += len(told.faults)
    raise SystemExit(1 if faults else 0)


if __name__ == "__main__":
    main()
