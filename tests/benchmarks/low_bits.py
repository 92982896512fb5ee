"""What low bits do to the masks: quantization methods side by side at their real sizes, on several sets of prompts.

    python tests/benchmarks/low_bits.py --data DATA --files FOLDER --out table.json [--only METHOD...] [--quick]

DATA holds the calibration volumes, the labelled development volumes and ``cohort/``, as ``prompt_sets.py`` names them.
Each method is quantized by ``pqcomq quantize`` on the two calibration CTs into FOLDER, unless its file is there; what
is in ``--out`` is not measured again. Models run on OpenVINO in float32. Further files are judged by ``--also``.
"""
# ruff: noqa: E402

from __future__ import annotations

import argparse
import json
import pickle
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pqcomq.cpu_settings import apply_cpu_settings

apply_cpu_settings()  # the process is its own; before torch is imported

import numpy as np
from prompt_sets import Answers, PromptSet, prompt_sets

from pqcomq.backends import openvino_model
from pqcomq.backends.openvino_model import on_runtime
from pqcomq.backends.runtime import Runtime
from pqcomq.comparison.compared_model import ComparedModel
from pqcomq.models.registry import load_model
from pqcomq.quantization.files.weights_file import load_weights

CALIBRATION = ("calibration_ct_1.nii.gz", "calibration_ct_2.nii.gz")

RIGHT = 0.8
"""Dice of full precision from which on a prompt tells something about quantization."""

LOST = 0.1
"""A prompt that loses more Dice than this is lost."""

QUICK = {"CT": 5, "MR": 4, "other CT": 5, "other MR": 3}
"""Slices of each set for a first look: those with most prompts in development, evenly spread ones in the others."""

SIZES = {"under 30 pixels of 256": (0, 30), "30 to 60": (30, 60), "60 and more": (60, 1000)}
"""Side of a box → from, to."""

FIXED = {
    "round to nearest": ["--method", "rtn"],
    "COMQ": ["--method", "comq"],
    "Permutation-COMQ as published": [
        *("--set", "feedback=no", "--set", "zero_point=integer", "--set", "inputs=full", "--set", "scales=free"),
        *("--set", "tones=own", "--set", "budget=none"),
    ],
    "default": [],
}
"""Method → options of ``pqcomq quantize``, at every width."""

STORED = (3.5, 2.6, 2.0)
"""Of entropy-coded weights."""

ROWS = {f"{name}, {bits} bits": ["--bits", str(bits), *way] for bits in (8, 4, 2) for name, way in FIXED.items()}
ROWS |= {f"entropy coded, {bits} stored": ["--method", "ecq", "--stored-bits", str(bits)] for bits in STORED}


def quantized(options: list[str], data: Path, path: Path) -> None:
    """Quantize LiteMedSAM by the command line, in a process of its own."""
    command = [sys.executable, "-m", "pqcomq.cli", "quantize", "--model", "lite-medsam", "--out", str(path)]
    volumes = [str(data / name) for name in CALIBRATION]
    subprocess.run([*command, "--calibration", *volumes, *options], check=True)


@contextmanager
def counted_constants() -> Iterator[list[int]]:
    """While open, the bytes of the constants of every graph that is compiled: what its weights take in memory."""
    found: list[int] = []
    compiled = openvino_model.request

    def counting(core: object, graph: Any, arithmetic: Any) -> object:
        found.append(sum(each.get_byte_size() for each in graph.get_ops() if each.get_type_name() == "Constant"))
        return compiled(core, graph, arithmetic)

    openvino_model.request = counting
    try:
        yield found
    finally:
        openvino_model.request = compiled


def measured(path: Path, sets: dict[str, PromptSet], full: dict[str, Answers]) -> dict[str, Any]:
    """A weights file's sizes, and what it answers to every prompt."""
    model = load_weights(path)
    with counted_constants() as in_memory:
        runs = on_runtime(model, Runtime.openvino)
    row: dict[str, Any] = {
        "bits of a code": ComparedModel.quantized(model).code_bits,
        "bits stored": model.effective_bits,
        "file bytes": path.stat().st_size,
        "bytes in memory": sum(in_memory),
        "sets": {name: each.compared(full[name], each.answered(runs)) for name, each in sets.items()},
    }
    return row


