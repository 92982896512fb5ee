"""Labelled volumes whose prompts models are compared on, and one model's answers to them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pqcomq.comparison.evaluate import Protocol
from pqcomq.comparison.measures.metrics import dice
from pqcomq.models.segmenter import Segmenter
from pqcomq.segmentation.box import tight_box
from pqcomq.volumes.intensity_window import eight_bit
from pqcomq.volumes.labels.label_maps import read_labels
from pqcomq.volumes.volume_reader import read_volume

DEVELOPMENT = {
    "CT": ("abdomen_ct.nii.gz", "abdomen_ct_labels.nii.gz", (1, 2, 3, 5, 6, 7)),
    "MR": ("abdomen_mr.nii.gz", "abdomen_mr_labels.nii.gz", (1, 2, 3, 5)),
}
"""Set → volume, labels and label numbers; slices with 50 voxels of a label or more."""

_OF_CASES = {"ct_lesion": ((1,), "other"), "ct_tptbox_spine": ((21, 22, 23), None), "mr_cine": ((1,), None)}
"""Beginning of a case's name → label numbers, and its modality where the file does not say so."""


@dataclass(frozen=True)
class Prompt:
    """One box on one slice, and what is in it."""

    case: str
    z: int
    label: int
    box: np.ndarray
    truth: np.ndarray

    @property
    def model_side(self) -> float:
        """Side of a square as large as the box, in pixels of a model that sees the slice at 256 a side."""
        area = float(np.prod(self.box[2:] - self.box[:2]))
        return float(np.sqrt(area)) * 256 / max(self.truth.shape)


@dataclass(frozen=True)
class Answers:
    """One model on one set.

    Attributes:
        masks: of each prompt.
        features: (slices, 256, 64, 64) float16, the embeddings of the set's slices.
    """

    masks: list[np.ndarray]
    features: np.ndarray


class PromptSet:
    """Prompts by slice, at most 8 slices a label, evenly spread."""

    def __init__(self) -> None:
        self.slices: list[tuple[np.ndarray, list[Prompt]]] = []

    def add(
        self, case: str, volume: Path, labels: Path, chosen: tuple[int, ...], least: int, modality: str | None = None
    ) -> None:
        """Take in a volume."""
        image = read_volume(volume, modality=modality)
        truth, shown = read_labels(labels, image), eight_bit(image)
        rules = Protocol(least_voxels=least)
        by_slice: dict[int, list[Prompt]] = {}
        for label in chosen:
            mask = truth == label
            for z in rules.slices(mask):
                box = tight_box(mask[z], rules.margin_voxels)
                by_slice.setdefault(z, []).append(Prompt(case, z, label, box, mask[z]))
        self.slices += [(shown[z], by_slice[z]) for z in sorted(by_slice)]

    @property
    def prompts(self) -> list[Prompt]:
        """All, slice by slice."""
        return [prompt for _pixels, prompts in self.slices for prompt in prompts]

    def answered(self, model: Segmenter) -> Answers:
        """Segment every prompt."""
        masks: list[np.ndarray] = []
        features = []
        for pixels, prompts in self.slices:
            embedding = model.encode(pixels)
            features.append(embedding.features[0].numpy().astype(np.float16))
            masks += [model.decode(embedding, prompt.box)[0] for prompt in prompts]
        return Answers(masks, np.stack(features))

    def right_alone(self, full: Answers, least: float) -> tuple[PromptSet, Answers]:
        """The prompts where a model has at least this Dice, its answers to them, and no slice without any."""
        right = [dice(each.truth, mask) >= least for each, mask in zip(self.prompts, full.masks, strict=True)]
        return self._kept(full, right)

    def few_slices(self, full: Answers, count: int, *, fullest: bool) -> tuple[PromptSet, Answers]:
        """Some slices, those with most prompts or evenly spread ones; and a model's answers to them."""
        numbers = range(len(self.slices))
        chosen = {round(each) for each in np.linspace(0, len(self.slices) - 1, count)}
        if fullest:
            chosen = set(sorted(numbers, key=lambda number: (-len(self.slices[number][1]), number))[:count])
        return self._kept(full, [number in chosen for number in numbers for _prompt in self.slices[number][1]])

    def _kept(self, full: Answers, wanted: list[bool]) -> tuple[PromptSet, Answers]:
        """The prompts that are wanted."""
        kept, numbers, chosen = PromptSet(), [], []
        first = 0
        for number, (pixels, prompts) in enumerate(self.slices):
            places = [first + place for place in range(len(prompts)) if wanted[first + place]]
            if places:
                kept.slices.append((pixels, [prompts[place - first] for place in places]))
                numbers.append(number)
                chosen += [full.masks[place] for place in places]
            first += len(prompts)
        return kept, Answers(chosen, full.features[numbers])

    def compared(self, full: Answers, low: Answers) -> dict[str, Any]:
        """JSON-ready: for each prompt Dice of both against the truth and against each other; embedding error."""
        wanted, reached = full.features.astype(np.float32), low.features.astype(np.float32)
        errors = np.square(wanted - reached).sum(axis=(1, 2, 3)) / np.square(wanted).sum(axis=(1, 2, 3))
        rows = [
            {
                "case": prompt.case,
                "z": prompt.z,
                "label": prompt.label,
                "side": prompt.model_side,
                "full": dice(prompt.truth, before),
                "low": dice(prompt.truth, after),
                "agreement": dice(before, after),
            }
            for prompt, before, after in zip(self.prompts, full.masks, low.masks, strict=True)
        ]
        return {"embedding error": float(errors.mean()), "prompts": rows}


def prompt_sets(data: Path) -> Iterator[tuple[str, PromptSet]]:
    """The sets of a folder: development CT and MR, and the CT and MR cases of ``cohort/``."""
    for name, (volume, labels, chosen) in DEVELOPMENT.items():
        found = PromptSet()
        found.add(name, data / volume, data / labels, chosen, least=50)
        yield name, found
    for modality in ("ct", "mr"):
        found = PromptSet()
        for folder in sorted((data / "cohort").glob(f"{modality}_*")):
            chosen, kind = next(entry for start, entry in _OF_CASES.items() if folder.name.startswith(start))
            found.add(folder.name, folder / "image.nii.gz", folder / "labels.nii.gz", chosen, least=20, modality=kind)
        yield f"other {modality.upper()}", found
