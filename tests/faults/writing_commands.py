"""The commands that write, each with small inputs, the files that it makes, and how to see that one is whole."""

from __future__ import annotations

import csv
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import nibabel
import numpy as np
import SimpleITK as sitk
from PIL import Image
from safetensors import safe_open
from stand_ins import FETCHED, quick_demo, serve_weights, small_network, write_checkpoint

from pqcomq.models.registry import load_model
from pqcomq.progress import finished
from pqcomq.quantization.calibration.slices import calibrate_on
from pqcomq.quantization.files.weights_file import save_weights
from pqcomq.quantization.planning.presets import default_config
from pqcomq.quantization.quantize_model import quantize_model
from pqcomq.volumes.volume import Volume

BOX = ("45", "25", "2", "76", "56", "2")
TORCH = ("--runtime", "torch")


@dataclass(frozen=True)
class WritingCommand:
    """One command.

    Attributes:
        name: as it is told.
        arguments: a function of the folder of inputs and the place of the output.
        out: name of the output, a file or a folder.
        grows: it keeps what it has finished, so that its output is not all or nothing.
        replaces: it can be told to replace files.
        beside: name of an input that lies where the output goes; empty for none.
        forks_warm: processes may be forked from one that has run it; not from one with threads of its own.
    """

    name: str
    arguments: Callable[[Path, Path], list[str]]
    out: str
    grows: bool = False
    replaces: bool = True
    beside: str = ""
    forks_warm: bool = True


def _given(inputs: Path) -> list[str]:
    return [str(inputs / "ct.nii.gz")]


def _weights(inputs: Path) -> list[str]:
    return ["--weights", str(inputs / "w.safetensors")]


COMMANDS = (
    WritingCommand(
        "segment",
        lambda inputs, out: ["segment", *_given(inputs), *_weights(inputs), "--box", *BOX, "--out", str(out), *TORCH],
        "mask.nii.gz",
    ),
    WritingCommand(
        "compare",
        lambda inputs, out: [
            *("compare", *_given(inputs), *_weights(inputs), "--box", *BOX, "--masks", "nii.gz", "--out", str(out)),
            *TORCH,
        ],
        "out",
    ),
    WritingCommand(
        "report",
        lambda inputs, out: [
            *("report", "--volume", *_given(inputs), *_weights(inputs), "--box", *BOX, "--no-jitter"),
            *("--out", str(out), *TORCH),
        ],
        "out",
    ),
    WritingCommand(
        "evaluate",
        lambda inputs, out: [
            *(
                "evaluate",
                "--volume",
                *_given(inputs),
                *_weights(inputs),
                "--labels",
                str(inputs / "labels.nii.gz"),
                "--label",
            ),
            *("1", "--most-slices", "1", "--out", str(out), *TORCH),
        ],
        "out",
    ),
    WritingCommand(
        "quantize",
        lambda inputs, out: [
            *("quantize", "--bits", "8", "--method", "rtn", "--calibration", *_given(inputs)),
            *("--calibration-slices", "1", "--out", str(out)),
        ],
        "w.safetensors",
        grows=True,
    ),
    WritingCommand(
        "cohort",
        lambda inputs, out: [
            *("cohort", str(inputs / "cases"), *_weights(inputs), "--most-slices", "1"),
            *("--prompted-by", "slice", "--workers", "1", "--out", str(out), *TORCH),
        ],
        "out",
        grows=True,
    ),
    WritingCommand(
        "export",
        lambda inputs, out: ["export", str(inputs / "w.safetensors"), "--to", "openvino", "--out", str(out)],
        "out",
        forks_warm=False,
    ),
    WritingCommand(
        "export fp16",
        lambda inputs, out: ["export", str(inputs / "w.safetensors"), "--to", "safetensors-fp16", "--out", str(out)],
        "out",
    ),
    WritingCommand("card", lambda _inputs, out: ["card", str(out)], "w.safetensors", beside="w.safetensors"),
    WritingCommand("demo", lambda _inputs, out: ["demo", "--headless", "--out", str(out)], "out"),
    WritingCommand(
        "bench",
        lambda inputs, out: [
            *("bench", "--volume", *_given(inputs), *_weights(inputs), "--labels", str(inputs / "labels.nii.gz")),
            *("--label", "1", "--quick", "--published-passes", "0", "--out", str(out)),
        ],
        "out",
    ),
    WritingCommand(
        "models import",
        lambda inputs, _out: ["models", "import", "lite-medsam-scribble", str(inputs / "scribble.pth")],
        "models",
        replaces=False,
    ),
    WritingCommand(
        "models fetch",
        lambda _inputs, _out: ["models", "fetch", FETCHED, "--accept-licence"],
        "models",
        grows=True,
    ),
)


