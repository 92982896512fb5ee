"""Speed, accuracy and size of several settings on one machine, in one run."""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from pqcomq.backends.runtime import Runtime
from pqcomq.backends.streams import StreamedEncoder
from pqcomq.comparison.compared_model import ComparedModel
from pqcomq.comparison.evaluate import Evaluation, ModelSummary, Protocol, evaluate
from pqcomq.comparison.measures.latency import Latency
from pqcomq.comparison.published_baseline import published_encoder
from pqcomq.models.segmenter import Segmenter
from pqcomq.progress import Progress, Stopwatch, translated
from pqcomq.volumes.intensity_window import Window
from pqcomq.volumes.volume import Volume

BOXES = 5
"""Decoded in one batch."""

_ROUNDS = 7

_SLICES_A_THREAD = 3


@dataclass(frozen=True)
class Benchmark:
    """What was found.

    Attributes:
        evaluation: of all settings, which took turns slice by slice; the first is torch, the reference.
        batches: for each setting, latency of decoding :data:`BOXES` boxes at once.
        rates: for each setting, slices of a volume encoded in a second: one a thread where the runtime can.
        published: latency of the authors' own encoder in torch; None where it was not asked for.
    """

    evaluation: Evaluation
    batches: tuple[Latency, ...]
    rates: tuple[float, ...]
    published: Latency | None

    def encoder_speedup(self, row: ModelSummary, other: ModelSummary) -> float:
        """How many times faster a row's encoder is than another's, by medians."""
        return other.encoder.median_ms / row.encoder.median_ms

    def encoder_gain(self, row: ModelSummary, other: ModelSummary | None) -> float | None:
        """The same; None where there is nothing to hold it against, or low bits are simulated and gain nothing."""
        return None if other is None or row.simulated else self.encoder_speedup(row, other)

    def decoder_gain(self, row: ModelSummary) -> float | None:
        """How many times faster a row's decoder is than torch's; None where low bits are simulated and gain nothing."""
        first = self.evaluation.summaries[0]
        return None if row.simulated else first.decoder.median_ms / row.decoder.median_ms

    @property
    def fastest_unquantized(self) -> ModelSummary:
        """What a quantized model has to beat on this machine, in whatever floating-point type that is."""
        rows = [row for row in self.evaluation.summaries if row.effective_bits == 32]
        return min(rows, key=lambda row: row.encoder.median_ms)

    @property
    def full_on_fast_runtime(self) -> ModelSummary | None:
        """Full precision on the fast runtime in float32, None where there is none."""
        rows = [row for row in self.evaluation.summaries[1:] if row.effective_bits == 32]
        return next((row for row in rows if row.execution.activations == "FP32"), None)

    def _speedups(self, row: ModelSummary) -> dict[str, Any]:
        """A row's ratios, JSON-ready; simulated low bits have none."""
        first, here = self.evaluation.summaries[0], self.full_on_fast_runtime
        return {
            "setting": row.precision,
            "encoder_against_fp32_in_torch": self.encoder_gain(row, first),
            "encoder_against_fp32_on_the_fast_runtime": self.encoder_gain(row, here),
            "encoder_against_the_fastest_unquantized": self.encoder_gain(row, self.fastest_unquantized),
            "decoder_against_fp32_in_torch": self.decoder_gain(row),
        }

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "encoder_as_published_in_torch": None if self.published is None else self.published.to_dict(),
            "fastest_unquantized": self.fastest_unquantized.precision,
            "speedups": [self._speedups(row) for row in self.evaluation.summaries],
            "slices_of_a_volume_per_second": list(self.rates),
            "decoder_boxes_at_once": BOXES,
            "decoder_of_boxes_at_once": [each.to_dict() for each in self.batches],
            **self.evaluation.to_dict(),
        }


