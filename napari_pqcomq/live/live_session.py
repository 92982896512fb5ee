"""Live prompting: in the open comparison, the masks of a box follow on all sides while it is moved."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from napari.components import ViewerModel
from qtpy.QtCore import QObject, Signal

from napari_pqcomq.layers.volume_layers import voxel_at
from napari_pqcomq.live.covered_masks import CoveredMasks
from napari_pqcomq.live.encoding_clock import EncodingClock
from napari_pqcomq.live.live_inference import Answer, LiveInference, Question
from napari_pqcomq.prompts.objects.prompt_list import PromptList
from napari_pqcomq.translation import tr
from napari_pqcomq.viewer.comparison.comparison_view import ComparisonView
from pqcomq.backends.runtime import Runtime
from pqcomq.comparison.measures.metrics import dice
from pqcomq.models.segmenter import Segmenter
from pqcomq.models.slice_prompt import SlicePrompt
from pqcomq.segmentation.embedding_cache import EmbeddingCache
from pqcomq.segmentation.prompt import Prompt
from pqcomq.segmentation.slice_runner import SliceRunner
from pqcomq.volumes.intensity_window import EightBitSlices, Window
from pqcomq.volumes.volume import Volume

_PATIENCE_SECONDS = 5.0


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
        pixels = EightBitSlices(self.volume, self.window)
        return [SliceRunner(each, self.volume, self.window, self.cache, pixels) for each in self.segmenters]

    @property
    def looks_ahead(self) -> bool:
        """Whether slices around the one in sight are encoded while nothing else is asked for.

        Not in torch: there a slice takes seconds of all cores, which the window and the next job need.
        """
        return all(each.execution.setting != Runtime.torch.value for each in self.segmenters)

    def _identities(self) -> list[tuple[str, str, str, str]]:
        return [(each.key, each.fingerprint, each.execution.setting, each.rounding) for each in self.segmenters]

    def is_as(self, other: LiveModels | None) -> bool:
        """Whether the other would answer the same."""
        return (
            other is not None
            and self.volume is other.volume
            and self.window == other.window
            and self._identities() == other._identities()
        )


class LiveSession(QObject):
    """Keeps masks in step with boxes while a comparison is open.

    An object whose prompt has changed since it was last compared is live: its masks are those of the slices that the
    user has looked at since, each prompted with the box itself and its own points. Others keep the masks of their
    comparison. While a box is dragged, only the slice in sight is touched: its mask stays until the next one comes, all
    others go.

    Attributes:
        lines_changed: emitted with the lines for each side's plate while the current object is live.
        outdated: emitted with an object's number when its prompt has changed: masks of the one before are gone.
        failed: emitted with the cause when the models cannot be asked.
        latencies_ms: from each move of a box to its masks, encoding apart.
    """

    lines_changed = Signal(object)
    outdated = Signal(int)
    failed = Signal(str)

    def __init__(
        self, viewer: ViewerModel, view: ComparisonView, prompts: PromptList, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._viewer, self._view, self._prompts = viewer, view, prompts
        self._models: LiveModels | None = None
        self._masks: LiveInference | None = None
        self._asked: dict[int, Prompt] = {}
        self._live: set[int] = set()
        self._drawn: dict[int, set[int]] = {}  # object number → slices with a mask of it
        self._outdated: set[tuple[int, int]] = set()  # object number and slice whose mask is of an earlier box
        self._covered = CoveredMasks()
        self._ticked: set[int] = set()  # object numbers
        self._touched: set[int] = set()  # those whose prompt was changed since they were unticked
        self._changed_at: dict[int, float] = {}  # object number → when its prompt was changed, of perf_counter
        self._paused = False
        self._with_figures: set[int] = set()  # objects whose plates show a comparison's figures
        self.latencies_ms: list[float] = []
        self._clock = EncodingClock(self)
        self._clock.told.connect(lambda line: self.lines_changed.emit([(line,)] * self._view.sides))
        prompts.changed.connect(self._on_prompts)
        viewer.dims.events.current_step.connect(self._ask)

    @property
    def is_running(self) -> bool:
        """Whether masks follow."""
        return self._models is not None

    def is_live(self, number: int) -> bool:
        """Whether the masks of object ``number`` are live."""
        return number in self._live

    def start(self, models: LiveModels, compared: Mapping[int, Prompt]) -> None:
        """Follow the prompts from now on; the view must be open with as many sides as there are models.

        Args:
            models: to ask.
            compared: numbers of the objects whose masks in the view come from a comparison, with the prompts compared.
        """
        self._ask_from_now_on(models)
        # Boxes laid aside wait until they are moved; those changed while the comparison ran are live at once.
        laid_aside = {each.number: each.asked for each in self._prompts.objects if not each.compared}
        self._asked, self._live, self._outdated = {**laid_aside, **compared}, set(), set()
        self._drawn = {number: set(each.slices) for number, each in compared.items()}
        self._with_figures = set(compared)
        self._covered.clear()
        # What was compared is seen, ticked or not, until it is unticked.
        self._ticked = {each.number for each in self._prompts.compared}
        self._touched = set(compared) - self._ticked
        self._on_prompts()

    def set_window(self, window: Window | None) -> None:
        """Let the models see the volume in another window."""
        if self._models is not None and window != self._models.window:
            live = self._live
            self._ask_from_now_on(replace(self._models, window=window))
            self._live = live
            for number in live:  # masks of what was seen in the other window
                self._forget_masks(number, self._asked.get(number))
            self._ask()

    def _ask_from_now_on(self, models: LiveModels) -> None:
        if not models.is_as(self._models):
            self.stop()
            self._models, self._masks = models, LiveInference(models.runners, self)
            self._masks.answered.connect(self._on_answer)
            self._masks.encoding.connect(self._on_encoding)
            self._masks.failed.connect(self._on_failed)
            self._masks.begin()

    def stop(self, *, patience_seconds: float = 0) -> None:
        """End following; see :meth:`LiveInference.end`."""
        if self._masks is not None:
            self._masks.end(patience_seconds=patience_seconds)
        self._clock.stop()
        self._models, self._masks, self._live = None, None, set()

    def end(self) -> None:
        """Stop, and wait until no thread is left that speaks to this object: it is about to vanish."""
        self.stop(patience_seconds=_PATIENCE_SECONDS)

    def release(self) -> None:
        """Stop, and let go of the viewer."""
        self.end()
        self._viewer.dims.events.current_step.disconnect(self._ask)

    def pause(self, paused: bool) -> None:
        """Leave the processor to another job."""
        self._paused = paused
        if paused and self._masks is not None:
            self._clock.stop()
            self._masks.rest()
        elif not paused:
            self._ask()

    def _on_prompts(self) -> None:
        if self._masks is None or not self._view.is_open:
            return
        now = {each.number: each.asked for each in self._prompts.objects}
        for number in self._asked.keys() | now.keys():
            if self._asked.get(number) != now.get(number):
                self._touched.add(number)
                self._changed_at[number] = time.perf_counter()
                self.outdated.emit(number)
                self._forget_masks(number, now.get(number))
                (self._live.add if number in now else self._live.discard)(number)
                self._say_that_figures_are_old(number)
        ticked = {each.number for each in self._prompts.compared}
        self._touched -= self._ticked - ticked
        self._asked, self._ticked = now, ticked
        self._show_boxes()
        self._ask()

    def _forget_masks(self, number: int, asked: Prompt | None) -> None:
        """Masks of an earlier prompt go; the one in sight stays until its successor comes, or it would flicker."""
        z, drawn = self._slice, self._drawn.pop(number, set())
        if z in drawn and asked is not None and self._question(asked, z) is not None and not self._paused:
            self._outdated.add((number, z))
            self._drawn[number] = {z}
        self._covered.forget(number)
        self._clear(number, drawn - self._drawn.get(number, set()))

    def _clear(self, number: int, slices: set[int]) -> None:
        """Take an object's masks away, and show what they have hidden."""
        for z in slices & self._covered.slices:
            shown = self._view.masks(z)
            left = self._covered.redrawn(z, shown, self._live | {number}, {number}, [{}] * len(shown))
            self._view.set_masks(z, left)
        self._view.clear_masks(number, slices - self._covered.slices)

    def _say_that_figures_are_old(self, number: int) -> None:
        current = self._prompts.current_prompt
        if current is not None and current.number == number and number in self._with_figures:
            self.lines_changed.emit([(tr("The prompt has changed."),)] * self._view.sides)
        self._with_figures.discard(number)

    def _clear_outdated(self) -> None:
        """Remove the masks of earlier boxes on slices that the user has left: no new ones will come for them."""
        for number, z in [each for each in self._outdated if each[1] != self._slice]:
            self._outdated.discard((number, z))
            self._drawn.get(number, set()).discard(z)
            self._clear(number, {z})

    @property
    def is_up_to_date(self) -> bool:
        """Whether no mask in sight waits for its successor."""
        return not self._outdated

    @property
    def _slice(self) -> int:
        volume = self._view.volume
        return 0 if volume is None else voxel_at(volume, self._viewer.dims.point)[0]

    def _show_boxes(self) -> None:
        """Those that have masks or will have; boxes laid aside would clutter the picture."""
        chosen, current = self._prompts.compared, self._prompts.current_prompt
        shown = chosen if current is None or current in chosen else (*chosen, current)
        self._view.set_objects(shown, 0 if current is None else current.number, self.hidden)

    @property
    def hidden(self) -> frozenset[int]:
        """Numbers of the objects whose masks are out of sight: unticked, until their box is moved."""
        return frozenset(each.number for each in self._prompts.objects if not each.compared) - self._touched

    def _ask(self, event: object = None) -> None:
        """Ask for the live objects on the slice in sight."""
        if self._masks is None or self._paused or not self._view.is_open:
            return
        self._clear_outdated()
        z = self._slice
        self._clock.look(z)
        if self._models is not None and self._models.looks_ahead:
            self._masks.look(z)
        questions = {number: self._question(asked, z) for number, asked in self._asked.items() if number in self._live}
        prompts = {number: each for number, each in questions.items() if each is not None}
        if prompts:
            self._masks.ask(z, prompts)

    def _question(self, asked: Prompt, z: int) -> SlicePrompt | None:
        """What the models are asked on a slice: box, own points or own strokes; None where there is nothing to ask."""
        models = self._models
        if models is None or z not in asked.slices:
            return None
        if not all(each.takes(kind) for each in models.segmenters for kind in asked.kinds):
            return None
        return asked.on_slice(z, asked.rectangle, models.volume.grid.shape_zyx[1:])

    def _on_failed(self, cause: str) -> None:
        """The threads have ended: who starts again gets others; until then boxes are shown, and old masks go."""
        if self.sender() is self._masks:  # and not those before, whose word was under way
            self._clock.stop()
            self._models = None
            self.failed.emit(cause)

    def _on_encoding(self, z: int) -> None:
        if self.sender() is self._masks:
            self._clock.start(z)

    def _is_wanted(self, number: int, question: Question) -> bool:
        """Whether the answer to a question still holds for an object, or shows on its way what is asked by now."""
        asked = self._asked.get(number)
        if number not in self._live or asked is None or self._question(asked, question.z) is None:
            return False
        return question.z == self._slice or question.asked_at >= self._changed_at.get(number, 0.0)

    def _on_answer(self, answer: Answer) -> None:
        if self.sender() is not self._masks:
            return  # of models or a window that are asked no more
        self._clock.stop(encoded=answer.encoded)
        if not self._view.is_open or len(answer.masks) != self._view.sides:
            return
        numbers = [number for number, _prompt in answer.question.prompts if self._is_wanted(number, answer.question)]
        if not answer.encoded:
            self.latencies_ms.append(answer.milliseconds)
        z = answer.question.z
        shown = self._covered.redrawn(z, self._view.masks(z), self._live, numbers, answer.masks)
        for number in numbers:
            self._drawn.setdefault(number, set()).add(z)
            self._outdated.discard((number, z))
        self._view.set_masks(z, shown)
        current = self._prompts.current_prompt
        if current is not None and current.number in numbers:
            masks = [found[current.number] for found in answer.masks]
            self.lines_changed.emit(live_lines(masks, answer, current.name))


def live_lines(masks: Sequence[np.ndarray], answer: Answer, name: str) -> list[tuple[str, ...]]:
    """What the plates say of an object on one slice that is prompted live.

    Args:
        masks: (y, x) of each side, full precision's first.
        answer: that they came with.
        name: of the object.
    """
    head = tr("Live, slice {z} only", z=answer.question.z)
    lines: list[tuple[str, ...]] = [
        (
            head,
            tr("Masks after {time}", time=_duration(answer.milliseconds))
            + (tr(", encoding included") if answer.encoded else ""),
        )
    ]
    lines += [
        (head, tr("{name}: Dice vs full precision {dice:.3f} on this slice", name=name, dice=dice(masks[0], mask)))
        for mask in masks[1:]
    ]
    return lines


def _duration(milliseconds: float) -> str:
    return f"{milliseconds:.0f} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.1f} s"
