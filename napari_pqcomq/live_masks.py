"""Masks that follow the box: both models' decoders in a thread, where the latest question wins."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from qtpy.QtCore import QObject, Signal

from pqcomq.errors import InputError
from pqcomq.segmentation.slice_runner import SliceRunner

_PATIENCE_SECONDS = 5.0


@dataclass(frozen=True)
class Question:
    """What is wanted.

    Attributes:
        z: slice number.
        boxes: object number → (x0, y0, x1, y1) in slice pixels.
        asked_at: of ``time.perf_counter``.
    """

    z: int
    boxes: tuple[tuple[int, tuple[float, float, float, float]], ...]
    asked_at: float


@dataclass(frozen=True, eq=False)
class Answer:
    """What the models say.

    Attributes:
        question: that is answered.
        masks: for each model, object number → (H, W) bool.
        milliseconds: from the question to the answer, waiting for the answer before it included.
        encoded: the slice had to be encoded first, which takes far longer than the decoding.
    """

    question: Question
    masks: tuple[dict[int, np.ndarray], ...]
    milliseconds: float
    encoded: bool


class LiveMasks(QObject):
    """Asks models in a thread of its own.

    Attributes:
        answered: emitted on the GUI's thread with an :class:`Answer`.
        encoding: emitted when a slice must be encoded first, with its number.
        failed: emitted with the cause when the models cannot be asked.
    """

    answered = Signal(object)
    encoding = Signal(int)
    failed = Signal(str)

    def __init__(self, make_runners: Callable[[], list[SliceRunner]], parent: QObject | None = None) -> None:
        """Start waiting for questions.

        Args:
            make_runners: one for each model; called in the thread, since windowing a large volume takes a while.
            parent: Qt parent.
        """
        super().__init__(parent)
        self._make_runners = make_runners
        self._question: Question | None = None
        self._news = threading.Condition()
        self._ended = False
        self._thread = threading.Thread(target=self._work, name="live masks", daemon=True)
        self._thread.start()

    def ask(self, z: int, boxes: dict[int, tuple[float, float, float, float]]) -> None:
        """Ask for the masks of boxes on a slice, in place of a question that is not begun yet."""
        with self._news:
            self._question = Question(z, tuple(boxes.items()), time.perf_counter())
            self._news.notify()

    def forget(self) -> None:
        """Drop the question that is not begun yet."""
        with self._news:
            self._question = None

    def end(self, *, wait: bool = False) -> None:
        """End the thread after what it is computing now; nothing is emitted from then on.

        Args:
            wait: until it has ended, for some seconds at most: needed only where this object is about to vanish.
        """
        with self._news:
            self._ended = True
            self._news.notify()
        if wait:
            self._thread.join(_PATIENCE_SECONDS)

    def _work(self) -> None:
        try:
            runners = self._make_runners()
            while (question := self._next()) is not None:
                answer = self._answer(runners, question)
                if answer is not None and not self._ended:
                    self.answered.emit(answer)
        except InputError as error:
            if not self._ended:
                self.failed.emit(str(error))
        except Exception as error:
            if not self._ended:
                self.failed.emit(f"The live masks have stopped: {error}.")

    def _next(self) -> Question | None:
        """Wait for a question; None at the end."""
        with self._news:
            self._news.wait_for(lambda: self._ended or self._question is not None)
            question, self._question = self._question, None
            return None if self._ended else question

    def _answer(self, runners: list[SliceRunner], question: Question) -> Answer | None:
        """Both models' masks, or None where the user has left the slice while it was being encoded."""
        masks: list[dict[int, np.ndarray]] = []
        encoded = not all(runner.is_cached(question.z) for runner in runners)
        if encoded and not self._ended:
            self.encoding.emit(question.z)
        for runner in runners:
            masks.append({number: runner.segment(question.z, np.array(box)) for number, box in question.boxes})
            if self._is_left(question.z):
                return None
        elapsed = (time.perf_counter() - question.asked_at) * 1e3
        return Answer(question, tuple(masks), elapsed, encoded)

    def _is_left(self, z: int) -> bool:
        with self._news:
            return self._ended or (self._question is not None and self._question.z != z)
