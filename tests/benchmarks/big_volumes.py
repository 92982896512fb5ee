"""How much memory ``segment``, ``compare`` and the window take on big volumes.

``python tests/benchmarks/big_volumes.py [WEIGHTS] [XxYxZ...]``; by default 512x512x1000 and 1024x1024x400, and weights
that it makes by rounding to nearest.

Makes a CT-like int16 volume as NIfTI in a temporary folder, runs both commands on a box of three slices, and a session
in the window (``window_session.py``: open, follow the box live, compare), each in a process of its own, and prints the
peak of memory above that of the same on a volume of 64 x 64 x 8, by the size of the array. Without a screen, run it
under ``xvfb-run``.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import nibabel
import numpy as np

SMALL = (64, 64, 8)
WINDOW = Path(__file__).with_name("window_session.py")
LIMIT = 2.2
"""Arrays of int16 that are meant to be enough."""

_CHILD = """
import json, resource, sys
from pqcomq.cli import main
try:
    main(sys.argv[1:])
except SystemExit as end:
    print(json.dumps([end.code or 0, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024]))
"""


def make_volume(path: Path, size: tuple[int, int, int]) -> None:
    """A round body in air with noise, written slice by slice."""
    nx, ny, nz = size
    header = nibabel.Nifti1Image(np.zeros((1, 1, 1), np.int16), np.diag([0.7, 0.7, 1.0, 1.0])).header
    header.set_data_shape(size)
    header.set_sform(np.diag([0.7, 0.7, 1.0, 1.0]), 1)
    generator = np.random.default_rng(0)
    y, x = np.indices((ny, nx)) / (ny, nx)[0] - 0.5
    body = np.where(np.hypot(x * 1.3, y) < 0.42, 40, -1000)
    with path.open("wb") as file:
        header["vox_offset"], header["magic"] = 352, b"n+1"
        file.write(header.binaryblock + bytes(4))
        for _ in range(nz):
            file.write((body + generator.integers(-20, 20, body.shape)).astype("<i2").tobytes())


def peak(arguments: list[str]) -> int:
    """Bytes at the most, in a process of its own."""
    in_window = arguments[0] == str(WINDOW)
    called = arguments if in_window else ["-c", _CHILD, *arguments]
    done = subprocess.run([sys.executable, *called], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    told = json.loads(done.stdout.splitlines()[-1])
    if in_window:
        return int(told["peak_bytes"])
    if told[0]:
        raise SystemExit(done.stdout + done.stderr)
    return int(told[1])


def commands(folder: Path, volume: Path, weights: Path, size: tuple[int, int, int]) -> dict[str, list[str]]:
    """What is measured, on three slices in the middle; torch runs both commands, which needs no memory for a graph."""
    nx, ny, nz = size
    box = [str(int(each)) for each in (nx * 0.4, ny * 0.4, nz // 2 - 1, nx * 0.6, ny * 0.6, nz // 2 + 1)]
    given = [str(volume), "--weights", str(weights), "--box", *box, "--runtime", "torch", "--overwrite"]
    return {
        "segment": ["segment", *given, "--out", str(folder / "mask.nii.gz")],
        "compare": ["compare", *given, "--out", str(folder / "out"), "--masks", "nii.gz"],
        "window": [str(WINDOW), "lite-medsam", str(volume), str(weights), str(folder / "pictures"), *box],
    }


def main(weights: str = "", *sizes: str) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_volume(folder / "small.nii", SMALL)
        file = Path(weights) if weights else folder / "w.safetensors"
        if not weights:
            given = ["--calibration", str(folder / "small.nii"), "--calibration-slices", "1", "--out", str(file)]
            peak(["quantize", "--bits", "8", "--method", "rtn", *given])
        base = {what: peak(line) for what, line in commands(folder, folder / "small.nii", file, SMALL).items()}
        for text in sizes or ("512x512x1000", "1024x1024x400"):
            nx, ny, nz = map(int, text.split("x"))
            big = folder / "big.nii"
            make_volume(big, (nx, ny, nz))
            array = nx * ny * nz * 2
            for what, line in commands(folder, big, file, (nx, ny, nz)).items():
                more = peak(line) - base[what]
                told = "" if more <= LIMIT * array else f", more than {LIMIT}"
                print(f"{what:8} {text:14} {more / 1e6:6.0f} MB above {base[what] / 1e6:.0f} MB, ", end="")
                print(f"{more / array:.2f} arrays of int16{told}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
