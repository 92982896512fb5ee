"""An enemy of the window: napari's window and the dock are played with at random, and must stay right.

    python tests/monkey/run.py --steps 2000 --seed 7 --out monkey

under ``xvfb-run -a -s "-screen 0 1920x1080x24"`` where there is no screen. What a user can do is done in an order that
nobody would think of (``*_actions.py``), with an encoder of few channels; after each action everything is looked at
(``oracles.py``, ``alarms.py``). A window is played with for ``--window`` actions, or until something is wrong. Of each
kind of fault the first is printed, with its sequence of actions in ``OUT/fault-N.txt``; any fault ends with status 1.

    python tests/monkey/run.py --replay monkey/fault-1.txt
    python tests/monkey/run.py --shorten monkey/fault-1.txt

do the actions of a file again, and leave out of it what the fault does not need.
"""

from __future__ import annotations

import argparse
import faulthandler
import os
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from pqcomq.cpu_settings import apply_cpu_settings

apply_cpu_settings()

HANGS_AFTER = 600
"""Seconds for one action, after which the process tells where it stands, and ends."""


def main():
    asked = arguments()
    if asked.shorten:
        shorten(Path(asked.shorten))
        return
    out = Path(asked.out)
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        try:
            found = play(asked, Path(folder), out)
        except Exception:
            traceback.print_exc()  # napari would show it in a window that nobody reads
            raise
    sys.stdout.flush()
    os._exit(bool(found))  # Mesa and torch take the process down at random as the interpreter ends


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=1000, help="actions in all")
    parser.add_argument("--seed", type=int, default=int(time.time()) % 100000)
    parser.add_argument("--window", type=int, default=250, help="actions in one window")
    parser.add_argument("--minutes", type=float, default=1e9, help="end after so many, if that comes before the steps")
    parser.add_argument("--calm", action="store_true", help="wait for each job: a walk that does not depend on time")
    parser.add_argument("--only", default="", help="names of actions, separated by commas; by default all")
    parser.add_argument("--out", default="monkey")
    parser.add_argument("--replay", default="", help="a file with a sequence of actions")
    parser.add_argument("--shorten", default="", help="the same, to be made shorter")
    return parser.parse_args()


def play(asked, folder, out):
    """Play as long as asked; kinds of faults and the first of each."""
    os.environ["PQCOMQ_MODELS"] = str(folder / "models")
    from qtpy.QtCore import QSettings

    from napari_pqcomq.jobs.models.triton_guard import keep_triton_out

    keep_triton_out()
    from alarms import Alarms
    from kinds import ACTIONS
    from walk import Walk, chosen, kind_of
    from window import Window, forget_the_window_before, use_small_model

    if asked.only:
        for name in set(ACTIONS) - set(asked.only.split(",")):
            del ACTIONS[name]
    faulthandler.enable()
    alarms, found, counts = Alarms(), {}, {}
    use_small_model()
    actions = iter(read(Path(asked.replay)) if asked.replay else chosen(10 * asked.steps, asked.seed))
    print(f"seed {asked.seed}" if not asked.replay else f"replaying {asked.replay}", flush=True)
    done, windows, began, longest = 0, 0, time.monotonic(), 0.0
    log = (out / "actions.txt").open("w", encoding="utf-8")

    def told(line):
        print(line, file=log, flush=True)

    is_over = False
    while not is_over:
        windows += 1
        home = folder / str(windows)
        home.mkdir()
        os.environ["PQCOMQ_AUTOSAVE"] = str(home / "autosave")
        QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, str(home))
        forget_the_window_before()
        told(f"# window {windows} of seed {asked.seed}")
        walk = Walk(Window(home, asked.seed, is_calm=asked.calm), alarms, told)
        while not walk.faults and (asked.replay or len(walk.done) < asked.window):
            name, seed = next(actions, ("", 0))
            is_over = not name or done >= asked.steps > 0 or time.monotonic() - began > 60 * asked.minutes
            if is_over:
                break
            faulthandler.dump_traceback_later(HANGS_AFTER, exit=True)
            if walk.step(name, seed):
                done += 1
                counts[name] = counts.get(name, 0) + 1
        note(walk.faults, walk.done, found, kind_of, out, asked.seed)
        longest = max(longest, walk._window.longest_cancel)
        note(walk.end(), walk.done, found, kind_of, out, asked.seed)
        if asked.replay:
            is_over = True
    faulthandler.cancel_dump_traceback_later()
    told(f"# {done} actions")
    for kind, count in Counter(map(kind_of, alarms.foreign)).most_common():
        print(f"of other software, {count} times: {kind}")
    (out / "foreign.txt").write_text("\n\n".join(alarms.foreign), encoding="utf-8")
    print(
        f"{done} actions of {len(counts)} kinds in {windows} windows, {(time.monotonic() - began) / 60:.1f} minutes; "
        f"{len(found)} kinds of faults; the longest wait after Cancel {longest:.1f} s; "
        f"{len(alarms.foreign)} exceptions of other software's own"
    )
    return found


def note(faults, actions, found, kind_of, out, seed):
    """Print a fault the first time, and write what led to it."""
    for fault in faults:
        kind = kind_of(fault)
        if kind in found:
            continue
        found[kind] = fault
        path = out / f"fault-{len(found)}.txt"
        path.write_text("\n".join([*actions, "", *(f"# {line}" for line in fault.splitlines())]), encoding="utf-8")
        print(f"FAULT {len(found)} (seed {seed}, {len(actions)} actions, in {path}):\n{fault}", flush=True)
        print("  after: " + " ".join(actions[-12:]), flush=True)


def read(path):
    """The actions of a file; lines of other kinds are passed over."""
    lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    pairs = [line.split(":") for line in lines if ":" in line and not line.startswith("#") and "|" not in line]
    return [(name, int(seed)) for name, seed in pairs]


def shorten(path):
    """Leave out parts of a sequence, ever smaller ones, as long as some fault remains."""
    actions = read(path)
    if not fails(actions):
        raise SystemExit("the sequence does not fail when it is replayed")
    size = len(actions) // 2
    while size >= 1:
        start = 0
        while start < len(actions):
            fewer = actions[:start] + actions[start + size :]
            if fewer and fails(fewer):
                actions = fewer
            else:
                start += size
        print(f"{len(actions)} actions are left", flush=True)
        size //= 2
    shorter = path.with_name(f"{path.stem}-short.txt")
    shorter.write_text("\n".join(f"{name}:{seed}" for name, seed in actions), encoding="utf-8")
    print(shorter.read_text(encoding="utf-8"))


def fails(actions):
    """Whether these actions lead to a fault, in a process of their own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "actions.txt"
        path.write_text("\n".join(f"{name}:{seed}" for name, seed in actions), encoding="utf-8")
        command = [sys.executable, __file__, "--replay", str(path), "--steps", "0", "--seed", "0", "--out", folder]
        return subprocess.run(command, capture_output=True, check=False).returncode != 0


if __name__ == "__main__":
    main()