def reference(sets: dict[str, PromptSet], kept: Path) -> dict[str, Answers]:
    """Full precision's answers, kept beside the weights files: they take as long as a quantized model's."""
    if kept.is_file():
        answers: dict[str, Answers] = pickle.loads(kept.read_bytes())
        return answers
    model = on_runtime(load_model("lite-medsam"), Runtime.openvino)
    answers = {name: each.answered(model) for name, each in sets.items()}
    kept.write_bytes(pickle.dumps(answers))
    return answers


def interval(values: np.ndarray) -> tuple[float, float]:
    """95 % bootstrap interval of a mean over prompts."""
    rng = np.random.default_rng(0)
    means = values[rng.integers(0, len(values), (4000, len(values)))].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def judged(found: dict[str, Any]) -> dict[str, float]:
    """The figures of one set."""
    rows = found["prompts"]
    full, low, agreement = (np.array([each[key] for each in rows]) for key in ("full", "low", "agreement"))
    least, most = interval(agreement)
    return {
        "prompts": len(rows),
        "full": float(full.mean()),
        "low": float(low.mean()),
        "agreement": float(agreement.mean()),
        "least": least,
        "most": most,
        "worst": float(agreement.min()),
        "lost": int(np.count_nonzero(full - low > LOST)),
        "embedding error": found["embedding error"],
    }


def markdown(table: dict[str, Any]) -> Iterator[str]:
    """Accuracy against the ground truth and agreement with full precision, each under its own name."""
    yield (
        "| method | set | prompts | bits of a code | bits stored | file, MB | in memory, MB | embedding error | "
        "accuracy: full precision | accuracy | lost | agreement (95 % interval) | worst agreement |"
    )
    yield "|" + "---|" * 13
    for name, row in table.items():
        for set_name, found in row["sets"].items():
            each = judged(found)
            cells = [name, set_name, str(each["prompts"]), f"{row['bits of a code']:.2f}", f"{row['bits stored']:.2f}"]
            cells += [f"{row['file bytes'] / 1e6:.2f}", f"{row['bytes in memory'] / 1e6:.1f}"]
            cells += [f"{each['embedding error']:.4f}", f"{each['full']:.3f}", f"{each['low']:.3f}", str(each["lost"])]
            cells += [f"{each['agreement']:.3f} ({each['least']:.3f}–{each['most']:.3f})", f"{each['worst']:.2f}"]
            yield "| " + " | ".join(cells) + " |"


def by_size(table: dict[str, Any]) -> Iterator[str]:
    """Agreement with full precision by the size of the box, over all sets."""
    yield "| method | " + " | ".join(f"boxes of {title}" for title in SIZES) + " |"
    yield "|" + "---|" * (1 + len(SIZES))
    for name, row in table.items():
        prompts = [each for found in row["sets"].values() for each in found["prompts"] if each["full"] >= RIGHT]
        cells = [name]
        for least, most in SIZES.values():
            inside = np.array([each["agreement"] for each in prompts if least <= each["side"] < most])
            cells.append(f"{inside.mean():.3f}, worst {inside.min():.2f} ({len(inside)})")
        yield "| " + " | ".join(cells) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--files", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", nargs="*", help="methods by name, with their bits")
    parser.add_argument("--quick", action="store_true", help="a first look, on some slices of each set")
    parser.add_argument("--also", type=Path, nargs="*", default=[], help="weights files made otherwise")
    given = parser.parse_args()
    table = json.loads(given.out.read_text()) if given.out.is_file() else {}
    given.files.mkdir(parents=True, exist_ok=True)
    wanted = {name: given.files / f"{name}.safetensors" for name in (ROWS if given.only is None else given.only)}
    for name, path in wanted.items():
        if not path.is_file():
            quantized(ROWS[name], given.data, path)
    wanted |= {path.stem: path for path in given.also}
    missing = {name: path for name, path in wanted.items() if name not in table}
    if missing:
        sets = dict(prompt_sets(given.data))
        full = reference(sets, given.files / "full precision.pickle")
        for name in list(sets):
            other = name.startswith("other")
            if other:  # where full precision fails, little is told
                sets[name], full[name] = sets[name].right_alone(full[name], RIGHT)
            if given.quick:
                sets[name], full[name] = sets[name].few_slices(full[name], QUICK[name], fullest=not other)
        for name, path in missing.items():
            table[name] = measured(path, sets, full)
            given.out.write_text(json.dumps(table, indent=1))
    shown = {name: table[name] for name in wanted}
    print("\n".join([*markdown(shown), "", *by_size(shown)]))


if __name__ == "__main__":
    main()
