"""Accuracy of several models over the organs of a labelled volume, each slice prompted from its own label."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import TYPE_CHECKING, Any, Literal

import cv2
import numpy as np

from pqcomq.comparison.compared_model import ComparedModel
from pqcomq.comparison.environment import Environment
from pqcomq.comparison.measures.latency import Latency
from pqcomq.comparison.measures.metrics import NSD_TOLERANCE_MM, dice, scores
from pqcomq.comparison.presentation.comparison_text import RESEARCH_ONLY
from pqcomq.comparison.presentation.data_frames import per_prompt
from pqcomq.comparison.presentation.evaluation_table import evaluation_table
from pqcomq.comparison.presentation.notebook import html_table
from pqcomq.errors import InputError
from pqcomq.models.catalogue.entries import PromptKind
from pqcomq.models.execution import Execution
from pqcomq.models.slice_prompt import SlicePrompt
from pqcomq.progress import Progress, Stopwatch
from pqcomq.segmentation.box import tight_box
from pqcomq.segmentation.embedding_cache import EmbeddingCache
from pqcomq.segmentation.slice_runner import SliceRunner
from pqcomq.volumes.intensity_window import EightBitSlices, Window, default_window
from pqcomq.volumes.volume import Volume
from pqcomq.wording import counted

if TYPE_CHECKING:
    import pandas as pd


SlicePromptKind = Literal["box", "point", "box and point"]
_KINDS: dict[SlicePromptKind, tuple[PromptKind, ...]] = {
    "box": ("box",),
    "point": ("points",),
    "box and point": ("box", "points"),
}


@dataclass(frozen=True)
class Protocol:
    """Which slices are prompted, and how.

    A label's point is the centre of the voxel that lies deepest inside it on the slice, the first of several in reading
    order: the same point every time.

    Attributes:
        margin_voxels: by which a label's tight box is grown.
        least_voxels: slices with fewer voxels of the label are left out.
        most_slices: evenly spread slices for each label at the most, the middle one if 1; None for all.
        prompt: what a slice is prompted with: the box, a point inside, or both together.
    """

    margin_voxels: int = 2
    least_voxels: int = 50
    most_slices: int | None = 8
    prompt: SlicePromptKind = "box"

    def on(self, mask: np.ndarray) -> SlicePrompt:
        """The prompt of a slice's label (y, x), true inside; must not be empty."""
        box = tight_box(mask, self.margin_voxels) if "box" in self.prompt else None
        if "point" not in self.prompt:
            return SlicePrompt.single(box, np.zeros((0, 2)), np.zeros(0))
        return SlicePrompt.single(box, _deepest(mask)[None], np.ones(1))

    def slices(self, mask: np.ndarray) -> list[int]:
        """Slice numbers to prompt for a label's mask (z, y, x)."""
        enough = np.flatnonzero(np.count_nonzero(mask, axis=(1, 2)) >= self.least_voxels)
        if self.most_slices is None or enough.size <= self.most_slices:
            chosen = enough
        elif self.most_slices == 1:
            chosen = enough[[(enough.size - 1) // 2]]  # the middle: an organ's lowest slice is its least typical one
        else:
            chosen = enough[np.linspace(0, enough.size - 1, self.most_slices).round().astype(int)]
        return [int(z) for z in chosen]


@dataclass(frozen=True)
class PromptResult:
    """One model on one slice of one label.

    Attributes:
        model: title.
        precision: of the encoder weights.
        label: number.
        z: slice in LPS order.
        dice: against ground truth.
        nsd: against ground truth, on the slice.
        agreement: Dice against the first model's mask.
    """

    model: str
    precision: str
    label: int
    z: int
    dice: float
    nsd: float
    agreement: float


@dataclass(frozen=True)
class ModelSummary:
    """One model over all prompts.

    Attributes:
        model: title.
        precision: of the encoder weights.
        code_bits: of a weight's code alone, the mean over all quantized weights; 32 in full precision.
        effective_bits: stored for each quantized weight, scales, zero-points and permutations counted.
        file_bytes: of the checkpoint or weights file.
        simulated: low-bit speed is that of weights widened to float32.
        dice: mean Dice against ground truth over all prompts.
        worst_dice: Dice against ground truth on the worst prompt.
        nsd: mean NSD against ground truth over all prompts.
        agreement: mean Dice against the first model.
        worst_agreement: Dice against the first model on the worst prompt.
        dice_by_label: label → mean Dice against ground truth.
        encoder: latency.
        decoder: latency.
        execution: what ran the networks.
    """

    model: str
    precision: str
    code_bits: float
    effective_bits: float
    file_bytes: int
    simulated: bool
    dice: float
    worst_dice: float
    nsd: float
    agreement: float
    worst_agreement: float
    dice_by_label: dict[int, float]
    encoder: Latency
    decoder: Latency
    execution: Execution


@dataclass(frozen=True)
class Evaluation:
    """All compared models on one volume.

    Attributes:
        volume_name: free of patient data.
        volume_sha256: of its voxels.
        window: that made the models' input.
        protocol: of the prompts.
        prompts: single results.
        summaries: a row for each compared model, in the order given.
        environment: what it was measured on.
    """

    volume_name: str
    volume_sha256: str
    window: Window
    protocol: Protocol
    prompts: tuple[PromptResult, ...]
    summaries: tuple[ModelSummary, ...]
    environment: Environment

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        content = {**asdict(self), "nsd_tolerance_mm": NSD_TOLERANCE_MM}
        for summary in content["summaries"]:
            for name in ("code_bits", "worst_dice", "worst_agreement"):
                del summary[name]  # the files' format has no such key; the precision and the prompts tell it
        return content

    def to_dataframe(self) -> pd.DataFrame:
        """The numbers as a table, a row for each label, slice and model.

        Returns:
            A ``pandas.DataFrame``. ``dice_between_models`` holds a model against the first one and is empty for that;
            ``bits_of_a_code`` counts the codes alone, ``bits_stored_per_weight`` scales, zero-points and permutations
            too, ``file_bytes`` the whole file.

        Raises:
            ImportError: pandas is not installed.
        """
        return per_prompt(self)

    def __repr__(self) -> str:
        precisions = ", ".join(f"{each.precision} {each.dice:.4f}" for each in self.summaries)
        prompts = len(self.prompts) // len(self.summaries)
        return f"Evaluation({self.volume_name}, {counted(prompts, 'prompt')}: Dice against ground truth {precisions})"

    def _repr_html_(self) -> str:
        columns, rows = evaluation_table(self.summaries)
        return html_table(columns, rows, RESEARCH_ONLY)


def evaluate(
    volume: Volume,
    labels: np.ndarray,
    chosen: Sequence[int],
    compared_models: Sequence[ComparedModel],
    *,
    protocol: Protocol | None = None,
    window: Window | None = None,
) -> Generator[Progress, None, Evaluation]:
    """Prompt every model with the labels' boxes, or with points inside them, and score its masks.

    Args:
        volume: to segment.
        labels: (z, y, x) ground truth on the volume's LPS grid.
        chosen: label numbers.
        compared_models: models; the first is the one that agreement is measured against.
        protocol: by default tight boxes grown by 2 voxels on at most 8 slices a label.
        window: by default the modality's own.

    Yields:
        :class:`Progress` after every prompt of every model.

    Returns:
        The :class:`Evaluation` (a generator's return value).

    Raises:
        InputError: a label has no slice to prompt, the labels lie on another grid, or a model takes no such prompts.
    """
    rules = protocol or Protocol()
    for each in compared_models:
        each.segmenter.check_prompts(_KINDS[rules.prompt])
    prompts = _prompts(volume, labels, chosen, rules)
    used = window or default_window(volume.modality, volume.voxels)
    pixels, cache = EightBitSlices(volume, used), EmbeddingCache()
    runners = [SliceRunner(each.segmenter, volume, used, cache, pixels) for each in compared_models]
    spacing = volume.grid.spacing_zyx
    watch = Stopwatch(len(prompts) * len(runners))
    results: list[PromptResult] = []
    for runner in runners:
        runner.warm_up(prompts[0][1], prompts[0][2])
    # By slice, so that the embeddings of every model serve all labels on it; the models take turns.
    for label, z, asked in sorted(prompts, key=lambda prompt: prompt[1]):
        truth = labels[z] == label
        first: np.ndarray | None = None
        for runner in runners:
            mask = runner.segment(z, asked)
            first = mask if first is None else first
            against_truth = scores(truth[None], mask[None], spacing)
            agreement = dice(first, mask)
            name = runner.segmenter
            results.append(
                PromptResult(name.title, name.precision, label, z, against_truth.dice, against_truth.nsd, agreement)
            )
            yield watch.step(f"label {label}, slice {z}, {name.precision}")
    count = len(runners)
    summaries = tuple(
        _summary(compared_model, runner, results[index::count])
        for index, (compared_model, runner) in enumerate(zip(compared_models, runners, strict=True))
    )
    return Evaluation(volume.name, volume.sha256, used, rules, tuple(results), summaries, Environment.here())


def _prompts(
    volume: Volume, labels: np.ndarray, chosen: Sequence[int], rules: Protocol
) -> list[tuple[int, int, SlicePrompt]]:
    """Label, slice and prompt itself of every prompt."""
    if labels.shape != volume.grid.shape_zyx:
        raise InputError(f"labels of shape {labels.shape} do not fit the volume's {volume.grid.shape_zyx}")
    prompts = []
    for label in dict.fromkeys(map(int, chosen)):  # one that is named twice counts no more than the others
        mask = labels == label
        slices = rules.slices(mask)
        if not slices:
            least = counted(rules.least_voxels, "voxel")
            raise InputError(f"label {label} has no slice of at least {least} in {volume.name}")
        prompts += [(label, z, rules.on(mask[z])) for z in slices]
    return prompts


def _deepest(mask: np.ndarray) -> np.ndarray:
    """The pixel farthest from the edge of a mask (y, x): x y."""
    padded = np.pad(mask.astype(np.uint8), 1)
    depth = cv2.distanceTransform(padded, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[1:-1, 1:-1]
    y, x = np.unravel_index(int(depth.round(3).argmax()), mask.shape)  # rounded: no last bit decides between equals
    return np.array([x, y], dtype=np.float64)


def _summary(compared_model: ComparedModel, runner: SliceRunner, results: list[PromptResult]) -> ModelSummary:
    by_label = {
        label: fmean(each.dice for each in results if each.label == label)
        for label in sorted({each.label for each in results})
    }
    return ModelSummary(
        model=runner.segmenter.title,
        precision=runner.segmenter.precision,
        code_bits=compared_model.code_bits,
        effective_bits=compared_model.effective_bits,
        file_bytes=compared_model.file_bytes,
        simulated=compared_model.simulated,
        dice=fmean(each.dice for each in results),
        worst_dice=min(each.dice for each in results),
        nsd=fmean(each.nsd for each in results),
        agreement=fmean(each.agreement for each in results),
        worst_agreement=min(each.agreement for each in results),
        dice_by_label=by_label,
        encoder=Latency.of(list(runner.encoder_ms.values())),
        decoder=Latency.of(runner.decoder_ms),
        execution=runner.segmenter.execution,
    )