def bench(
    volume: Volume,
    labels: np.ndarray,
    chosen: Sequence[int],
    compared_models: Sequence[ComparedModel],
    *,
    protocol: Protocol,
    published_passes: int,
    window: Window | None = None,
) -> Generator[Progress, None, Benchmark]:
    """Evaluate all settings, then time their decoders on several boxes, and the authors' own encoder.

    Args:
        volume: to segment.
        labels: (z, y, x) ground truth on the volume's LPS grid.
        chosen: label numbers.
        compared_models: settings; the first is full precision in torch.
        protocol: of the prompts.
        published_passes: of the authors' own encoder, 0 for none.
        window: by default the modality's own.

    Yields:
        :class:`Progress` after every prompt of every setting and every pass that is only timed.

    Returns:
        The :class:`Benchmark` (a generator's return value).

    Raises:
        InputError: as :func:`evaluate`.
    """
    work = evaluate(volume, labels, chosen, compared_models, protocol=protocol, window=window)
    # The first of the published passes is not counted.
    timed = 1 + len(compared_models) + (published_passes and published_passes + 1)
    watch = Stopwatch()

    def told(progress: Progress) -> Progress:
        watch.total = progress.total + timed
        return watch.step(progress.text)

    evaluation = yield from translated(work, told)
    batches = _batches([each.segmenter for each in compared_models])
    yield watch.step(f"{BOXES} boxes at once")
    rates = []
    for each in compared_models:
        rates.append(_slices_a_second(each))
        yield watch.step(f"slices of a volume, {each.segmenter.precision}")
    published = None
    if published_passes:
        published = yield from _published(compared_models[0].segmenter, published_passes, watch)
    return Benchmark(evaluation, batches, tuple(rates), published)


def _batches(segmenters: Sequence[Segmenter]) -> tuple[Latency, ...]:
    """Milliseconds of decoding several boxes on one slice, the settings in turns, a first round left out."""
    side = segmenters[0].transforms.side
    corners = torch.arange(BOXES) * side / (2 * BOXES)
    boxes = torch.stack([corners, corners, corners + side / 2, corners + side / 2], dim=1)[:, None]  # (B, 1, 4)
    features = torch.zeros(1, 256, 64, 64)
    rounds = [[_milliseconds(each, features, boxes) for each in segmenters] for _ in range(_ROUNDS + 1)]
    return tuple(Latency.of(times) for times in zip(*rounds[1:], strict=True))


def _slices_a_second(model: ComparedModel) -> float:
    """Slices encoded in a second where many wait, the first round of them left out."""
    segmenter = model.segmenter
    side = segmenter.transforms.side
    images = [torch.rand(1, 3, side, side) for _ in range(_SLICES_A_THREAD * torch.get_num_threads())]
    runtime = Runtime(segmenter.execution.setting)
    if not runtime.on_openvino:
        each = [_encoder_milliseconds(segmenter, image) for image in images[:_SLICES_A_THREAD]]
        return 1e3 / Latency.of(each).median_ms
    encoder = StreamedEncoder(model.weights or model.in_torch or segmenter, runtime)
    encoder.encode(images[: torch.get_num_threads()])
    began = time.perf_counter()
    encoder.encode(images)
    return len(images) / (time.perf_counter() - began)


def _encoder_milliseconds(segmenter: Segmenter, image: torch.Tensor) -> float:
    began = time.perf_counter()
    segmenter.embed(image)
    return (time.perf_counter() - began) * 1e3


def _milliseconds(segmenter: Segmenter, features: torch.Tensor, boxes: torch.Tensor) -> float:
    began = time.perf_counter()
    segmenter.logits(features, boxes)
    return (time.perf_counter() - began) * 1e3


def _published(segmenter: Segmenter, passes: int, watch: Stopwatch) -> Generator[Progress, None, Latency]:
    """Milliseconds of the authors' encoder, the first pass left out."""
    each: list[float] = []
    with published_encoder(segmenter.key, torch.get_num_threads()) as encoder:
        for number in range(passes + 1):
            each.append(encoder.milliseconds())
            yield watch.step(f"authors' own code, pass {number + 1}")
    return Latency.of(each[1:])
