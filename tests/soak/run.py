"""Hours of use in minutes: a real window works round after round, and whatever grows is measured and judged.

    python tests/soak/run.py --minutes 40 --out soak

under ``xvfb-run -a -s "-screen 0 1920x1080x24"`` where there is no screen. ``soak/rounds.csv`` has a row a round:
memory held (asked for and not given back), of its own, and resident, file handles, threads, what is still alive of what
was closed, median latency of a slice step and of a view switch, and the longest time for which the event loop did not
turn, by step; ``soak/rounds.png`` draws them. Memory of its own beyond what is held lies in pieces between what is
held. Growth is the median of the last tenth of the rounds over that of the fifth after the first tenth, in which caches
fill up (at least five rounds); more than 2 % in memory held or of its own, or one handle, thread, volume, layer or dock
more, ends with status 1. After each round Python's collector runs once, and the allocator hands back what is free (a
third of a gigabyte, by which memory seemed to grow), so that only what is held on to is measured. ``--short`` tells of
memory and does not judge it: a few rounds are spent on filling caches.
"""

from __future__ import annotations

import argparse
import csv
import ctypes
import gc
import os
import re
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

MOST_GROWTH_PERCENT = 2.0
MEMORY = ("held MB", "memory MB")
WARM_UP_ROUNDS = 5
COUNTED = ("handles", "threads", "volumes alive", "layers alive", "docks alive")
LATENCIES = ("slice step ms", "view switch ms")


def main():
    asked = arguments()
    out = Path(asked.out)
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["PQCOMQ_AUTOSAVE"] = str(Path(folder) / "autosave")
        rows = rounds(asked, Path(folder))
    write(out, rows)
    draw(out, rows)
    verdict = judged(rows, short=asked.short)
    for line in verdict.values():
        print(line)
    gaps = {key.removeprefix("gap "): max(row[key] for row in rows) for key in rows[0] if key.startswith("gap ")}
    print("longest gap of the event loop, ms: " + ", ".join(f"{step} {gap:.0f}" for step, gap in gaps.items()))
    raise SystemExit(any(line.startswith("GROWS") for line in verdict.values()))


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=40)
    parser.add_argument("--rounds", type=int, default=0, help="end after so many, if it comes before the minutes")
    parser.add_argument("--out", default="soak")
    parser.add_argument("--short", action="store_true", help="judge what is counted alone, from the third round on")
    parser.add_argument("--side", type=int, default=128, help="pixels of a slice, either way")
    parser.add_argument("--depth", type=int, default=16, help="slices")
    return parser.parse_args()


def rounds(asked, folder):
    """Work for as long as asked; a row for each round."""
    import napari
    import psutil
    from qtpy.QtCore import QSettings

    from napari_pqcomq.jobs.models.triton_guard import keep_triton_out

    keep_triton_out()
    from window_cycle import Cycle, write_volumes

    from pqcomq.cpu_settings import give_back_freed_memory

    QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, str(folder))
    viewer = napari.Viewer(show=True, show_welcome_screen=False)
    viewer.window.resize(1280, 800)
    cycle = Cycle(viewer, write_volumes(folder, asked.side, asked.depth), folder / "autosave")
    process, began, rows = psutil.Process(), time.monotonic(), []
    while time.monotonic() - began < 60 * asked.minutes and (not asked.rounds or len(rows) < asked.rounds):
        latencies, gaps = cycle.round()
        alive = counted()
        give_back_freed_memory()
        rows.append(
            {
                "round": len(rows) + 1,
                "minutes": (time.monotonic() - began) / 60,
                "held MB": held_memory(process) / 1e6,
                "memory MB": own_memory(process) / 1e6,
                "resident MB": process.memory_info().rss / 1e6,
                "handles": process.num_fds() if hasattr(process, "num_fds") else process.num_handles(),
                "threads": process.num_threads(),
                **alive,
                **{f"{what} ms": statistics.median(found) for what, found in latencies.items()},
                **{f"gap {step}": gap for step, gap in gaps.items() if step != "start"},
            }
        )
        write(Path(asked.out), rows)
        print(" ".join(f"{key} {value:.1f}" for key, value in list(rows[-1].items())[:12]), flush=True)
    cycle.end()
    viewer.close()
    return rows


