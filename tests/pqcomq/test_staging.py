"""Sets of files appear together or not at all, whatever happens to their process."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time

import pytest

from pqcomq.atomic_files import check_folder, check_target, recover, replacing, together
from pqcomq.errors import InputError
from pqcomq.staging import Staging, why

NAMES = ("a.json", "tables/b.csv", "tables/deep/c.bin")


def write(base, text, *, overwrite=False, names=NAMES):
    with together(base):
        for name in names:
            with replacing(base / name, overwrite=overwrite) as partial:
                partial.write_text(text)


def found(base):
    return {path.relative_to(base).as_posix(): path.read_text() for path in base.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    "error",
    [
        OSError(28, "No space left on device"),
        OSError(28, "Error writing bytes to file. Detail: [errno 28] No space left on device"),  # pyarrow's
        OSError("[Errno 28] No space left on device"),
    ],
)
def test_a_failure_is_told_in_the_system_s_words(error):
    assert why(error) == "no space left on device"


@pytest.mark.parametrize("new", [True, False], ids=["new folder", "folder of the user's"])
def test_all_files_appear_at_the_end(tmp_path, new):
    base = tmp_path / "deep" / "out" if new else tmp_path
    with together(base):
        for name in NAMES:
            with replacing(base / name) as partial:
                partial.write_text("x")
                assert partial.name == (base / name).name
            assert not (base / name).exists()
    assert found(base) == dict.fromkeys(NAMES, "x")
    assert not list(tmp_path.rglob(".pqcomq-*"))


@pytest.mark.parametrize("new", [True, False])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt(), ValueError("odd")])
def test_a_fault_leaves_nothing(tmp_path, new, error):
    base = tmp_path / "out" if new else tmp_path
    with pytest.raises(InputError if isinstance(error, OSError) else type(error)), together(base):
        with replacing(base / "a") as partial:
            partial.write_text("x")
        with replacing(base / "b") as partial:
            partial.write_text("half")
            raise error
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_stays_unless_told(tmp_path):
    write(tmp_path, "old")
    with pytest.raises(InputError, match="exists already"):
        write(tmp_path, "new")
    assert found(tmp_path) == dict.fromkeys(NAMES, "old")
    write(tmp_path, "new", overwrite=True)
    assert found(tmp_path) == dict.fromkeys(NAMES, "new")


@pytest.mark.parametrize("place", range(3))
def test_a_move_that_fails_brings_all_back(tmp_path, monkeypatch, place):
    write(tmp_path, "old", names=NAMES[:2])
    replace, moved = type(tmp_path).replace, []

    def refusing(self, target):
        if "tree" in self.parts:
            if len(moved) == place:
                raise OSError(5, "Input/output error")
            moved.append(target)
        return replace(self, target)

    monkeypatch.setattr(type(tmp_path), "replace", refusing)
    with pytest.raises(InputError, match="input/output error"):
        write(tmp_path, "new", overwrite=True)
    assert found(tmp_path) == dict.fromkeys(NAMES[:2], "old")


def test_without_hard_links_the_old_ones_come_back_too(tmp_path, monkeypatch):
    def none(*_given):
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr("pqcomq.staging.os.link", none)
    test_a_move_that_fails_brings_all_back(tmp_path, monkeypatch, 1)


def test_a_folder_that_is_removed_meanwhile_is_told(tmp_path):
    base = tmp_path / "out"
    base.mkdir()
    with pytest.raises(InputError, match="no such file"), together(base):
        with replacing(base / "a") as partial:
            partial.write_text("x")
        for path in sorted(base.rglob("*"), reverse=True):
            path.unlink() if path.is_file() else path.rmdir()
        base.rmdir()
        with replacing(base / "b") as partial:
            partial.write_text("x")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_somebody_makes_meanwhile_is_kept(tmp_path):
    base = tmp_path / "out"
    with together(base):
        with replacing(base / "a") as partial:
            partial.write_text("x")
        base.mkdir()
        (base / "theirs").write_text("y")
    assert found(base) == {"a": "x", "theirs": "y"}


def test_inner_sets_join_the_outer_one(tmp_path):
    with pytest.raises(ZeroDivisionError), together(tmp_path / "out"):
        write(tmp_path / "out" / "inner", "x")
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_a_set_of_another_process_that_lives_is_left_alone(tmp_path):
    with Staging(tmp_path) as staging, staging.taking():
        with replacing(tmp_path / "a") as partial:
            partial.write_text("x")
        write(tmp_path, "others", names=["b"])
        code = f"from pqcomq.atomic_files import recover; from pathlib import Path; recover(Path({str(tmp_path)!r}))"
        subprocess.run([sys.executable, "-c", code], check=True)
    assert found(tmp_path) == {"a": "x", "b": "others"}


def left_behind(base, text, note):
    """What a killed process leaves: all files staged, and the note of the moves or not."""
    folder = base / f".pqcomq-{0:032x}"
    for name in NAMES:
        path = folder / "tree" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (folder / "lock").touch()
    if note is not None:
        (folder / "moves.json").write_text(note)
    return folder


@pytest.mark.parametrize("check", [lambda base: check_folder(base, (), overwrite=True), recover])
def test_what_was_being_moved_is_moved_at_the_next_start(tmp_path, check):
    write(tmp_path, "old", names=NAMES[1:])
    left_behind(tmp_path, "new", json.dumps({"base": ".", "moves": list(NAMES)}))
    check(tmp_path)
    assert found(tmp_path) == dict.fromkeys(NAMES, "new")
    assert not list(tmp_path.glob(".pqcomq-*"))


@pytest.mark.parametrize(
    "note",
    [
        None,
        "{ half",
        "[" * 100_000,
        "7",
        '{"base": ".", "moves": 3}',
        '{"base": "..", "moves": ["a.json"]}',
        '{"base": ".", "moves": ["../a.json"]}',
        '{"base": "/", "moves": ["a.json"]}',
        '{"base": ".", "moves": ["/tmp/a.json"]}',
    ],
)
def test_what_was_only_being_written_is_taken_away(tmp_path, note):
    base = tmp_path / "out"
    base.mkdir()
    (base / "mine.txt").write_text("mine")
    left_behind(base, "new", note)
    check_target(base / "x.json", overwrite=False)
    assert found(tmp_path) == {"out/mine.txt": "mine"}


def test_folders_of_the_users_own_stay(tmp_path):
    kept = [".pqcomq-notes", ".pqcomq", f".pqcomq-{'g' * 32}"]
    for name in kept:
        (tmp_path / name).mkdir()
        (tmp_path / name / "lock").touch()
    recover(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(kept)


def test_links_are_not_followed(tmp_path):
    target, base = tmp_path / "elsewhere", tmp_path / "out"
    target.mkdir()
    base.mkdir()
    (target / "lock").touch()
    (target / "precious").write_text("x")
    (base / f".pqcomq-{1:032x}").symlink_to(target)
    recover(base)
    assert (target / "precious").read_text() == "x"


@pytest.mark.parametrize("ago", [100_000, -100_000])  # of a clock that was set back, the time is in the future
def test_without_a_lock_it_is_taken_away_after_a_day(tmp_path, ago):
    folder = left_behind(tmp_path, "new", None)
    (folder / "lock").unlink()
    recover(tmp_path)
    assert folder.exists()
    os.utime(folder, (time.time() - ago,) * 2)
    recover(tmp_path)
    assert not folder.exists()


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_told(tmp_path):
    tmp_path.chmod(0o500)
    try:
        for base in (tmp_path, tmp_path / "out"):
            with pytest.raises(InputError, match="permission denied"):
                write(base, "x")
    finally:
        tmp_path.chmod(0o700)


WRITER = """
import sys, time
from pathlib import Path
from pqcomq.atomic_files import replacing, together
base, names = Path(sys.argv[1]), sys.argv[2:]
print("ready", flush=True)
for turn in range(10**6):
    with together(base):
        for name in names:
            with replacing(base / name, overwrite=True) as partial:
                partial.write_text(str(turn) * 1000)
"""


@pytest.mark.skipif(os.name == "nt", reason="kills as POSIX does")
def test_a_writer_killed_at_any_moment_leaves_all_of_one_turn(tmp_path):
    chosen = random.Random(3)
    base = tmp_path / "out"
    for _ in range(12):
        process = subprocess.Popen([sys.executable, "-c", WRITER, str(base), *NAMES], stdout=subprocess.PIPE)
        process.stdout.readline()
        time.sleep(chosen.uniform(0, 0.1))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        recover(base)
        if base.exists():
            files = found(base)
            assert sorted(files) == sorted(NAMES)
            assert len(set(files.values())) == 1
        assert not list(tmp_path.rglob(".pqcomq-*"))
