"""Method × bits → layer error, Dice against FP32 and against ground truth, effective bits, seconds; in one run.

    python tests/benchmarks/ablation.py --calibration CT1 CT2 --volume CT --labels LABELS --chosen 1,2,3,5,6,7 \\
        --out table.json

NNCF's weight compression is among the rows where ``nncf`` and ``openvino`` are installed. Rows that are
in the output file already are not measured again. Every row quantizes the same network on the
same slices in this process; seconds are comparable within one run only.
"""
# ruff: noqa: E402

from __future__ import annotations

import argparse
import copy
import importlib.util
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Any

from pqcomq.cpu_settings import apply_cpu_settings

apply_cpu_settings()  # the process is its own; before torch is imported

import torch
from nncf_weights import nncf_results

from pqcomq.comparison.compared_model import ComparedModel
from pqcomq.comparison.evaluate import evaluate
from pqcomq.models.registry import load_model
from pqcomq.models.segmenter import Segmenter
from pqcomq.progress import finished
from pqcomq.quantization.algorithm.config import QuantizationConfig
from pqcomq.quantization.algorithm.gram import InputGram, PassGrams, quantizable_layers, weight_matrix
from pqcomq.quantization.algorithm.output_error import relative_error
from pqcomq.quantization.calibration.slices import Calibration, calibrate_on, spread_slices
from pqcomq.quantization.planning.presets import default_config
from pqcomq.quantization.quantize_model import quantize_model
from pqcomq.volumes.intensity_window import eight_bit
from pqcomq.volumes.labels.label_maps import read_labels
from pqcomq.volumes.volume import Volume
from pqcomq.volumes.volume_reader import read_volume

TOGETHER = 5
"""Models that are evaluated at once, beside one run of full precision, before rows are written."""

EMBEDDED = 4
"""Slices of each volume whose embeddings are compared."""

COLUMNS = ("method", "bits", "effective bits", "layer error", "seconds")


@dataclass(frozen=True)
class Made:
    """A quantized model as a row needs it."""

    segmenter: Segmenter
    effective_bits: float
    seconds: float


def ways(bits: int) -> dict[str, QuantizationConfig]:
    """The family; the mask decoder stays in full precision up to "+ coarse scales".

    A row that begins with + is the one above it with one thing more, one that begins with − the default with one less.
    The default is "+ coarse scales" with the mask decoder within the same budget.
    """
    plain = QuantizationConfig.plain(bits)
    channel = replace(plain, granularity="channel")
    comq = replace(default_config("lite-medsam", bits, "comq"), decoder=False)
    gptq = replace(comq, sweeps=0, order="cyclic", search_clipping=False, feedback=True)
    permuted = replace(comq, method="pcomq", permutation="magnitude")
    fed = replace(permuted, feedback=True)
    real = replace(fed, zero_point="real")
    seeing = replace(real, inputs="quantized")
    varied = replace(seeing, tones="varied")
    rows = {
        "RTN, channel": channel,
        "COMQ as published (channel, greedy)": replace(comq, granularity="channel"),
        "COMQ, channel, cyclic": replace(comq, granularity="channel", order="cyclic"),
        "GPTQ's update, channel": replace(gptq, granularity="channel"),
        "RTN, group 64": plain,
        "COMQ, group 64": comq,
        "GPTQ's update, group 64": gptq,
        "P-COMQ as published, group 64": permuted,
        "+ error feedback": fed,
        "+ real zero-points": real,
        "+ inputs of the quantized model": seeing,
        "+ varied tones": varied,
    }
    default = default_config("lite-medsam", bits)
    if bits < 8:
        rows |= {
            "+ mixed widths": replace(varied, budget=default.budget),
            "+ coarse scales": replace(varied, budget=default.budget, scales="coarse"),
            "− permutation": replace(default, permutation="none"),
            "− clipping search": replace(default, search_clipping=False),
            "− error feedback": replace(default, feedback=False),
            "− inputs of the quantized model": replace(default, inputs="full"),
            "− varied tones": replace(default, tones="own"),
            "− mixed widths": replace(default, budget=None),
            "group 16": replace(default, budget=None, group_size=16),
            "group 32": replace(default, budget=None, group_size=32),
            "group 128": replace(default, budget=None, group_size=128),
        }
    return rows | {"default": default}


def made_by(full: Segmenter, calibration: Calibration, settings: QuantizationConfig) -> Made:
    began = time.perf_counter()
    model = finished(quantize_model(full, calibration, settings))
    return Made(model.segmenter, model.effective_bits, time.perf_counter() - began)


def input_moments(full: Segmenter, calibration: Calibration) -> dict[str, InputGram]:
    """Of every encoder layer in full precision."""
    watching = PassGrams(quantizable_layers(full.image_encoder))
    try:
        return watching.of(lambda: [full.embed(full.transforms.image(pixels)) for pixels in calibration.slices])
    finally:
        watching.end()


def layer_error(full: Segmenter, low: Segmenter, grams: dict[str, InputGram]) -> float:
    """Mean over encoder layers of the output energy lost on full-precision inputs: one definition for every method."""
    lows = quantizable_layers(low.image_encoder)
    return fmean(
        relative_error(weight_matrix(layer), weight_matrix(lows[name]), grams[name].gram)
        for name, layer in quantizable_layers(full.image_encoder).items()
    )


def embedding_error(full: Segmenter, low: Segmenter, volume: Volume) -> float:
    """Mean relative squared error of the embeddings of slices spread over a volume."""
    shown = eight_bit(volume)
    errors = []
    for z in spread_slices(shown, EMBEDDED, volume.name):
        wanted, reached = full.encode(shown[z]).features, low.encode(shown[z]).features
        errors.append(float((wanted - reached).square().sum() / wanted.square().sum()))
    return fmean(errors)