def own_memory(process):
    """Bytes that are the process's own: pages of library files come and go as the system likes, many megabytes."""
    try:
        lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
        told = {name: value for name, _, value in (line.partition(":") for line in lines)}
        return 1024 * sum(int(told[name].split()[0]) for name in ("RssAnon", "RssShmem", "VmSwap"))
    except (OSError, KeyError):
        return process.memory_info().rss


def held_memory(process):
    """Bytes that were asked for and not given back, as the GNU C library counts them; elsewhere the process's own."""
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None
    if libc is None or not hasattr(libc, "malloc_info"):
        return own_memory(process)
    libc.open_memstream.restype = ctypes.c_void_p
    text, size = ctypes.c_char_p(), ctypes.c_size_t()
    stream = ctypes.c_void_p(libc.open_memstream(ctypes.byref(text), ctypes.byref(size)))
    libc.malloc_info(0, stream)
    libc.fclose(stream)
    told = (text.value or b"").decode()
    libc.free(text)
    whole = told[told.rindex("</heap>") :]  # after what each arena has, all of them together
    sizes = {kind: int(each) for kind, each in re.findall(r'type="(\w+)"[^>]*size="(\d+)"', whole)}
    return sizes["current"] - sizes["fast"] - sizes["rest"] + sizes["mmap"]


def counted():
    """What is still alive after a round, in which everything was closed."""
    gc.collect()
    names = {"Volume": "volumes alive", "CompareWidget": "docks alive"}
    found = dict.fromkeys((*names.values(), "layers alive"), 0)
    for each in gc.get_objects():
        kind = type(each)
        module = str(kind.__module__)  # of some C types it is no text
        if kind.__name__ in names and module.startswith(("pqcomq.", "napari_pqcomq.")):
            found[names[kind.__name__]] += 1
        elif module.startswith("napari.layers.") and kind.__name__ in ("Image", "Labels", "Shapes"):
            found["layers alive"] += 1
    return found


def windows(rows, *, short):
    """The rounds that growth is measured between: after the caches are full, and the last."""
    warm = min(2, len(rows) - 1) if short else max(WARM_UP_ROUNDS, len(rows) // 10)
    if len(rows) <= warm:
        raise SystemExit(f"{len(rows)} rounds are too few to judge; give more minutes")
    count = max(3, len(rows) // 5)
    return rows[warm : warm + count], rows[-max(3, len(rows) // 10) :]


def judged(rows, *, short=False):
    """What grows, a sentence for each."""
    early, late = windows(rows, short=short)
    told = {}
    for what in (*MEMORY, *COUNTED, *LATENCIES):
        before, after = (statistics.median(row[what] for row in part) for part in (early, late))
        growth = 100 * (after - before) / before if before else 0.0
        if what in COUNTED:
            grows = after - before >= 1
        else:  # latencies are told, not judged: they depend on what else the machine does
            grows = what in MEMORY and not short and growth > MOST_GROWTH_PERCENT
        told[what] = f"{'GROWS' if grows else 'holds'}: {what} {before:.1f} to {after:.1f} ({growth:+.1f} %)"
    told["rounds"] = f"{len(rows)} rounds, {rows[-1]['minutes']:.1f} minutes"
    return told


def write(out, rows):
    names = list(dict.fromkeys(name for row in rows for name in row))
    with (out / "rounds.csv").open("w", newline="", encoding="utf-8") as stream:
        table = csv.DictWriter(stream, names, restval=0.0)
        table.writeheader()
        table.writerows(rows)


def draw(out, rows):
    """Everything over the minutes."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    names = (*MEMORY, *COUNTED, *LATENCIES)
    figure, axes = plt.subplots(len(names) + 1, 1, sharex=True, figsize=(9, 16), layout="constrained")
    minutes = [row["minutes"] for row in rows]
    for name, axis in zip(names, axes, strict=False):
        axis.plot(minutes, [row[name] for row in rows])
        axis.set_ylabel(name)
    for name in [key for key in rows[0] if key.startswith("gap ")]:
        axes[-1].plot(minutes, [row.get(name, 0.0) for row in rows], label=name.removeprefix("gap "))
    axes[-1].set_ylabel("longest gap, ms")
    axes[-1].legend(ncols=4, fontsize="small")
    axes[-1].set_xlabel("minutes")
    figure.savefig(out / "rounds.png", dpi=100)
    plt.close(figure)


if __name__ == "__main__":
    main()
