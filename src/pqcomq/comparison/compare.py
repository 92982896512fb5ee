"""Two models on the same slices and prompts, side by side."""

from __future__ import annotations

from collections.abc import Generator
from itertools import zip_longest

import numpy as np

from pqcomq.comparison.compared_model import ComparedModel
from pqcomq.comparison.environment import Environment
from pqcomq.comparison.latency import Latency
from pqcomq.comparison.metrics import dice, scores
from pqcomq.comparison.peak_memory import PeakMemory, watching_memory
from pqcomq.comparison.result import Comparison, Side
from pqcomq.comparison.slice_scores import SliceScores
from pqcomq.errors import InputError
from pqcomq.progress import Progress, Stopwatch
from pqcomq.segmentation.box import Box3D
from pqcomq.segmentation.embedding_cache import EmbeddingCache
from pqcomq.segmentation.propagation import PromptMode, segment_slices
from pqcomq.segmentation.slice_runner import SliceRunner
from pqcomq.volumes.intensity_window import Window, default_window, eight_bit
from pqcomq.volumes.volume import Volume


def compare(
    volume: Volume,
    box: Box3D,
    reference: ComparedModel,
    candidate: ComparedModel,
    *,
    mode: PromptMode = "propagate",
    window: Window | None = None,
    truth: np.ndarray | None = None,
    cache: EmbeddingCache | None = None,
) -> Generator[Progress, None, Comparison]:
    """Segment a box with two models, slice by slice in turn, and score the result.

    The models take turns on every slice, so that a machine that slows down or speeds up does so for both.

    Args:
        volume: what is segmented.
        box: the prompt; scores are over its slices.
        reference: full precision.
        candidate: the model judged against it.
        mode: with ``propagate`` each model makes its own prompts from its own masks, as in use, so that small
            differences may grow; ``same`` gives both models the user's box on every slice.
        window: by default the modality's own.
        truth: (z, y, x) bool, ground truth; gives each side an accuracy beside their agreement.
        cache: embeddings to reuse.

    Yields:
        :class:`Progress` after every slice of every side.

    Returns:
        The :class:`Comparison` (a generator's return value).

    Raises:
        InputError: the box lies outside, or the truth is on another grid.
    """
    box = box.checked(volume.grid.shape_zyx)
    if truth is not None and truth.shape != volume.grid.shape_zyx:
        raise InputError(f"ground truth of shape {truth.shape} does not fit the volume's {volume.grid.shape_zyx}")
    chosen = window or default_window(volume.modality, volume.voxels)
    pixels = eight_bit(volume, chosen)
    shared = EmbeddingCache() if cache is None else cache
    compared_models = (reference, candidate)
    runners = [SliceRunner(each.segmenter, volume, chosen, shared, pixels) for each in compared_models]
    memories = [_warmed_up(runner, box) for runner in runners]
    masks = [np.zeros(volume.grid.shape_zyx, dtype=bool) for _ in runners]
    watch = Stopwatch(len(runners) * len(box.slices))
    passes = [segment_slices(runner, box, mode, mask) for runner, mask in zip(runners, masks, strict=True)]
    for turn in zip_longest(*passes):
        for z, runner in zip(turn, runners, strict=True):
            yield watch.step(f"slice {z}, {runner.segmenter.precision}")
    sides = tuple(
        _side(compared_model, runner, memory, mask, truth, box, volume)
        for compared_model, runner, memory, mask in zip(compared_models, runners, memories, masks, strict=True)
    )
    inside = slice(box.z0, box.z1 + 1)
    return Comparison(
        volume_name=volume.name,
        volume_sha256=volume.sha256,
        box=box,
        mode=mode,
        window=chosen,
        reference=sides[0],
        candidate=sides[1],
        agreement=scores(masks[0][inside], masks[1][inside], volume.grid.spacing_zyx),
        slices=tuple(_slice_scores(z, masks, truth) for z in box.slices),
        environment=Environment.here(),
    )


def _warmed_up(runner: SliceRunner, box: Box3D) -> PeakMemory:
    """The pass that is not timed; the memory that it takes is that of any pass."""
    with watching_memory() as memory:
        runner.warm_up(box.middle, box.xyxy)
    return memory


def _side(
    compared_model: ComparedModel,
    runner: SliceRunner,
    memory: PeakMemory,
    mask: np.ndarray,
    truth: np.ndarray | None,
    box: Box3D,
    volume: Volume,
) -> Side:
    inside = slice(box.z0, box.z1 + 1)
    accuracy = None if truth is None else scores(truth[inside], mask[inside], volume.grid.spacing_zyx)
    segmenter = compared_model.segmenter
    return Side(
        model=segmenter.title,
        precision=segmenter.precision,
        mask=mask,
        volume_ml=float(np.count_nonzero(mask)) * volume.grid.voxel_millilitres,
        encoder=Latency.of(list(runner.encoder_ms.values())),
        decoder=Latency.of(runner.decoder_ms),
        peak_memory_bytes=memory.peak_bytes,
        working_memory_bytes=memory.rise_bytes,
        file_bytes=compared_model.file_bytes,
        effective_bits=compared_model.effective_bits,
        simulated=compared_model.simulated,
        execution=segmenter.execution,
        accuracy=accuracy,
    )


def _slice_scores(z: int, masks: list[np.ndarray], truth: np.ndarray | None) -> SliceScores:
    def against_truth(mask: np.ndarray) -> float | None:
        return None if truth is None else dice(truth[z], mask[z])

    return SliceScores(z, dice(masks[0][z], masks[1][z]), against_truth(masks[0]), against_truth(masks[1]))