def by_nncf(full: Segmenter, calibration: Calibration, bits: int) -> dict[str, Callable[[], Made]]:
    """NNCF's weight compression with its data-aware options; it has no 2-bit mode."""
    if not all(importlib.util.find_spec(name) for name in ("nncf", "openvino")):
        print("nncf or openvino is not installed: no rows of NNCF")
        return {}
    images = [full.transforms.image(pixels) for pixels in calibration.slices]

    def one(options: dict[str, object]) -> Made:
        began = time.perf_counter()
        weights, effective = nncf_results(full.image_encoder, images, bits, options)
        seconds = time.perf_counter() - began
        encoder = copy.deepcopy(full.image_encoder)
        for name, layer in quantizable_layers(encoder).items():
            if name in weights:
                layer.weight.data = torch.from_numpy(weights[name]).view_as(layer.weight)
        low = replace(full, image_encoder=encoder, precision="NNCF", fingerprint=f"nncf {bits} {options}")
        return Made(low, effective, seconds)

    if bits == 8:
        return {"NNCF INT8_ASYM": lambda: one({})}
    aware = {"awq": True, "scale_estimation": True}
    return {
        "NNCF INT4_ASYM, group 64, AWQ + scale estimation": lambda: one(aware),
        "NNCF INT4_ASYM, group 64, GPTQ + scale estimation": lambda: one({"gptq": True, "scale_estimation": True}),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calibration", type=Path, nargs="+", required=True)
    parser.add_argument("--volume", type=Path, action="append", required=True, help="may be repeated")
    parser.add_argument("--labels", type=Path, action="append", required=True, help="one for each volume")
    parser.add_argument("--chosen", action="append", required=True, help="label numbers for each volume: 1,2,3")
    parser.add_argument("--bits", type=int, nargs="+", default=[8, 4, 2])
    parser.add_argument("--slices", type=int, default=8)
    parser.add_argument("--only", nargs="+", help="rows by name")
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    full = load_model("lite-medsam")
    calibration = calibrate_on([read_volume(path) for path in given.calibration], given.slices)
    subjects = []
    for volume_path, labels_path, chosen in zip(given.volume, given.labels, given.chosen, strict=True):
        volume = read_volume(volume_path)
        subjects.append((volume, read_labels(labels_path, volume), [int(each) for each in chosen.split(",")]))
    rows = json.loads(given.out.read_text()) if given.out.is_file() else []
    grams = input_moments(full, calibration)
    for bits in given.bits:
        tried = {name: (lambda way=way: made_by(full, calibration, way)) for name, way in ways(bits).items()}
        tried |= by_nncf(full, calibration, bits) if bits > 2 else {}
        done = {row["method"] for row in rows if row["bits"] == bits}
        wanted = [name for name in tried if name not in done and (not given.only or name in given.only)]
        for first in range(0, len(wanted), TOGETHER):
            made = {name: tried[name]() for name in wanted[first : first + TOGETHER]}
            rows += measured(full, made, bits, grams, subjects)
            given.out.write_text(json.dumps(rows, indent=1))
    print("\n".join(_markdown(rows)))


def measured(
    full: Segmenter,
    made: dict[str, Made],
    bits: int,
    grams: dict[str, InputGram],
    subjects: list[tuple[Volume, Volume, list[int]]],
) -> list[dict[str, Any]]:
    """One row for each model."""
    rows: list[dict[str, Any]] = [
        {"method": name, "bits": bits, "effective bits": each.effective_bits}
        | {"layer error": layer_error(full, each.segmenter, grams), "seconds": each.seconds}
        for name, each in made.items()
    ]
    # A fingerprint of its own: embeddings of two methods must never be taken for each other's.
    models = [replace(each.segmenter, fingerprint=f"{bits} {name}") for name, each in made.items()]
    for volume, labels, chosen in subjects:
        sides = [ComparedModel.full(full), *(replace(ComparedModel.full(model), simulated=True) for model in models)]
        reference, *lows = finished(evaluate(volume, labels, chosen, sides)).summaries
        for row, model, low in zip(rows, models, lows, strict=True):
            row[volume.name] = {
                "embedding error": embedding_error(full, model, volume),
                "Dice against ground truth": low.dice,
                "FP32 Dice against ground truth": reference.dice,
                "Dice against FP32": low.agreement,
            }
    for row in rows:
        print(row, flush=True)
    return rows


def _markdown(rows: list[dict[str, Any]]) -> Iterator[str]:
    volumes = [name for name, each in rows[0].items() if isinstance(each, dict)]
    heads = [*COLUMNS]
    for name in volumes:
        heads += [f"{name}: {head}" for head in ("embedding error", "Dice vs truth", "drop, points", "Dice vs FP32")]
    yield "| " + " | ".join(heads) + " |"
    yield "|" + "---|" * len(heads)
    for row in sorted(rows, key=lambda row: -row["bits"]):
        cells = [row["method"], str(row["bits"]), f"{row['effective bits']:.2f}"]
        cells += [f"{row['layer error']:.2e}", f"{row['seconds']:.0f}"]
        for name in volumes:
            each = row[name]
            truth = each["Dice against ground truth"]
            drop = 100 * (each["FP32 Dice against ground truth"] - truth)
            cells += [f"{each['embedding error']:.4f}", f"{truth:.4f}"]
            cells += [f"{drop:+.2f}", f"{each['Dice against FP32']:.4f}"]
        yield "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    main()
