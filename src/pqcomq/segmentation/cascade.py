"""Small first, big when in doubt: the quantized model answers, and full precision is asked where it is unsure."""

from __future__ import annotations

import numpy as np

from pqcomq.models.segmenter import Segmenter
from pqcomq.models.slice_prompt import SlicePrompt
from pqcomq.segmentation.embedding_cache import EmbeddingCache
from pqcomq.segmentation.slice_runner import SliceRunner
from pqcomq.volumes.intensity_window import EightBitSlices, Window
from pqcomq.volumes.volume import Volume


class CascadeRunner(SliceRunner):
    """Runs the quantized model on every slice, and full precision on those where its stability score is low.

    Latencies are those of the quantized model; full precision's are its own runner's, and :attr:`seconds` has both.

    Attributes:
        full: the other runner, on the same volume.
        threshold: stability score below which full precision is asked, 0 to 1.
        sent: slices that it was asked about, in the order of the prompts.
    """

    def __init__(
        self,
        small: Segmenter,
        full: Segmenter,
        threshold: float,
        volume: Volume,
        window: Window | None = None,
        cache: EmbeddingCache | None = None,
    ) -> None:
        """Window the volume for both.

        Args:
            small: the quantized model.
            full: full precision.
            threshold: from 0 (never) to 1 (nearly always).
            volume: what they run on.
            window: by default the modality's own.
            cache: to share between runs; by default one of its own.
        """
        pixels = EightBitSlices(volume, window)
        shared = EmbeddingCache() if cache is None else cache  # one limit of memory for both
        super().__init__(small, volume, window, shared, pixels)
        self.full = SliceRunner(full, volume, window, shared, pixels)
        self.threshold = threshold
        self.sent: list[int] = []

    @property
    def seconds(self) -> tuple[float, float]:
        """What the networks took so far, the quantized model's and full precision's; see :class:`.SliceRunner`."""
        small, full = (sum(each.encoder_ms.values()) + sum(each.decoder_ms) for each in (self, self.full))
        return small / 1e3, full / 1e3

    def segment(self, z: int, prompt: np.ndarray | SlicePrompt) -> np.ndarray:
        """The mask of what a prompt asks for on slice ``z``, by whichever model is sure of it; (H, W) bool."""
        mask = super().segment(z, prompt)
        if self.stability[z] < self.threshold:
            self.sent.append(z)
            return self.full.segment(z, prompt)
        return mask
