"""Commands that the user ends: status 130 and a sentence."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows sends no such signals")
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_a_quantization_that_is_ended_says_what_it_keeps_and_goes_on(ct, tmp_path, ending):
    out = tmp_path / "q.safetensors"
    command = [sys.executable, "-m", "pqcomq.cli", "quantize", "--bits", "8", "--calibration", str(ct)]
    command += ["--calibration-slices", "1", "--method", "rtn", "--out", str(out)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not list(tmp_path.glob("q.unfinished/*.safetensors")) and process.poll() is None:
        time.sleep(0.002)
    process.send_signal(ending)
    told, complaint = process.communicate()
    assert process.returncode == 130, told + complaint
    assert complaint.startswith("pqcomq: interrupted; ")
    assert "finished layer" in complaint
    assert complaint.strip().endswith("and the same command goes on from there")
    assert not out.exists()
    again = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "going on with" in again.stderr
    assert out.exists()


def test_a_command_that_keeps_nothing_says_so(run, ct, tmp_path, monkeypatch):
    def interrupted(*_given, **_named):
        raise KeyboardInterrupt

    monkeypatch.setattr("pqcomq.cli.info.opened", interrupted)
    status, out, error = run("info", ct)
    assert (status, out, error) == (130, "", "pqcomq: interrupted; nothing was written\n")
