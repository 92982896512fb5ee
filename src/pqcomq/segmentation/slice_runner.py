"""Runs one model on the slices of one volume and measures its latencies."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import torch

from pqcomq.models.segmenter import Embedding, Segmenter
from pqcomq.models.slice_prompt import SlicePrompt
from pqcomq.models.transforms import prompt_tensors
from pqcomq.segmentation.doubt import stability_score
from pqcomq.segmentation.embedding_cache import EmbeddingCache, EmbeddingKey, TimedEmbedding
from pqcomq.volumes.intensity_window import EightBitSlices, Window
from pqcomq.volumes.volume import Volume


class SliceRunner:
    """Prompts a model on the slices of a volume and measures the latencies.

    Latencies are those of the networks alone, encoder and decoder apart; reading, windowing, resizing and thresholding
    are not in them. An embedding from the cache brings the time that it took when it was computed.

    Attributes:
        segmenter: the model.
        encoder_ms: slice → milliseconds of its encoding.
        encoded_ms: milliseconds of each encoding that was not in the cache, in the order that they were done.
        decoder_ms: milliseconds of each decoding, in the order of the prompts; of all boxes at once where several are.
        stability: slice → stability score of the last mask that :meth:`segment` gave there, see :mod:`.doubt`.
    """

    def __init__(
        self,
        segmenter: Segmenter,
        volume: Volume,
        window: Window | None = None,
        cache: EmbeddingCache | None = None,
        pixels: np.ndarray | EightBitSlices | None = None,
    ) -> None:
        """Window the volume, unless a caller who runs several models on it has done so.

        Args:
            segmenter: the model.
            volume: what it runs on.
            window: by default the modality's own.
            cache: to share between runs; by default one of its own.
            pixels: ``EightBitSlices(volume, window)``, or all of them as an array (z, y, x) uint8.
        """
        self.segmenter = segmenter
        self.encoder_ms: dict[int, float] = {}
        self.encoded_ms: list[float] = []
        self.decoder_ms: list[float] = []
        self.stability: dict[int, float] = {}
        self._encoded_here: set[int] = set()
        self._volume, self._window = volume, window
        self._pixels = EightBitSlices(volume, window) if pixels is None else pixels
        self._cache = EmbeddingCache() if cache is None else cache

    @property
    def slices(self) -> int:
        """Slices in the volume."""
        return len(self._pixels)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of a slice."""
        return self._pixels.shape[1:]

    def warm_up(self, z: int, prompt: np.ndarray | SlicePrompt) -> None:
        """Encode and decode once untimed: the first pass also allocates memory and starts threads."""
        embedding = self.segmenter.encode(self._pixels[z])
        self.segmenter.decode(embedding, prompt)

    def is_cached(self, z: int) -> bool:
        """Whether slice ``z`` needs no encoding."""
        return self._cache.get(self._key(z)) is not None

    def encoded_here(self, z: int) -> bool:
        """Whether this runner encoded slice ``z`` itself, instead of finding it in the cache."""
        return z in self._encoded_here

    def encode(self, z: int, *, again: bool = False) -> float:
        """Encode slice ``z`` unless it is cached, or though it is, and tell the milliseconds that it took."""
        self._embedding(z, again=again)
        return self.encoder_ms[z]

    def encode_ahead(self, z: int, reach: int = 3) -> Iterator[int]:
        """Encode the slices around one that is being looked at, the nearest first, so that a prompt there is answered.

        Args:
            z: slice number.
            reach: how many slices up and down; all of them fit the cache, so that memory stays bounded.

        Yields:
            Each slice's number once it is encoded; the work ends when iteration does.
        """
        for distance in range(reach + 1):
            for near in sorted({z + distance, z - distance}, reverse=True):
                if 0 <= near < self.slices and not self.is_cached(near):
                    self._embedding(near)
                    yield near

    def segment(self, z: int, prompt: np.ndarray | SlicePrompt) -> np.ndarray:
        """The mask of what a prompt asks for on slice ``z``.

        Args:
            z: slice number.
            prompt: a box (4,), x0 y0 x1 y1 in slice pixels, or a single prompt of any kind.

        Returns:
            (H, W) bool.
        """
        logits = self.logits(z, prompt)  # (1, 1, 256, 256)
        self.stability[z] = stability_score(logits[0, 0])
        mask: np.ndarray = self.masks_of(logits)[0]
        return mask

    def logits(self, z: int, prompt: np.ndarray | SlicePrompt) -> torch.Tensor:
        """What the decoder answers to one or more prompts on slice ``z``.

        Args:
            z: slice number.
            prompt: boxes (4,) or (B, 4), x0 y0 x1 y1 in slice pixels, or prompts of any kind.

        Returns:
            (B, 1, 256, 256) logits of the model's low-resolution masks.

        Raises:
            InputError: the model was not trained for prompts of this kind.
        """
        embedding = self._embedding(z)
        asked = prompt_tensors(self.segmenter.transforms, SlicePrompt.of(prompt), self.shape)
        began = time.perf_counter()
        logits = self.segmenter.logits(embedding.features, *asked)  # (B, 1, 256, 256)
        self.decoder_ms.append((time.perf_counter() - began) * 1e3)
        return logits

    def masks_of(self, logits: torch.Tensor) -> np.ndarray:
        """Logits (B, 1, 256, 256) as masks (B, H, W) bool of the slice."""
        return self.segmenter.transforms.masks(logits, self.shape).numpy()

    def _embedding(self, z: int, *, again: bool = False) -> Embedding:
        entry = None if again else self._cache.get(self._key(z))
        if entry is None:
            image = self.segmenter.transforms.image(self._pixels[z])  # (1, 3, side, side)
            began = time.perf_counter()
            features = self.segmenter.embed(image)
            entry = TimedEmbedding(Embedding(features, self.shape), (time.perf_counter() - began) * 1e3)
            self._cache.put(self._key(z), entry)
            self.encoded_ms.append(entry.encoder_ms)
            self._encoded_here.add(z)
        self.encoder_ms[z] = entry.encoder_ms
        return entry.embedding

    def _key(self, z: int) -> EmbeddingKey:
        model, volume = self.segmenter, self._volume
        running = model.key, model.fingerprint, model.execution, model.rounding
        return EmbeddingKey(volume.sha256, volume.modality, self._window, z, *running)
