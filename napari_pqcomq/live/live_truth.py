"""The ground truth of the current object: its label, and its outline beside live masks."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from napari_pqcomq.prompts.objects.prompt_list import PromptList
from napari_pqcomq.setup.ground_truth_panel import GroundTruthPanel
from napari_pqcomq.viewer.comparison.comparison_view import ComparisonView
from pqcomq.errors import InputError


class LiveTruth:
    """Follows the current object with the label that stands for it.

    Args:
        truth: which labels, and which of them.
        view: where the outline is drawn.
        objects: one of which is the current one.
        is_drawn: whether the outline of the current object's truth belongs in the view now: a comparison has that of
            all its objects, and a blinded reader sees none.
    """

    def __init__(
        self, truth: GroundTruthPanel, view: ComparisonView, objects: PromptList, is_drawn: Callable[[], bool]
    ) -> None:
        self._truth, self._view, self._objects, self._is_drawn = truth, view, objects, is_drawn

    @property
    def is_of_another(self) -> bool:
        """Whether the label in sight is of another object than the current one."""
        current = self._objects.current_prompt
        return (current.number if current else 0) != self._truth.number

    def choose(self) -> None:
        """Choose the label that stands for the current object, and draw it."""
        current = self._objects.current_prompt
        if current is not None:
            with suppress(InputError):  # reported when the user presses Compare; a box may be half drawn now
                self._truth.suggest(current.extent, current.number)
        self.draw()

    def draw(self) -> None:
        """Draw the outline of the chosen label where it belongs in the view."""
        if self._view.is_open and self._is_drawn():
            self._view.set_truth(self._truth.fitting_truth())
