"""Commands that the user ends: status 130 and a sentence."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from pqcomq.quantization.files.resume import MARK, Journal
from pqcomq.run_lock import only_run

UNHURRIED = """
import signal, sys, time
from pqcomq.quantization.files.resume import Journal

keep = Journal.keep_layer

def unhurried(journal, *given):
    keep(journal, *given)
    time.sleep(0.2)

Journal.keep_layer = unhurried
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell lets what it starts behind itself ignore it
from pqcomq.cli.app import main

main()
"""
"""The command line, which takes a rest after each layer: there is time to end it before the last one."""


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows sends no such signals")
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_a_quantization_that_is_ended_says_what_it_keeps_and_goes_on(ct, tmp_path, ending):
    out = tmp_path / "q.safetensors"
    asked = ["quantize", "--bits", "8", "--calibration", str(ct), "--calibration-slices", "1", "--method", "rtn"]
    asked += ["--out", str(out)]
    unhurried = [sys.executable, "-c", UNHURRIED, *asked]
    process = subprocess.Popen(unhurried, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not list(tmp_path.glob("q.unfinished/*.safetensors")) and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(ending)
    told, complaint = process.communicate()
    assert process.returncode == 130, told + complaint
    assert complaint.startswith("pqcomq: interrupted; ")
    assert "finished layer" in complaint
    assert complaint.strip().endswith("and the same command goes on from there")
    assert not out.exists()
    if ending == signal.SIGINT:  # what is left is the same
        again = subprocess.run([sys.executable, "-m", "pqcomq.cli", *asked], capture_output=True, text=True, check=True)
        assert "going on with" in again.stderr
        assert out.exists()


def test_a_command_that_keeps_nothing_says_so(run, ct, tmp_path, monkeypatch):
    def interrupted(*_given, **_named):
        raise KeyboardInterrupt

    monkeypatch.setattr("pqcomq.cli.info.opened", interrupted)
    status, out, error = run("info", ct)
    assert (status, out, error) == (130, "", "pqcomq: interrupted; nothing was written\n")


@pytest.mark.slow
def test_what_a_run_killed_after_its_file_was_written_left_is_taken_away(run, refused, ct, tmp_path, monkeypatch):
    out, left = tmp_path / "w.safetensors", tmp_path / "w.unfinished"
    arguments = (
        "quantize",
        "--bits",
        8,
        "--method",
        "rtn",
        "--calibration",
        ct,
        "--calibration-slices",
        1,
        "--out",
        out,
    )
    with only_run(tmp_path / ".w.safetensors.lock", out):
        assert "Another run is writing there" in refused(*arguments)
    with monkeypatch.context() as patched:
        patched.setattr(Journal, "discard", lambda _journal: None)
        assert run(*arguments)[0] == 0
    files = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert left / MARK in files
    assert sorted(path.name for path in tmp_path.iterdir()) == ["phantom.nii.gz", "w.md", out.name, left.name]
    status, _, err = run(*arguments)
    assert status == 2
    assert f"{left} was left by the run that wrote {out}, and was taken away" in err
    assert "exists already" in err
    assert not left.exists()
    assert all(path.read_bytes() == files[path] for path in files if path.parent == tmp_path)

    left.mkdir()
    (left / MARK).touch()
    (left / "identity.json").write_text('{"settings": {}}', encoding="utf-8")  # another run's
    assert "exists already" in refused(*arguments)


LOST = """
import signal, sys
from pqcomq.cli.terminal.interruption import Interrupted, end_as_by_ctrl_c
from pqcomq.cli.terminal.progress_bar import followed
from pqcomq.progress import Progress

class Cleared:
    def __del__(self):
        signal.raise_signal(getattr(signal, sys.argv[1]))

def work():
    for step in range(3):
        Cleared()
        print(step)
        yield Progress(step, 3, "a step")

signal.signal(signal.SIGINT, signal.default_int_handler)
end_as_by_ctrl_c()
try:
    followed(work(), "work", lambda: "all is kept")
except Interrupted as told:
    print(told)
"""


@pytest.mark.parametrize("ending", ["SIGINT", "SIGTERM"])
def test_a_request_to_end_that_python_drops_is_heard_at_the_next_step(ending):
    ended = subprocess.run([sys.executable, "-c", LOST, ending], capture_output=True, text=True, check=True)
    assert "ignored" in ended.stderr, "it was dropped where an object was cleared away"
    assert ended.stdout.split("\n") == ["0", "all is kept", ""]


def test_a_quantization_ended_before_its_first_layer_promises_nothing(run, ct, tmp_path, monkeypatch):
    def interrupted(*_given, **_named):
        raise KeyboardInterrupt

    monkeypatch.setattr("pqcomq.quantization.quantize_model.LayerwiseRun.run", interrupted)
    asked = ["quantize", "--bits", 4, "--calibration", ct, "--calibration-slices", 1]
    status, out, error = run(*asked, "--out", tmp_path / "q.safetensors")
    told = "no layer was finished yet, and the same command begins with the first one"
    assert (status, out, error) == (130, "", f"pqcomq: interrupted; {told}\n")
