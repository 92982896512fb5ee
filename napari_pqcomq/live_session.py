"""Live prompting: the comparison view stands open, and the masks of whatever box is moved follow on all sides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from napari.components import ViewerModel
from qtpy.QtCore import QObject, Signal

from napari_pqcomq.comparison_view import ComparisonView
from napari_pqcomq.live_masks import Answer, LiveMasks
from napari_pqcomq.prompts import Prompts
from pqcomq.comparison.metrics import dice
from pqcomq.models.segmenter import Segmenter
from pqcomq.segmentation.box import Box3D
from pqcomq.segmentation.embedding_cache import EmbeddingCache
from pqcomq.segmentation.slice_runner import SliceRunner
from pqcomq.volumes.volume import Volume
from pqcomq.volumes.window import Window, eight_bit


@dataclass(frozen=True, eq=False)
class LiveModels:
    """What is asked.

    Attributes:
        volume: what is segmented.
        window: None for the modality's own.
        segmenters: full precision first, one for each side of the view.
        cache: embeddings, shared with the comparisons.
    """

    volume: Volume
    window: Window | None
    segmenters: tuple[Segmenter, ...]
    cache: EmbeddingCache

    def runners(self) -> list[SliceRunner]:
        """One a model, on one windowed copy of the volume."""
        pixels = eight_bit(self.volume, self.window)
        return [SliceRunner(each, self.volume, self.window, self.cache, pixels) for each in self.segmenters]

    def is_as(self, other: LiveModels | None) -> bool:
        """Whether the other would answer the same."""
        return (
            other is not None
            and self.volume is other.volume
            and self.window == other.window
            and [each.fingerprint for each in self.segmenters] == [each.fingerprint for each in other.segmenters]
        )


class LiveSession(QObject):
    """Keeps masks in step with boxes while a comparison is open.

    An object whose box has changed since it was last compared is live: its masks are those of the slices that the user
    has looked at since, each prompted with the box itself. Others keep the masks of their comparison.

    Attributes:
        told: emitted with the lines for each side's plate while the current object is live.
        failed: emitted with the cause when the models cannot be asked.
        latencies_ms: from each move of a box to its masks, encoding apart.
    """

    told = Signal(object)
    failed = Signal(str)

    def __init__(
        self, viewer: ViewerModel, view: ComparisonView, prompts: Prompts, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._viewer, self._view, self._prompts = viewer, view, prompts
        self._models: LiveModels | None = None
        self._masks: LiveMasks | None = None
        self._boxes: dict[int, Box3D] = {}
        self._live: set[int] = set()
        self._paused = False
        self.latencies_ms: list[float] = []
        prompts.changed.connect(self._on_prompts)
        viewer.dims.events.current_step.connect(self._ask)

    @property
    def is_running(self) -> bool:
        """Whether masks follow."""
        return self._masks is not None

    @property
    def live(self) -> frozenset[int]:
        """Numbers of the objects whose masks are live."""
        return frozenset(self._live)

    def start(self, models: LiveModels, compared: Sequence[int] = ()) -> None:
        """Follow the boxes from now on; the view must be open with as many sides as there are models.

        Args:
            models: to ask.
            compared: numbers of the objects whose masks in the view come from a comparison.
        """
        if not models.is_as(self._models):
            self.stop()
            self._models, self._masks = models, LiveMasks(models.runners, self)
            self._masks.answered.connect(self._on_answer)
            self._masks.encoding.connect(self._on_encoding)
            self._masks.failed.connect(self.failed)
        self._boxes = {each.number: each.box for each in self._prompts.objects}
        self._live = {each.number for each in self._prompts.compared if each.number not in compared}
        self._show_boxes()
        self._ask()

    def stop(self, *, wait: bool = False) -> None:
        """End following; see :meth:`LiveMasks.end`."""
        if self._masks is not None:
            self._masks.end(wait=wait)
        self._models, self._masks, self._live = None, None, set()

    def release(self) -> None:
        """Stop, and let go of the viewer."""
        self.stop(wait=True)
        self._viewer.dims.events.current_step.disconnect(self._ask)

    def pause(self, paused: bool) -> None:
        """Leave the processor to another job."""
        self._paused = paused
        if paused and self._masks is not None:
            self._masks.forget()
        elif not paused:
            self._ask()

    def _on_prompts(self) -> None:
        if self._masks is None or not self._view.is_open:
            return
        now = {each.number: each.box for each in self._prompts.objects}
        for number in self._boxes.keys() | now.keys():
            if self._boxes.get(number) != now.get(number):
                self._view.clear_masks(number)
                (self._live.add if number in now else self._live.discard)(number)
        self._boxes = now
        self._show_boxes()
        self._ask()

    def _show_boxes(self) -> None:
        """Those that have masks or will have; boxes laid aside would clutter the picture."""
        chosen, current = self._prompts.compared, self._prompts.current_prompt
        self._view.set_objects(chosen if current is None or current in chosen else (*chosen, current))

    def _ask(self, event: object = None) -> None:
        """Ask for the live objects on the slice in sight."""
        if self._masks is None or self._paused or not self._view.is_open:
            return
        z = int(self._viewer.dims.current_step[0])
        boxes = {
            number: (box.x0, box.y0, box.x1, box.y1)
            for number, box in self._boxes.items()
            if number in self._live and box.z0 <= z <= box.z1
        }
        if boxes:
            self._masks.ask(z, boxes)

    def _on_encoding(self, z: int) -> None:
        self.told.emit([(f"Encoding slice {z}…",)] * self._view.sides)

    def _on_answer(self, answer: Answer) -> None:
        numbers = [number for number, _box in answer.question.boxes if number in self._live]
        if not self._view.is_open or len(answer.masks) != self._view.sides:
            return
        if not answer.encoded:
            self.latencies_ms.append(answer.milliseconds)
        z = answer.question.z
        shown = self._view.masks(z)
        for labels, found in zip(shown, answer.masks, strict=True):
            labels[np.isin(labels, numbers)] = 0
            for number in numbers:
                labels[found[number]] = number
        self._view.set_masks(z, shown)
        current = self._prompts.current_prompt
        if current is not None and current.number in numbers:
            self.told.emit(live_lines([found[current.number] for found in answer.masks], answer))


def live_lines(masks: Sequence[np.ndarray], answer: Answer) -> list[tuple[str, ...]]:
    """What the plates say of one slice that is prompted live; full precision's masks come first."""
    head = f"Live, slice {answer.question.z} only"
    lines: list[tuple[str, ...]] = [
        (head, f"Masks after {answer.milliseconds:.0f} ms" + (" with encoding" if answer.encoded else ""))
    ]
    lines += [(head, f"Dice vs full precision {dice(masks[0], mask):.3f} on this slice") for mask in masks[1:]]
    return lines
