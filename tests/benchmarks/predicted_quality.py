"""Whether a quantized model's predicted quality tells where full precision disagrees, beside its stability score.

    python tests/benchmarks/predicted_quality.py --cases cases.csv --weights lite-4bit.safetensors lite-2bit.safetensors

``cases.csv`` is a manifest as ``pqcomq cohort`` reads it. In torch, which alone runs the decoder's quality head.
"""
# ruff: noqa: E402

from __future__ import annotations

import argparse
from pathlib import Path

from pqcomq.cpu_settings import apply_cpu_settings

apply_cpu_settings()  # the process is its own; before torch is imported

import numpy as np

from pqcomq.cohort.cases.find_cases import find_cases
from pqcomq.cohort.cases.read_case import volume_of
from pqcomq.cohort.scoring.truth_boxes import slice_prompts
from pqcomq.cohort.settings import CohortProtocol
from pqcomq.cohort.statistics.doubt_statistics import area_under_roc
from pqcomq.comparison.measures.metrics import dice
from pqcomq.masks.read_masks import read_masks
from pqcomq.models.registry import load_model
from pqcomq.models.segmenter import Segmenter
from pqcomq.models.slice_prompt import SlicePrompt
from pqcomq.models.transforms import prompt_tensors
from pqcomq.quantization.files.weights_file import load_weights
from pqcomq.segmentation.doubt import stability_score
from pqcomq.volumes.intensity_window import eight_bit

FULL = "full precision"


def answers(model: Segmenter, pixels: np.ndarray, boxes: list[np.ndarray]) -> list[tuple[np.ndarray, float, float]]:
    """Mask (256, 256), stability score and predicted quality of each box on a slice (H, W)."""
    told: list[float] = []
    hook = model.mask_decoder.register_forward_hook(
        lambda _decoder, _given, out: told.append(float(out[1].flatten()[0]))
    )
    features = model.embed(model.transforms.image(pixels))
    found = []
    for box in boxes:
        asked = prompt_tensors(model.transforms, SlicePrompt(box[None]), pixels.shape)
        logits = model.logits(features, *asked)[0, 0]  # (256, 256)
        found.append(((logits > 0).numpy(), stability_score(logits), told[-1]))
    hook.remove()
    return found


def main() -> None:
    """Print the areas under the curves."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=Path, required=True)
    parser.add_argument("--weights", type=Path, nargs="+", required=True)
    parser.add_argument("--most-slices", type=int, default=5, help="a label")
    parser.add_argument("--least-voxels", type=int, default=50, help="of a label, to be asked for")
    asked = parser.parse_args()
    quantized = {path.stem: load_weights(path).segmenter for path in asked.weights}
    models = {FULL: load_model(next(iter(quantized.values())).key, None), **quantized}
    protocol = CohortProtocol(most_slices=asked.most_slices, protocols=("slice",))
    rows: dict[str, list[tuple[float, float, float]]] = {name: [] for name in quantized}
    for case in find_cases(asked.cases).cases:
        volume = volume_of(case, None)
        pixels, labels = eight_bit(volume, None), read_masks(case.labels, volume)
        boxes: dict[int, list[np.ndarray]] = {}
        for label in labels.names:
            if (truth := labels.mask(label)).sum() >= asked.least_voxels:
                for prompt in slice_prompts(truth, label, case.name, protocol):
                    boxes.setdefault(prompt.z, []).append(np.asarray(prompt.box, np.float32))
        for z, here in boxes.items():
            told = {name: answers(model, pixels[z], here) for name, model in models.items()}
            for name in quantized:
                for (expected, *_), (mask, stability, quality) in zip(told[FULL], told[name], strict=True):
                    rows[name].append((dice(expected, mask), stability, quality))
        print(f"{case.name}: {len(rows[next(iter(rows))])} prompts so far", flush=True)
    for name, values in rows.items():
        agreement, stability, quality = np.array(values).T
        for least in (0.9, 0.95):
            disagrees = agreement < least
            areas = [area_under_roc(1 - score, disagrees) for score in (stability, quality)]
            told = "stability score {:.3f}, predicted quality {:.3f}".format(*areas)
            print(f"{name}: {disagrees.sum()} of {len(values)} agree less than {least}; {told}")


if __name__ == "__main__":
    main()
