"""What a comparison of full precision with its quantized copies found, on one object and on all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from pqcomq.comparison.box_perturbation import BoxJitter
from pqcomq.comparison.compared_model import ComparedModel
from pqcomq.comparison.model_result import Comparison, ModelResult
from pqcomq.comparison.presentation.comparison_text import RESEARCH_ONLY, figure_rows, side_title
from pqcomq.comparison.presentation.data_frames import per_object, per_slice
from pqcomq.comparison.presentation.notebook import html_table
from pqcomq.errors import InputError
from pqcomq.segmentation.box import Box3D
from pqcomq.segmentation.prompt import Prompt
from pqcomq.segmentation.propagation import PromptMode
from pqcomq.volumes.intensity_window import Window
from pqcomq.volumes.volume import Volume

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False, repr=False)
class ObjectComparison:
    """One object, segmented in full precision and by every quantized copy.

    Attributes:
        name: the user's, free of patient data.
        comparisons: one for each quantized copy; they share prompt, window and way of prompting.
        truth: (z, y, x) bool, ground truth, or None.
        jitter: full precision under moved boxes, or None where that was not asked for.
        number: of the object in a volume of labels, from 1.

    Raises:
        InputError: there is no comparison, or they do not belong together.
    """

    name: str
    comparisons: tuple[Comparison, ...]
    truth: np.ndarray | None = None
    jitter: BoxJitter | None = None
    number: int = 1

    def __post_init__(self) -> None:
        asked = [(each.prompt, each.mode, each.window) for each in self.comparisons]
        if not asked or any(other != asked[0] for other in asked):
            raise InputError(f"{self.name} needs comparisons, all of one prompt, one window and one way of prompting.")

    def __repr__(self) -> str:
        dice = ", ".join(f"{each.candidate.precision} {each.agreement.dice:.4f}" for each in self.comparisons)
        where = f"slices {self.prompt.first} to {self.prompt.last}"
        return f"ObjectComparison({self.name}, {where}: Dice between the models {dice})"

    @property
    def prompt(self) -> Prompt:
        """A box, points or both."""
        return self.comparisons[0].prompt

    @property
    def box(self) -> Box3D | None:
        """The prompt's box, None where it has points alone."""
        return self.prompt.box

    @property
    def mode(self) -> PromptMode:
        """Where the prompts of the other slices came from."""
        return self.comparisons[0].mode

    @property
    def window(self) -> Window:
        """That made the models' input."""
        return self.comparisons[0].window

    @property
    def reference(self) -> ModelResult:
        """What full precision found."""
        return self.comparisons[0].reference

    @property
    def results(self) -> tuple[ModelResult, ...]:
        """What each model found, full precision first."""
        return (self.reference, *(each.candidate for each in self.comparisons))

    def _repr_html_(self) -> str:
        titles = [self.name, *(side_title(each) for each in self.results)]
        return html_table(titles, figure_rows(self.comparisons))


@dataclass(frozen=True, eq=False, repr=False)
class ComparisonResult:
    """One volume, its objects and the models that were compared on them.

    Attributes:
        volume: what was segmented.
        objects: at least one, in the order that they were asked for.
        reference: full precision.
        candidates: its quantized copies, at least one; every object has a comparison for each, in this order.

    Raises:
        InputError: there is nothing compared, or not every object with every candidate.
    """

    volume: Volume
    objects: tuple[ObjectComparison, ...]
    reference: ComparedModel
    candidates: tuple[ComparedModel, ...]

    def __post_init__(self) -> None:
        if not self.objects or not self.candidates:
            raise InputError("A comparison needs at least one object and one model beside full precision.")
        if any(len(each.comparisons) != len(self.candidates) for each in self.objects):
            raise InputError("Every object of a comparison needs one result for each quantized model.")

    def __repr__(self) -> str:
        names = ", ".join(each.name for each in self.objects)
        precisions = ", ".join(each.precision for each in self.objects[0].results)
        return f"ComparisonResult({self.reference.segmenter.title} on {self.volume.name}, {names}: {precisions})"

    @property
    def models(self) -> tuple[ComparedModel, ...]:
        """All models, full precision first."""
        return (self.reference, *self.candidates)

    @property
    def comparisons(self) -> tuple[Comparison, ...]:
        """Every quantized copy held against full precision, object by object."""
        return tuple(each for found in self.objects for each in found.comparisons)

    @property
    def window(self) -> Window:
        """That made the models' input for the first object."""
        return self.objects[0].window

    def of(self, number: int) -> ObjectComparison | None:
        """The object of a number, None where it was not compared."""
        return next((each for each in self.objects if each.number == number), None)

    def with_jitters(self, jitters: Mapping[int, BoxJitter]) -> ComparisonResult:
        """The same result with moved boxes, by the number of their object."""
        objects = tuple(replace(each, jitter=jitters.get(each.number, each.jitter)) for each in self.objects)
        return replace(self, objects=objects)

    def to_dataframe(self, per: Literal["object", "slice"] = "object") -> pd.DataFrame:
        """The numbers as a table.

        Args:
            per: ``object`` for a row for each object and model, full precision among them; ``slice`` for a row for each
                object, quantized model and slice.

        Returns:
            A ``pandas.DataFrame``. ``dice_between_models`` holds a quantized model against full precision and is empty
            for full precision itself; ``dice_against_ground_truth`` is empty where there is no ground truth.
            ``bits_of_a_code`` counts the codes alone, ``bits_stored_per_weight`` scales, zero-points and permutations
            too, ``file_bytes`` the whole file.

        Raises:
            ImportError: pandas is not installed.
        """
        return per_slice(self.objects) if per == "slice" else per_object(self.objects, self.models)

    def _repr_html_(self) -> str:
        tables = "".join(each._repr_html_() for each in self.objects)
        return f"<div>{tables}<p>{RESEARCH_ONLY}</p></div>"
