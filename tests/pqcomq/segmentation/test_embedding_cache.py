from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from pqcomq.models.execution import Execution
from pqcomq.models.segmenter import Embedding
from pqcomq.segmentation.embedding_cache import EmbeddingCache, EmbeddingKey, TimedEmbedding
from pqcomq.segmentation.slice_runner import SliceRunner
from pqcomq.volumes.intensity_window import PRESETS


def entry(kilobytes=1):
    return TimedEmbedding(Embedding(torch.zeros(kilobytes * 256), (8, 8)), 12.0)


def key(z):
    return EmbeddingKey("volume", "CT", None, z, "lite-medsam", "weights", Execution.torch(quantized=False), "")


def test_the_least_recently_used_make_room():
    cache = EmbeddingCache(limit_bytes=3 * 1024)
    for z in range(3):
        cache.put(key(z), entry())
    cache.get(key(0))
    cache.put(key(3), entry())
    assert [cache.get(key(z)) is not None for z in range(4)] == [True, False, True, True]
    cache.put(key(4), entry(10))
    assert len(cache) == 1, "one that is larger than the limit is still kept for the prompt at hand"


def test_putting_the_same_key_twice_counts_once():
    cache = EmbeddingCache(limit_bytes=2 * 1024)
    for _ in range(5):
        cache.put(key(0), entry())
    cache.put(key(1), entry())
    assert len(cache) == 2


def test_windows_models_and_slices_do_not_share_embeddings(lite_medsam, quantized, phantom):
    cache = EmbeddingCache()
    box = np.array([45, 25, 75, 55])
    first = SliceRunner(lite_medsam, phantom, cache=cache)
    mask = first.segment(2, box)
    assert first.is_cached(2)
    assert not first.is_cached(3)
    assert not SliceRunner(lite_medsam, phantom, PRESETS["bone"], cache).is_cached(2)
    assert not SliceRunner(quantized.segmenter, phantom, cache=cache).is_cached(2)
    assert not SliceRunner(lite_medsam, replace(phantom, modality="MR"), cache=cache).is_cached(2), "other grey values"
    other = replace(lite_medsam, key="lite-medsam-scribble")  # of the same checkpoint, as sam-vit-b and medsam may be
    assert not SliceRunner(other, phantom, cache=cache).is_cached(2)
    rounded = replace(lite_medsam, rounding="of another calibration")
    assert not SliceRunner(rounded, phantom, cache=cache).is_cached(2)
    again = SliceRunner(lite_medsam, phantom, cache=cache)
    assert np.array_equal(again.segment(2, box), mask)
    assert again.encoder_ms == first.encoder_ms, "a cached embedding tells the time that it took"


def test_slices_are_encoded_ahead_nearest_first_and_only_once(small_model, phantom):
    cache = EmbeddingCache()
    runner = SliceRunner(small_model, phantom, cache=cache)
    ahead = runner.encode_ahead(5, reach=2)  # the last of six slices
    assert next(ahead) == 5
    ahead.close()
    assert [z for z in range(6) if runner.is_cached(z)] == [5], "no more than was asked for"
    assert list(runner.encode_ahead(5, reach=1)) == [4]
    assert list(runner.encode_ahead(5, reach=1)) == []
