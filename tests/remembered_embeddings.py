"""Spares the tests of what surrounds a model the encoder's passes over slices that it has embedded before.

The same few phantoms go through the same model in hundreds of tests, and a pass takes a second of a test's worker.
What is asked, and of which model, is looked at each time: another image, weights, runtime or rounding is another pass.
"""

from __future__ import annotations

import hashlib
import sys
from collections import OrderedDict

import torch

from pqcomq.models.segmenter import Segmenter

MOST = 96
"""Embeddings of 4 MB that a worker keeps."""
ASKING = ("pqcomq.segmentation.slice_runner", "pqcomq.models.segmenter")
"""Modules whose passes are remembered: quantizing changes weights between its own, and benchmarks time theirs."""

_kept: OrderedDict[tuple[object, ...], torch.Tensor] = OrderedDict()
_embed = Segmenter.embed


def embed(segmenter: Segmenter, image: torch.Tensor) -> torch.Tensor:
    """In the place of ``Segmenter.embed``: (N, 3, side, side) → (N, 256, 64, 64)."""
    if sys._getframe(1).f_globals["__name__"] not in ASKING:
        return _embed(segmenter, image)
    pixels = hashlib.sha256(image.numpy(force=True).tobytes()).digest()
    key = segmenter.key, segmenter.fingerprint, segmenter.execution, segmenter.rounding, tuple(image.shape), pixels
    features = _kept.pop(key, None)
    if features is None:
        features = _embed(segmenter, image)
    _kept[key] = features
    while len(_kept) > MOST:
        _kept.popitem(last=False)
    return features