def prepare(folder: Path) -> None:
    """Write the inputs: a phantom with labels, twice more as cases, and weights rounded to nearest."""
    for seed, place in enumerate((folder, folder / "cases" / "anna", folder / "cases" / "bert")):
        place.mkdir(parents=True, exist_ok=True)
        z, y, x = np.indices((4, 96, 96))
        blob = (y - 40) ** 2 + (x - 60) ** 2 < (8 + z) ** 2
        voxels = np.where(blob, 150, np.where((y - 48) ** 2 + (x - 48) ** 2 < 1600, 50, -1000))
        voxels = voxels + np.random.default_rng(seed).normal(0, 10, voxels.shape)
        image = sitk.GetImageFromArray(voxels.astype(np.int16))
        image.SetSpacing((2.0, 2.0, 5.0))
        volume = Volume.of(image, "CT", "phantom")
        names = ("ct.nii.gz", "labels.nii.gz") if place == folder else ("image.nii.gz", "labels.nii.gz")
        sitk.WriteImage(volume.to_file_grid(volume.voxels), str(place / names[0]))
        sitk.WriteImage(volume.to_file_grid(blob.astype(np.uint8)), str(place / names[1]))
    small_network(folder)
    full = load_model("lite-medsam")
    made = quantize_model(full, calibrate_on([volume], 1), default_config("lite-medsam", 4, "rtn"))
    save_weights(finished(made), folder / "w.safetensors")
    write_checkpoint(folder / "scribble.pth")
    serve_weights(folder / "web")
    quick_demo(volume, blob.astype(np.uint8))


def is_whole(path: Path) -> bool:
    """Whether a file can be read to its end."""
    try:
        if path.suffix == ".json":
            json.loads(path.read_text(encoding="utf-8"))
        elif path.suffix == ".csv":
            text = path.read_text(encoding="utf-8")
            rows = list(csv.reader(text.splitlines()))
            return text.endswith("\n") and len(rows) > 1 and len({len(row) for row in rows}) == 1
        elif path.suffix == ".png":
            Image.open(path).load()
        elif path.name.endswith(".nii.gz"):
            np.asanyarray(nibabel.load(path).dataobj)
        elif path.suffix == ".safetensors":
            with safe_open(path, framework="np") as stream:
                for key in stream.keys():  # noqa: SIM118
                    stream.get_tensor(key)
        elif path.suffix == ".parquet":
            from pyarrow import parquet

            parquet.read_table(path, partitioning=None)
        elif path.suffix == ".npz":
            with np.load(path) as kept:
                [kept[name] for name in kept]
        elif path.suffix == ".xml":
            ElementTree.parse(path)
        elif path.suffix == ".pth" and zipfile.is_zipfile(path):
            return zipfile.ZipFile(path).testzip() is None
        elif path.suffix == ".html":
            return path.read_text(encoding="utf-8").rstrip().endswith("</html>")
        else:
            return path.stat().st_size > 0
    except Exception:  # whatever a library says of a half file
        return False
    return True
