"""What a finished comparison hands to the view and to every panel of the results area."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from napari_pqcomq.prompts.prompt import Prompt
from pqcomq.comparison.compared_model import ComparedModel
from pqcomq.comparison.result import Comparison
from pqcomq.segmentation.embedding_cache import EmbeddingCache
from pqcomq.volumes.intensity_window import Window
from pqcomq.volumes.volume import Volume


@dataclass(frozen=True, eq=False)
class ObjectResult:
    """One object, compared.

    Attributes:
        prompt: its name, number, colour and box.
        comparisons: one for each candidate in the order of ``ShownResult.candidates``; their references are the same.
        truth: (z, y, x) bool, or None.
    """

    prompt: Prompt
    comparisons: tuple[Comparison, ...]
    truth: np.ndarray | None = None

    @property
    def name(self) -> str:
        """The user's."""
        return self.prompt.name

    @property
    def comparison(self) -> Comparison:
        """That of the first candidate."""
        return self.comparisons[0]


@dataclass(frozen=True, eq=False)
class ShownResult:
    """All that is on screen.

    Attributes:
        volume: what was segmented.
        window: chosen for it; None for the modality's own.
        objects: at least one, in the order of the list of objects.
        reference: full precision.
        candidates: one to three quantized models.
        cache: with the embeddings of all of them.
    """

    volume: Volume
    window: Window | None
    objects: tuple[ObjectResult, ...]
    reference: ComparedModel
    candidates: tuple[ComparedModel, ...]
    cache: EmbeddingCache

    @property
    def comparisons(self) -> tuple[Comparison, ...]:
        """Every comparison, object by object."""
        return tuple(each for found in self.objects for each in found.comparisons)

    def of(self, number: int) -> ObjectResult | None:
        """The result of object ``number``."""
        return next((each for each in self.objects if each.prompt.number == number), None)
