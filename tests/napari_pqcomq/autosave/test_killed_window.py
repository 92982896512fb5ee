"""A window that is killed while it is worked in: the next one offers to go on, and everything is there again."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

WINDOW = Path(__file__).with_name("window.py")


def read(path):
    with np.load(path) as content:
        voxels = {name: content[name] for name in content if name not in ("facts", "told")}
        return json.loads(str(content["facts"])), voxels, json.loads(str(content.get("told", "[]")))


@pytest.mark.slow
def test_nothing_is_lost_when_the_window_is_killed(block, tmp_path):
    sitk.WriteImage(block(), str(tmp_path / "ct.nii.gz"))
    place = {"XDG_CONFIG_HOME": str(tmp_path / "config"), "PQCOMQ_AUTOSAVE": str(tmp_path / "kept")}

    def window(what):
        command = [sys.executable, str(WINDOW), what, str(tmp_path)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8", env={**os.environ, **place})

    with window("work") as killed:
        while (line := killed.stdout.readline()) and line != "done\n":
            pass
        os.kill(killed.pid, getattr(signal, "SIGKILL", signal.SIGTERM))
    assert line == "done\n", "the window ended before it was killed"
    shutil.rmtree(tmp_path / "config")  # nothing but the unfinished work tells what was chosen
    with window("go_on") as again:
        told = again.stdout.read()
    assert again.returncode == 0, told
    facts, voxels, _ = read(tmp_path / "work.npz")
    facts_again, voxels_again, notices = read(tmp_path / "go_on.npz")
    corrected = [name for name in voxels_again if name.endswith(", corrected")]
    assert len(corrected) == 1
    assert notices[0].startswith("An unfinished session on CT (ct.nii.gz) from ")
    assert notices[0].endswith("with 2 objects and 3 layers of masks.")
    assert any("not quantized again" in each for each in notices)
    for key in ("objects", "current", "weights", "settings"):
        assert facts_again[key] == facts[key], key
    assert len(facts["weights"]) == 1
    assert {name: facts_again["layers"][name] for name in facts["layers"]} == facts["layers"], "names and origins"
    for name, labels in voxels.items():
        again_labels = voxels_again[corrected[0] if name.endswith(", corrected") else name]
        assert again_labels.any()
        assert np.array_equal(labels, again_labels), name
