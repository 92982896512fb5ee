"""What is imported before anything is asked for: none of the packages that take seconds and hundreds of megabytes."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = [
    "numpy",
    "torch",
    "torchvision",
    "SimpleITK",
    "matplotlib",
    "scipy",
    "skimage",
    "cv2",
    "openvino",
    "napari",
    "pydicom",
]

HELP = """
import contextlib, io, sys
sys.argv = ["pqcomq", "--help"]
with contextlib.redirect_stdout(io.StringIO()) as shown:
    try:
        from pqcomq.cli import main
        main()
    except SystemExit as end:
        assert not end.code
assert "quantize" in shown.getvalue()
"""


HELP_OF_COMMANDS = """
import contextlib, io
from pqcomq.cli import main
from pqcomq.cli.commands import SUMMARIES
for name in SUMMARIES:
    with contextlib.redirect_stdout(io.StringIO()) as shown:
        try:
            main([name, "--help"])
        except SystemExit as end:
            assert not end.code, name
    assert "--help" in shown.getvalue(), name
"""


MISSING_VOLUME = """
import contextlib, io
from pqcomq.cli import main
box, labels, bits = ["--box", "1", "1", "1", "2", "2", "2"], ["--labels", "l.nii", "--label", "1"], ["--bits", "4"]
weights = ["--weights", "w.safetensors"]
for command in (
    ["segment", "missing.nii", *weights, *box, "--out", "m.nii"],
    ["compare", "missing.nii", *weights, *box, "--out", "o"],
    ["report", "--volume", "missing.nii", *weights, *box, "--out", "o"],
    ["evaluate", "--volume", "missing.nii", *weights, *labels, "--out", "o"],
    ["bench", "--volume", "missing.nii", *labels, "--out", "o"],
    ["quantize", "--calibration", "missing.nii", *bits, "--out", "w.safetensors"],
):
    with contextlib.redirect_stderr(io.StringIO()) as told:
        try:
            main(command)
        except SystemExit as end:
            assert end.code == 2, command
    assert "There is no such file or folder" in told.getvalue(), (command, told.getvalue())
"""


@pytest.mark.parametrize(
    "code",
    ["import pqcomq", "import napari_pqcomq", HELP, HELP_OF_COMMANDS, MISSING_VOLUME],
    ids=["engine", "plugin", "help", "help of every command", "a volume that is not there"],
)
def test_nothing_heavy_is_imported(code, tmp_path):
    told = f"{code}\nimport json, sys\nprint(json.dumps([name for name in {HEAVY} if name in sys.modules]))"
    ran = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert json.loads(ran.stdout) == []
