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


@pytest.mark.parametrize(
    "code",
    ["import pqcomq", "import napari_pqcomq", HELP, HELP_OF_COMMANDS],
    ids=["engine", "plugin", "help", "help of every command"],
)
def test_nothing_heavy_is_imported(code):
    told = f"{code}\nimport json, sys\nprint(json.dumps([name for name in {HEAVY} if name in sys.modules]))"
    ran = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert json.loads(ran.stdout) == []
