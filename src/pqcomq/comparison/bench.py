"""Speed, accuracy and size of several settings on one machine, in one run."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from pqcomq.comparison.as_published import published_encoder
from pqcomq.comparison.evaluate import Evaluation, ModelSummary, Protocol, evaluate
from pqcomq.comparison.latency import Latency
from pqcomq.comparison.participant import Participant
from pqcomq.models.segmenter import Segmenter
from pqcomq.progress import Progress
from pqcomq.volumes.volume import Volume
from pqcomq.volumes.window import Window


@dataclass(frozen=True)
class Benchmark:
    """What was found.

    Attributes:
        evaluation: of all settings, which took turns slice by slice; the first is torch, the reference.
        published: latency of the authors' own encoder, in turns with torch's here; None where it was not asked for.
    """

    evaluation: Evaluation
    published: Latency | None

    def encoder_speedup(self, row: ModelSummary, other: ModelSummary) -> float:
        """How many times faster a row's encoder is than another's, by medians."""
        return other.encoder.median_ms / row.encoder.median_ms

    @property
    def full_on_fast_runtime(self) -> ModelSummary | None:
        """Full precision on the fast runtime in float32, None where there is none."""
        rows = [row for row in self.evaluation.summaries[1:] if row.effective_bits == 32]
        return next((row for row in rows if row.execution.activations == "FP32"), None)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "encoder_as_published_in_torch": None if self.published is None else self.published.to_dict(),
            **self.evaluation.to_dict(),
        }


def bench(
    volume: Volume,
    labels: np.ndarray,
    chosen: Sequence[int],
    participants: Sequence[Participant],
    *,
    protocol: Protocol,
    published_passes: int,
    window: Window | None = None,
) -> Generator[Progress, None, Benchmark]:
    """Evaluate all settings, then time the authors' own encoder beside the first.

    Args:
        volume: to segment.
        labels: (z, y, x) ground truth on the volume's LPS grid.
        chosen: label numbers.
        participants: settings; the first is full precision in torch.
        protocol: of the prompts.
        published_passes: of the authors' own encoder, 0 for none.
        window: by default the modality's own.

    Yields:
        :class:`Progress` after every prompt of every setting.

    Returns:
        The :class:`Benchmark` (a generator's return value).

    Raises:
        InputError: as :func:`evaluate`.
    """
    evaluation = yield from evaluate(volume, labels, chosen, participants, protocol=protocol, window=window)
    published = _published(participants[0].segmenter, published_passes) if published_passes else None
    return Benchmark(evaluation, published)


def _published(segmenter: Segmenter, passes: int) -> Latency:
    """Milliseconds of the authors' encoder, the first pass left out."""
    with published_encoder(segmenter.key, torch.get_num_threads()) as encoder:
        encoder.milliseconds()
        return Latency.of([encoder.milliseconds() for _ in range(passes)])
