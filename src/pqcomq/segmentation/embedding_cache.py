"""Embeddings kept for the next prompt: encoding a slice takes a hundred times longer than decoding a box on it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

from pqcomq.models.execution import Execution
from pqcomq.models.segmenter import Embedding
from pqcomq.volumes.intensity_window import Window
from pqcomq.volumes.volume import Modality


@dataclass(frozen=True)
class EmbeddingKey:
    """All that an embedding depends on.

    Attributes:
        volume_sha256: of the voxels.
        modality: decides with the window how they become 8-bit slices.
        window: None for the modality's own.
        z: slice number.
        model: key of the model, which decides how a slice becomes the network's image.
        fingerprint: of the running weights. One checkpoint may serve two models, as MedSAM's layout is SAM ViT-B's.
        execution: what runs them.
        rounding: of layers' inputs, which weights do not tell: rounded to nearest they are the same whatever they were
            calibrated on.
    """

    volume_sha256: str
    modality: Modality
    window: Window | None
    z: int
    model: str
    fingerprint: str
    execution: Execution
    rounding: str


@dataclass(frozen=True)
class TimedEmbedding:
    """An embedding and what it took to compute, so that a cached one keeps its latency.

    Attributes:
        embedding: of the slice.
        encoder_ms: milliseconds in the image encoder alone, without pre-processing.
    """

    embedding: Embedding
    encoder_ms: float


class EmbeddingCache:
    """The most recently used embeddings, up to a size.

    Attributes:
        limit_bytes: most that is kept; one embedding of either model takes 4 MiB.

    A thread that encodes ahead may share it with one that prompts.
    """

    def __init__(self, limit_bytes: int = 512 * 2**20) -> None:
        self.limit_bytes = limit_bytes
        self._kept: OrderedDict[EmbeddingKey, TimedEmbedding] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: EmbeddingKey) -> TimedEmbedding | None:
        """What is kept under ``key``, now the most recently used."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def put(self, key: EmbeddingKey, entry: TimedEmbedding) -> None:
        """Keep an embedding; the least recently used are dropped to stay within the limit."""
        with self._lock:
            replaced = self._kept.pop(key, None)
            if replaced is not None:
                self._bytes -= replaced.embedding.features.nbytes
            self._kept[key] = entry
            self._bytes += entry.embedding.features.nbytes
            while self._bytes > self.limit_bytes and len(self._kept) > 1:
                _oldest, dropped = self._kept.popitem(last=False)
                self._bytes -= dropped.embedding.features.nbytes
