"""Whether CUDA computes what the processor does, how fast, in how much memory, and what happens when that runs out.

    python tests/devices/check_cuda.py [--weights FILE] [--slices 3]

Without a CUDA device nothing is checked: one sentence says why, and the status is 77, as test runners take for skipped.
Status 1: something failed. Every figure is printed with the device's name.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from pqcomq.backends.runtime import Runtime
from pqcomq.backends.torch_device import device_name, device_obstacle, on_device
from pqcomq.comparison.measures.metrics import dice
from pqcomq.errors import InputError
from pqcomq.models.registry import load_model
from pqcomq.models.segmenter import Segmenter
from pqcomq.quantization.files.weights_file import load_weights
from pqcomq.quantization.quantized_model import QuantizedModel
from pqcomq.samples.synthetic_ct import synthetic_ct
from pqcomq.volumes.intensity_window import eight_bit

SKIPPED = 77
LEAST = {Runtime.torch_cuda: 0.999, Runtime.torch_cuda_packed: 0.999, Runtime.torch_cuda_half: 0.99}
"""Agreement with the processor in FP32: the mean Dice between masks."""


@dataclass(frozen=True)
class Found:
    """What one model did in one way.

    Attributes:
        title: precision and device.
        agreement: mean Dice with the processor's masks.
        encoder_ms: median.
        memory_mb: most that was allocated on the device; None where that is not known.
        least: agreement asked for.
    """

    title: str
    agreement: float
    encoder_ms: float
    memory_mb: float | None
    least: float

    @property
    def passes(self) -> bool:
        """Whether the masks agree."""
        return self.agreement >= self.least

    def __str__(self) -> str:
        memory = "" if self.memory_mb is None else f", at most {self.memory_mb:.0f} MB on the device"
        verdict = "passes" if self.passes else f"FAILS, {self.least} was asked for"
        agreement = f"Dice with the processor {self.agreement:.4f} ({verdict})"
        return f"{self.title}: {agreement}, encoder {self.encoder_ms:.1f} ms{memory}"


def prompts(slices: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Slices of the synthetic CT, (H, W) uint8 each, with a box round an organ, (4,) each."""
    sample = synthetic_ct()
    shown = eight_bit(sample.volume)
    found = []
    for label in sample.names:
        inside = sample.labels == label
        z = int(inside.sum(axis=(1, 2)).argmax())
        rows, columns = np.nonzero(inside[z])
        box = np.array([columns.min() - 2, rows.min() - 2, columns.max() + 3, rows.max() + 3], dtype=float)
        found.append((shown[z], box))
    return found[:slices]


def checked(
    model: Segmenter | QuantizedModel,
    runtime: Runtime,
    device: torch.device,
    asked: Sequence[tuple[np.ndarray, np.ndarray]],
) -> Found:
    """One model on a device, held against itself on the processor."""
    on_processor = model.segmenter if isinstance(model, QuantizedModel) else model
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    there = on_device(model, runtime, device)
    if there.execution.setting != runtime.value:
        raise InputError(there.execution.why)
    scores, times = [], []
    for pixels, box in asked:
        masks = [each.decode(each.encode(pixels), box)[0] for each in (on_processor, there)]
        scores.append(dice(*masks))
        began = time.perf_counter()
        there.encode(pixels)
        times.append((time.perf_counter() - began) * 1e3)
    memory = torch.cuda.max_memory_allocated(device) / 1e6 if device.type == "cuda" else None
    title = f"{there.precision}, weights {there.execution.weights}"
    return Found(title, statistics.fmean(scores), statistics.median(times), memory, LEAST[runtime])


class Full(nn.Module):
    """A network for which a device has no memory."""

    def forward(self, *_given: object, **_named: object) -> None:
        """Raise what torch raises."""
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")


def gives_way(full: Segmenter, device: torch.device) -> str:
    """What is told when the device's memory is too small from the start.

    Raises:
        InputError: the processor did not take over, or nothing is told.
    """
    made = on_device(replace(full, image_encoder=Full()), Runtime.torch_cuda, device)
    if made.execution.setting != Runtime.torch.value or not made.execution.why:
        raise InputError("a model that does not fit the device did not give way to the processor")
    return made.execution.why


def main(arguments: Sequence[str] | None = None, device: torch.device | None = None) -> int:
    """Run all checks; on another device than CUDA only in tests."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--slices", type=int, default=3)
    parser.add_argument("--ways", nargs="+", type=Runtime, default=list(LEAST), help="runtimes to check")
    asked = parser.parse_args(arguments)
    if device is None:
        problem = device_obstacle("cuda")
        if problem is not None:
            print(f"Skipped: {problem}.")
            return SKIPPED
        device = torch.device("cuda")
    print(f"{device_name(device)}, torch {torch.__version__}")
    full = load_model("lite-medsam")
    ways: list[tuple[Segmenter | QuantizedModel, Runtime]] = [(full, each) for each in asked.ways if not each.packs]
    if asked.weights is not None:
        ways += [(load_weights(asked.weights), runtime) for runtime in asked.ways]
    given, good = prompts(asked.slices), True
    for model, runtime in ways:
        found = checked(model, runtime, device, given)
        print(found)
        good = good and found.passes
    print(f"Out of memory: {gives_way(full, device)}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
