"""Commands with a read-only home, no temporary folder, a clock set back, an output that vanishes, or beside another."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import nibabel
import numpy as np
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name == "nt", reason="mounts, and rights of folders as in POSIX")]

BOX = ("--box", "20", "20", "1", "44", "44", "1")
NO_TEMPORARY_FOLDER = "import tempfile; tempfile._candidate_tempdir_list = lambda: ['/nowhere']"
CLOCK_SET_BACK = "import time; now = time.time; time.time = lambda: now() - 3e8"
OUTPUT_VANISHES = """
import shutil, sys
from pathlib import Path
from pqcomq.staging import Staging
move = Staging._move

def gone(staging):
    shutil.rmtree(Path(sys.argv[-1]).parent)
    move(staging)

Staging._move = gone
"""
MAIN = "\nfrom pqcomq.cli.app import main\nmain()\n"


@pytest.fixture
def ct(tmp_path):
    """Three slices of a disc."""
    y, x = np.indices((64, 64))
    plane = np.where((y - 32) ** 2 + (x - 32) ** 2 < 100, 150, -999).astype(np.int16)
    path = tmp_path / "in" / "ct.nii.gz"
    path.parent.mkdir()
    nibabel.save(nibabel.Nifti1Image(np.stack([plane] * 3, axis=2), np.diag([2, 2, 5, 1])), path)
    return path


@pytest.fixture
def start(ct, tmp_path):
    """Starts ``segment`` after some lines of Python, its standard error kept."""

    def started(before, out, *more, **environment):
        asked = ["segment", str(ct), "--model", "lite-medsam", *BOX, "--runtime", "torch", *more, "--out", str(out)]
        kept = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
        command = [sys.executable, "-c", before + MAIN, *asked]
        return subprocess.Popen(
            command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=kept | environment
        )

    return started


def ended(process):
    """Status and what it said on standard error."""
    told = process.communicate()[1]
    return process.returncode, told


def assert_whole(path):
    assert np.asanyarray(nibabel.load(path).dataobj).any()
    assert path.with_name("mask.json").is_file()


@pytest.fixture
def read_only_home(tmp_path, mounted):
    """A home where nothing can be written, not even by root."""
    folder = tmp_path / "home"
    folder.mkdir()
    if mounted(folder, "ro"):
        yield folder
        return
    if not hasattr(os, "geteuid") or os.geteuid() == 0:
        pytest.skip("no home can be made read-only here")
    folder.chmod(0o500)
    yield folder
    folder.chmod(0o700)


def test_a_read_only_home_hinders_nothing(start, read_only_home, tmp_path):
    status, told = ended(start("", tmp_path / "mask.nii.gz", HOME=str(read_only_home)))
    assert status == 0, told
    assert_whole(tmp_path / "mask.nii.gz")
    assert not list(read_only_home.iterdir())


def test_where_there_is_no_temporary_folder_it_works_or_says_so(start, tmp_path):
    status, told = ended(start(NO_TEMPORARY_FOLDER, tmp_path / "mask.nii.gz"))
    if status == 0:
        assert_whole(tmp_path / "mask.nii.gz")
        return
    assert "temporary directory" in told
    assert "Errno" not in told
    assert told.count("\n") == 1, told
    assert [each.name for each in tmp_path.iterdir()] == ["in"]


def test_a_clock_that_was_set_back_hinders_nothing(start, tmp_path):
    out = tmp_path / "mask.nii.gz"
    out.write_bytes(b"old")
    left = tmp_path / f".pqcomq-{'0' * 32}"  # of a process that was killed, in what is now the future
    (left / "tree").mkdir(parents=True)
    (left / "lock").touch()
    os.utime(left, (time.time() + 1e6,) * 2)
    status, told = ended(start(CLOCK_SET_BACK, out, "--overwrite"))
    assert status == 0, told
    assert_whole(out)
    assert not list(tmp_path.glob(".pqcomq-*"))


def test_an_output_folder_that_vanishes_leaves_one_sentence(start, tmp_path):
    place = tmp_path / "out"
    place.mkdir()
    status, told = ended(start(OUTPUT_VANISHES, place / "mask.nii.gz"))
    assert (status, told.count("\n")) == (2, 1), told
    assert told.startswith("pqcomq: ")
    assert "no such file or directory" in told
    assert [each.name for each in tmp_path.iterdir()] == ["in"]


def test_of_two_that_write_one_file_one_is_whole(start, tmp_path):
    out = tmp_path / "mask.nii.gz"
    told = [ended(each) for each in [start("", out), start("", out)]]
    assert sorted(status for status, _ in told) in ([0, 0], [0, 2]), told
    assert all(status == 0 or "exists already" in sentence for status, sentence in told), told
    assert_whole(out)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["in", "mask.json", "mask.nii.gz"]
