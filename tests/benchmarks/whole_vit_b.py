"""MedSAM ViT-B through the whole product: what each step takes, in seconds and in memory.

    python tests/benchmarks/whole_vit_b.py --folder FOLDER [--only STEP ...] [--table]

Every step is a command as a user gives it, in a process of its own: the checkpoint is taken over, the model quantized
to 8, 4 and 2 bits on 8 slices, one organ segmented on two slices on every runtime, compared, reported, exported, and
worked on in the window (``window_session.py``; without a screen, run this under ``xvfb-run``). Peak memory is the
largest resident set of the process. Steps are done in their order; what a step found is appended to
``FOLDER/results.json``, so that a run can be stopped and gone on with: only what is not there yet is done, or what
``--only`` names. The whole takes about an hour on two cores, most of it quantizing.

The checkpoint has MedSAM's format and random weights: times, memory and file sizes are those of MedSAM ViT-B, masks and
figures of accuracy mean nothing. Run it with nothing else running.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from pqcomq.backends.runtime import Runtime
from pqcomq.models.execution import cpu_name

CHECKPOINT, VOLUME, LABELS, RESULTS = "medsam_vit_b.pth", "ct.nii.gz", "labels.nii.gz", "results.json"
ORGAN = 1
HERE = {None, *(["cuda"] if torch.cuda.is_available() else []), *(["mps"] if torch.backends.mps.is_available() else [])}
RUNTIMES = [each for each in Runtime if each is not Runtime.auto and each.device in HERE and not each.integers]
"""Those of this machine; integer products need weights that are quantized for them."""
BITS = (8, 4, 2)
QUICK = "quantize quick"
"""Round to nearest at 8 bits on one slice: what the later steps can be tried with in two minutes."""
_MEGABYTE = 1e6


@dataclass(frozen=True)
class Step:
    """One command.

    Attributes:
        name: in the table and on the command line.
        arguments: of ``pqcomq``, or of Python where the first is ``-c`` or ends in ``.py``.
        made: files whose sizes are told.
    """

    name: str
    arguments: tuple[object, ...]
    made: tuple[Path, ...] = ()


def steps(folder: Path) -> list[Step]:
    """All of them, in their order."""
    box = [str(each) for each in json.loads((folder / "box.json").read_text(encoding="utf-8"))]
    volume, out = folder / VOLUME, folder / "out"
    files = {bits: folder / f"medsam-{bits}bit.safetensors" for bits in BITS}
    quick = folder / "medsam-quick.safetensors"
    weights = next((path for path in (*files.values(), quick) if path.is_file()), quick)
    quantize = ("quantize", "--model", "medsam", "--calibration", volume, "--overwrite")
    one = ("--weights", weights, "--box", *box)
    found = [
        Step("take over", ("models", "import", "medsam", folder / CHECKPOINT)),
        Step("load", ("-c", "import pqcomq; pqcomq.load_model('medsam')")),
    ]
    found.append(
        Step(QUICK, (*quantize, "--bits", 8, "--method", "rtn", "--calibration-slices", 1, "--out", quick), (quick,))
    )
    for bits, path in files.items():
        chosen = ("--bits", bits, "--calibration-slices", 8, "--out", path)
        found.append(Step(f"quantize {bits}", (*quantize, *chosen), (path,)))
    full = ("segment", volume, "--model", "medsam", "--box", *box, "--overwrite", "--json")
    found.append(Step("segment full precision", (*full, "--out", out / "full.nii.gz")))
    for runtime in RUNTIMES:
        chosen = ("--runtime", runtime.value, "--overwrite", "--json", "--out", out / f"{runtime.value}.nii.gz")
        found.append(Step(f"segment {runtime.value}", ("segment", volume, *one, *chosen)))
    found.append(Step("compare", ("compare", volume, *one, "--overwrite", "--out", out / "compare")))
    labels = ("--labels", folder / LABELS, "--label", ORGAN)
    report = ("report", "--volume", volume, "--weights", weights, "--box", *box, *labels, "--no-jitter")
    found.append(Step("report", (*report, "--overwrite", "--out", out / "report")))
    for kind, made in (("onnx", "encoder.onnx"), ("openvino", "encoder.bin")):
        target = out / kind
        found.append(
            Step(f"export {kind}", ("export", weights, "--to", kind, "--overwrite", "--out", target), (target / made,))
        )
    window = Path(__file__).with_name("window_session.py")
    found.append(Step("window", (window, "medsam", volume, weights, folder / "pictures", *box)))
    return found


def prepare(folder: Path) -> None:
    """Checkpoint, volume, labels and box, unless they are there."""
    if (folder / "box.json").is_file():
        return
    import SimpleITK as sitk

    from pqcomq.models import medsam
    from pqcomq.samples.synthetic_ct import synthetic_ct

    (folder / "out").mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    network = medsam.architecture()
    torch.nn.init.normal_(network.image_encoder.pos_embed, std=0.02)  # type: ignore[union-attr, arg-type]
    torch.save(network.state_dict(), folder / CHECKPOINT)
    sample = synthetic_ct()
    sitk.WriteImage(sample.volume.to_file_grid(sample.volume.voxels), str(folder / VOLUME))
    sitk.WriteImage(sample.volume.to_file_grid(sample.labels), str(folder / LABELS))
    box = sample.boxes[ORGAN]
    two = [box.x0, box.y0, box.middle, box.x1, box.y1, box.middle + 1]
    (folder / "box.json").write_text(json.dumps(two), encoding="utf-8")


def done(step: Step, folder: Path) -> dict[str, Any]:
    """Run a step and tell what it took."""
    first, *rest = (str(each) for each in step.arguments)
    of_python = first == "-c" or first.endswith(".py")
    program = [first, *rest] if of_python else ["-c", "from pqcomq.cli import main; main()", first, *rest]
    environment = os.environ | {"PQCOMQ_MODELS": str(folder / "models"), "XDG_DATA_HOME": str(folder / "data")}
    began = time.perf_counter()
    with (folder / "stdout").open("w+b") as out, (folder / "stderr").open("w+b") as errors:
        process = subprocess.Popen([sys.executable, *program], stdout=out, stderr=errors, env=environment)
        _pid, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - began
        out.seek(0)
        errors.seek(0)
        said, told = out.read().decode("utf-8"), errors.read().decode("utf-8").strip()
    peak = used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    sizes = {path.name: path.stat().st_size for path in step.made if path.is_file()}
    found = {"step": step.name, "processor": cpu_name(), "seconds": seconds, "peak_bytes": peak, "bytes": sizes}
    if process.returncode:
        return found | {"failed": told.splitlines()[-1] if told else f"status {process.returncode}"}
    return found | {"told": _told(said)}


def _told(said: str) -> dict[str, Any]:
    """What a command said as JSON, without what is long."""
    try:
        content = json.loads(said)
    except ValueError:
        return {}
    latencies = {part: content[part]["median_ms"] for part in ("encoder", "decoder") if part in content}
    return latencies if "volume_ml" in content else content


def table(results: Sequence[dict[str, Any]], folder: Path) -> str:
    """The newest result of each step, as Markdown."""
    newest = {each["step"]: each for each in results}
    whole = (folder / CHECKPOINT).stat().st_size
    lines = ["| step | seconds | peak memory, MB | found |", "|---|---|---|---|"]
    for name in [each.name for each in steps(folder) if each.name in newest]:
        each = newest[name]
        notes = [
            f"{file}: {size / _MEGABYTE:.1f} MB, {whole / size:.1f} × smaller" for file, size in each["bytes"].items()
        ]
        notes += [f"{key.replace('_', ' ')} {_shown(value)}" for key, value in each.get("told", {}).items()]
        if "failed" in each:
            notes = [each["failed"].replace("|", "\\|")]
        lines.append(f"| {name} | {each['seconds']:.1f} | {each['peak_bytes'] / _MEGABYTE:,.0f} | {'; '.join(notes)} |")
    head = (
        f"MedSAM ViT-B, {whole / _MEGABYTE:.1f} MB of random weights (accuracy means nothing), on "
        f"{', '.join(dict.fromkeys(each['processor'] for each in newest.values()))}, {os.cpu_count()} cores. "
        "Seconds are of a whole command, start and loading included; encoder and decoder are medians in ms."
    )
    return "\n".join([head, "", *lines])


def _shown(value: object) -> str:
    return f"{value:.1f}" if isinstance(value, float) else str(value)


def main() -> None:
    """Do what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", required=True, type=Path)
    parser.add_argument("--only", nargs="+", metavar="STEP", help="these, also where they were done before")
    parser.add_argument("--table", action="store_true", help="only print what is there")
    asked = parser.parse_args()
    folder: Path = asked.folder
    folder.mkdir(parents=True, exist_ok=True)
    prepare(folder)
    path = folder / RESULTS
    results = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []
    names = [each.name for each in steps(folder)]
    unknown = sorted(set(asked.only or ()) - set(names))
    if unknown:
        parser.error(f"no step {unknown[0]!r}; there are {', '.join(map(repr, names))}")
    finished = {each["step"] for each in results if "failed" not in each}
    for name in [] if asked.table else names:
        if name not in asked.only if asked.only else name in finished:
            continue
        step = next(each for each in steps(folder) if each.name == name)  # with the weights that are there by now
        print(f"{name} …", file=sys.stderr, flush=True)
        results.append(done(step, folder))
        path.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    print(table(results, folder))


if __name__ == "__main__":
    main()
