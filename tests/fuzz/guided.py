"""Looks for inputs of one format that reach code which no earlier one reached, led by atheris.

    python tests/fuzz/guided.py NRRD found --seconds 600
    python tests/fuzz/guided.py NRRD found --keep 40

needs ``pip install atheris`` (Linux, macOS). The first collects inputs in a folder. What ``run.py`` asks must hold of
each: refused with one sentence, equal to what an independent reader gives, or flagged; one of which it does not hold
ends the run, and lies as ``fault-…`` in the present folder. The second copies so many of them, of all sizes, into
``corpus``, which later runs begin with and ``test_fuzz.py`` opens each time.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import logging
import random
import shutil
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import atheris

with atheris.instrument_imports(include=["pqcomq", "nrrd", "pydicom"]):  # their branches lead the search
    import readers
    from mutants import mutator, name_of
    from seeds import CORPUS, files_beside, make_seeds

    from pqcomq.errors import InputError

LIMITS = ("-timeout=10", "-rss_limit_mb=4000", "-max_len=20000")
"""Seconds an input; megabytes of the process, torch's among them; bytes of an input (seeds have a few thousand)."""
WITHOUT_SECOND = ("journal", "weights", "checkpoint")
"""Their checksums leave nothing to compare."""


def opener(kind: str, folder: Path) -> tuple[Callable[[bytes], None], list[tuple[str, bytes]]]:
    """What opens bytes as a format's file and judges what came of it; and the format's seeds."""
    readers.seeds_folder = folder / "seeds"
    seeds = make_seeds(readers.seeds_folder)
    beside = files_beside(kind, seeds, readers.seeds_folder)
    place = folder / "input"
    place.mkdir()
    names = [name for name, _ in seeds[kind]]

    def open_one(data: bytes) -> None:
        for name, whole in beside.items():
            (place / name).write_bytes(whole)
        path = place / name_of(kind, data, names)
        path.write_bytes(data)
        try:
            ours = readers.OPENERS[kind](path)
            if ours["flags"] or kind in WITHOUT_SECOND:
                return
        except InputError as refused:
            assert "\n" not in str(refused), "more than one line"
            return
        finally:
            path.unlink(missing_ok=True)  # a journal takes damaged parts of itself away
        path.write_bytes(data)
        other = None
        with contextlib.suppress(Exception):  # it cannot read this
            other = readers.second(kind, path)
        path.unlink()
        assert readers.agree(kind, ours, other), f"{ours} instead of {other}"

    with atheris.instrument_imports(include=["pqcomq", "nrrd", "pydicom"]):
        for _, data in seeds[kind]:  # what is imported on the way
            open_one(data)
    return open_one, seeds[kind]


def search(kind: str, found: Path, seconds: int) -> None:
    """Look for so long."""
    open_one, seeds = opener(kind, Path(tempfile.mkdtemp()))
    names = [name for name, _ in seeds]

    def mutate(data: bytes, most: int, seed: int) -> bytes:
        chosen = random.Random(seed)
        if chosen.random() < 0.7:
            with contextlib.suppress(Exception):  # too damaged already for one that knows the structure
                return mutator(kind, name_of(kind, data, names), chosen)(data, chosen)[:most]
        return atheris.Mutate(data, most)

    for number, (_, data) in enumerate(seeds):
        (found / f"seed-{number}").write_bytes(data)
    kept = [str(CORPUS / kind)] if (CORPUS / kind).is_dir() else []
    options = [*LIMITS, f"-max_total_time={seconds}", "-print_final_stats=1"]

    def open_or_keep(data: bytes) -> None:
        try:
            open_one(data)
        except Exception:
            Path(f"fault-{kind}-{hashlib.sha256(data).hexdigest()[:12]}").write_bytes(data)
            raise

    atheris.Setup([sys.argv[0], str(found), *kept, *options], open_or_keep, custom_mutator=mutate)
    atheris.Fuzz()


def keep(kind: str, found: Path, most: int) -> None:
    """Copy inputs into the corpus, of all sizes; each of them reached something new when it was found."""
    inputs = sorted(found.iterdir(), key=lambda path: path.stat().st_size)
    (CORPUS / kind).mkdir(parents=True, exist_ok=True)
    for each in inputs[:: max(1, -(-len(inputs) // most))]:
        shutil.copy(each, CORPUS / kind)


def main() -> None:
    """Search, or keep what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("format")
    parser.add_argument("found", type=Path)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--keep", type=int, metavar="N")
    given = parser.parse_args()
    given.found.mkdir(parents=True, exist_ok=True)
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    if given.keep is None:
        search(given.format, given.found, given.seconds)  # libFuzzer ends the process
    else:
        keep(given.format, given.found, given.keep)


if __name__ == "__main__":
    main()
