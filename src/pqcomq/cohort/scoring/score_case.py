"""One case: read, prompt every model with its labels' boxes, score what they find.

The models run one after the other, full precision first, each with an embedding cache of its own that holds all slices
which the case needs: a slice is encoded once for all its labels, moved boxes and both protocols. Full precision runs
once, whatever the number of quantized models.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from pqcomq.cohort.cases.case import Case, NotScored
from pqcomq.cohort.cases.case_files import files_sha256
from pqcomq.cohort.cases.read_case import opened
from pqcomq.cohort.scoring.calibrated_here import calibrated_here
from pqcomq.cohort.scoring.loaded_models import FULL_PRECISION, MOVED_BOX, QUANTIZED
from pqcomq.cohort.scoring.score_rows import SLICE_NUMBER_OF_ORGAN, CaseResult, ModelCost, WorstPicture, score_row
from pqcomq.cohort.scoring.truth_boxes import OrganPrompt, SlicePrompt, organ_prompt, slice_prompts
from pqcomq.cohort.settings import CohortSettings
from pqcomq.comparison.compared_model import ComparedModel
from pqcomq.comparison.measures.metrics import Scores, dice, scores
from pqcomq.comparison.measures.peak_memory import watching_memory
from pqcomq.dicom_masks.mask_object import LabelledObjects
from pqcomq.errors import InputError
from pqcomq.segmentation.box import Box3D
from pqcomq.segmentation.box_mask import BoxMask
from pqcomq.segmentation.doubt import doubt_of, moved_prompts
from pqcomq.segmentation.embedding_cache import EmbeddingCache
from pqcomq.segmentation.propagation import segment_slices
from pqcomq.segmentation.slice_runner import SliceRunner
from pqcomq.volumes.intensity_window import EightBitSlices, default_window
from pqcomq.volumes.volume import Volume
from pqcomq.wording import counted

EMBEDDING_BYTES = 4 * 2**20
MOST_CACHED_BYTES = 2 * 2**30
"""512 slices; a case that needs more may encode one again in the whole-organ protocol, and its cost says so."""


def score_case(
    case: Case, settings: CohortSettings, models: Sequence[ComparedModel]
) -> Generator[str, None, CaseResult]:
    """Score one case.

    Args:
        case: which.
        settings: of the cohort.
        models: full precision first.

    Yields:
        What was just done, between pieces of work of a few seconds at most.

    Returns:
        The rows of the case (a generator's return value).

    Raises:
        InputError: image or labels cannot be read, or no label of the case can be scored.
    """
    began = time.perf_counter()
    with watching_memory() as memory:
        named, volume, labels = opened(case, settings)
        read = time.perf_counter() - began
        files = files_sha256(case)
        yield "read"
        work = _Work(named, settings, volume, labels)
        for model in models:
            yield from work.run(model)
    return CaseResult(
        case=case,
        rows=tuple(work.rows),
        not_scored=tuple(work.not_scored),
        costs=tuple(work.costs),
        pictures=tuple(work.worst.values()),
        modality=volume.modality,
        voxels_sha256=volume.sha256,
        files_sha256=files,
        notes=(*volume.notes, *labels.notes, *calibrated_here(volume, models)),
        reading_seconds=read,
        seconds=time.perf_counter() - began,
        peak_memory_bytes=memory.peak_bytes,
    )


@dataclass
class _Kept:
    """Full precision's masks as bits: those of a whole cohort's labels would not fit as bytes."""

    bits: np.ndarray
    shape: tuple[int, ...]

    @classmethod
    def of(cls, mask: np.ndarray) -> _Kept:
        return cls(np.packbits(mask), mask.shape)

    @property
    def mask(self) -> np.ndarray:
        count = int(np.prod(self.shape))
        return np.unpackbits(self.bits, count=count).view(bool).reshape(self.shape)


class _Work:
    """The prompts of a case and what the models make of them."""

    def __init__(self, case: Case, settings: CohortSettings, volume: Volume, labels: LabelledObjects) -> None:
        self.rows: list[dict[str, Any]] = []
        self.costs: list[ModelCost] = []
        self.not_scored: list[NotScored] = []
        self.worst: dict[str, WorstPicture] = {}
        self._case = case
        self._protocol, self._volume, self._labels = settings.protocol, volume, labels
        self._window = case.window or settings.window or default_window(volume.modality, volume.voxels)
        self._pixels = EightBitSlices(volume, self._window)
        self._slices, self._organs = self._prompts()
        self._full: dict[tuple[int, int], _Kept] = {}
        self._full_dice: dict[tuple[int, int], float] = {}
        self._doubt_ms = 0.0

    def _prompts(self) -> tuple[list[SlicePrompt], list[OrganPrompt]]:
        """All prompts, those on slices in the order of slices.

        Raises:
            InputError: there is none.
        """
        rules, name = self._protocol, self._case.name
        slices: list[SlicePrompt] = []
        organs: list[OrganPrompt] = []
        names = {number: self._case.label_title(number) for number in self._case.only or ()}
        for number in names:
            truth = self._labels.mask(number)
            found = slice_prompts(truth, number, name, rules)
            if not found:
                reason = (
                    f"no slice has at least {counted(rules.least_voxels, 'voxel')} of it"
                    if truth.any()
                    else "the label does not occur"
                )
                self.not_scored.append(NotScored(name, self._case.label_title(number), reason))
                continue
            slices += found
            organs.append(organ_prompt(truth, number, name, rules))
        self.not_scored += [NotScored(name, label, "the case has no such label") for label in self._case.lacking(names)]
        if not slices:
            told = f" ({self.not_scored[0].label}: {self.not_scored[0].reason})" if self.not_scored else ""
            raise InputError(f"no label of it can be scored{told}")
        if "slice" not in rules.protocols:
            slices = []
        if "organ" not in rules.protocols:
            organs = []
        return sorted(slices, key=lambda prompt: (prompt.z, prompt.label)), organs

    def run(self, model: ComparedModel) -> Generator[str, None, None]:
        """Prompt one model with everything."""
        needed = {prompt.z for prompt in self._slices}.union(*(prompt.box.slices for prompt in self._organs))
        cache = EmbeddingCache(min(len(needed) * EMBEDDING_BYTES, MOST_CACHED_BYTES))
        runner = SliceRunner(model.segmenter, self._volume, self._window, cache, self._pixels)
        is_full, self._doubt_ms = not self.costs, 0.0
        name = model.segmenter.precision
        for prompt in self._slices:
            self._slice(runner, name, prompt, is_full)
            yield f"{name}, slice {prompt.z}"
        for organ in self._organs:
            yield from self._organ(runner, name, organ, is_full)
        self.costs.append(
            ModelCost(
                model=name,
                encodings=len(runner.encoded_ms),
                distinct_slices=len(needed),
                encoder_ms=float(sum(runner.encoded_ms)),
                decodings=len(runner.decoder_ms),
                decoder_ms=float(sum(runner.decoder_ms)),
                doubt_ms=self._doubt_ms,
                simulated=model.simulated,
            )
        )

    def _slice(self, runner: SliceRunner, name: str, prompt: SlicePrompt, is_full: bool) -> None:
        """One prompt on one slice."""
        logits = runner.logits(prompt.z, prompt.box)  # (1, 1, 256, 256)
        mask, truth = runner.masks_of(logits)[0], self._plane(prompt)
        where = (prompt.label, prompt.z)
        if is_full:
            against = self._add("slice", where, name, FULL_PRECISION, truth[None], mask[None], None)
            self._full[where], self._full_dice[where] = _Kept.of(mask), against.dice
            if self._protocol.yardstick_pixels:
                moved = runner.segment(prompt.z, prompt.moved)
                self._add("slice", where, f"{name}, box moved", MOVED_BOX, truth[None], moved[None], mask[None])
            return
        around = runner.masks_of(runner.logits(prompt.z, moved_prompts(prompt.box, runner.shape)))
        self._doubt_ms += runner.decoder_ms.pop()  # four boxes at once, counted apart
        doubt = asdict(doubt_of(logits[0, 0], [dice(mask, each) for each in around]))
        full = self._full[where].mask
        against = self._add("slice", where, name, QUANTIZED, truth[None], mask[None], full[None], doubt)
        loss = self._full_dice[where] - against.dice
        if name not in self.worst or loss > self.worst[name].loss:
            self.worst[name] = self._picture(name, prompt, truth, full, mask, loss)

    def _plane(self, prompt: SlicePrompt) -> np.ndarray:
        return self._labels.on_slice(prompt.z, prompt.label)

    def _organ(self, runner: SliceRunner, name: str, prompt: OrganPrompt, is_full: bool) -> Generator[str, None, None]:
        """One 3-D box, the model following its own masks."""
        truth = self._labels.mask(prompt.label)[prompt.box.z0 : prompt.box.z1 + 1]
        where = (prompt.label, SLICE_NUMBER_OF_ORGAN)
        mask = yield from _propagated(runner, prompt.box, name)
        if not is_full:
            self._add("organ", where, name, QUANTIZED, truth, mask, self._full[where].mask)
            return
        self._full[where] = _Kept.of(mask)
        self._add("organ", where, name, FULL_PRECISION, truth, mask, None)
        if self._protocol.yardstick_pixels:
            moved = yield from _propagated(runner, prompt.moved, f"{name}, box moved")
            self._add("organ", where, f"{name}, box moved", MOVED_BOX, truth, moved, mask)

    def _add(
        self,
        protocol: str,
        where: tuple[int, int],
        name: str,
        role: str,
        truth: np.ndarray,
        mask: np.ndarray,
        full: np.ndarray | None,
        doubt: dict[str, float] | None = None,
    ) -> Scores:
        """Score a mask against ground truth and full precision, keep the row, give the former."""
        spacing = self._volume.grid.spacing_zyx
        against = scores(truth, mask, spacing)
        between = None if full is None else scores(full, mask, spacing)
        label, z = where
        modality, empty = self._volume.modality, not mask.any()
        row = score_row(
            self._case, modality, protocol, label, z, name, role, against, between, doubt, empty=bool(empty)
        )
        self.rows.append(row)
        return against

    def _picture(
        self, name: str, prompt: SlicePrompt, truth: np.ndarray, full: np.ndarray, mask: np.ndarray, loss: float
    ) -> WorstPicture:
        x0, y0, x1, y1 = prompt.box.tolist()
        return WorstPicture(
            model=name,
            label=self._case.label_title(prompt.label),
            z=prompt.z,
            pixels=self._pixels[prompt.z],
            truth=truth,
            full=full,
            quantized=mask,
            box=(x0, y0, x1, y1),
            loss=loss,
            spacing_yx=self._volume.grid.spacing_zyx[1:],
        )


def _propagated(runner: SliceRunner, box: Box3D, name: str) -> Generator[str, None, np.ndarray]:
    """The mask on the slices of a box, (slices, y, x) bool."""
    mask = BoxMask.empty(box, runner.shape)
    for z in segment_slices(runner, box, "propagate", mask):
        yield f"{name}, whole organ, slice {z}"
    return mask.voxels
