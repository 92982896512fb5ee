"""Masks that follow the box: the models' decoders in a thread, where the latest question wins."""

from __future__ import annotations

import atexit
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import numpy as np
from qtpy.QtCore import QObject, Signal

from napari_pqcomq.translation import tr
from pqcomq.errors import InputError
from pqcomq.models.slice_prompt import SlicePrompt
from pqcomq.segmentation.slice_runner import SliceRunner

_PATIENCE_AT_EXIT_SECONDS = 30.0
"""An encoding of the larger model in torch takes that long."""
_IDLE_SECONDS = 0.7
"""Without a question before slices are encoded ahead."""
_TURN_SECONDS = 0.0005
_REACH = 3
"""Slices on either side that are encoded ahead."""


@dataclass(frozen=True)
class Question:
    """What is wanted.

    Attributes:
        z: slice number.
        prompts: object number → box and points on the slice.
        asked_at: of ``time.perf_counter``.
    """

    z: int
    prompts: tuple[tuple[int, SlicePrompt], ...]
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


@contextmanager
def _short_turns() -> Iterator[None]:
    """Let threads take short turns at the interpreter's lock.

    A decoder in torch is some hundred small operations, and each would wait the usual 5 ms while the window is drawn.
    """
    usual = sys.getswitchinterval()
    sys.setswitchinterval(_TURN_SECONDS)
    try:
        yield
    finally:
        sys.setswitchinterval(usual)


class LiveInference(QObject):
    """Asks models in a thread of its own, and lets another encode the slices around the one in sight.

    Encoding ahead waits until nothing was asked for a while, and stops for every question, so that a box that is being
    dragged has the processor to itself.

    Attributes:
        answered: emitted on the GUI's thread with an :class:`Answer`.
        encoding: emitted when a slice must be encoded first, with its number.
        failed: emitted with the cause when the models cannot be asked.
        left: emitted when no thread of its own is left; the object is deleted then.
    """

    answered = Signal(object)
    encoding = Signal(int)
    failed = Signal(str)
    left = Signal()

    def __init__(self, make_runners: Callable[[], list[SliceRunner]], parent: QObject | None = None) -> None:
        """Nothing is made or asked before :meth:`begin`: a thread that fails at once would tell nobody.

        Args:
            make_runners: one for each model; called in the thread, since windowing a large volume takes a while.
            parent: Qt parent.
        """
        super().__init__(parent)
        self.left.connect(self.deleteLater)  # its parent lives as long as the dock, and would keep one a comparison
        self._question: Question | None = None
        self._looked_at: int | None = None
        self._asked_at = time.perf_counter()
        self._news = threading.Condition()
        self._encoder = threading.Lock()  # no slice is encoded twice, and questions come first
        self._ended = False
        self._ahead: threading.Thread | None = None
        self._thread = threading.Thread(target=self._work, args=(make_runners,), name="live masks", daemon=True)

    def begin(self) -> None:
        """Start waiting for questions; call it once the signals are connected."""
        self._thread.start()
        # A thread that computes while the interpreter goes down takes the process with it.
        atexit.register(self.end, patience_seconds=_PATIENCE_AT_EXIT_SECONDS)

    def ask(self, z: int, prompts: dict[int, SlicePrompt]) -> None:
        """Ask for the masks of prompts on a slice, in place of a question that is not begun yet."""
        with self._news:
            self._question = Question(z, tuple(prompts.items()), time.perf_counter())
            self._asked_at = self._question.asked_at
            self._news.notify_all()

    def look(self, z: int) -> None:
        """Encode the slices around one that is in sight, once there is time."""
        with self._news:
            self._looked_at, self._asked_at = z, time.perf_counter()
            self._news.notify_all()

    def rest(self) -> None:
        """Drop the question that is not begun yet, and what would be encoded ahead."""
        with self._news:
            self._question = self._looked_at = None

    def end(self, *, patience_seconds: float = 0) -> None:
        """End the threads after what they are computing now; nothing is emitted from then on.

        Args:
            patience_seconds: to wait until they have ended: needed only where this object is about to vanish.
        """
        with self._news:
            self._ended = True
            self._news.notify_all()
        if patience_seconds:
            self._thread.join(patience_seconds)

    def _work(self, make_runners: Callable[[], list[SliceRunner]]) -> None:
        # Kept by the thread alone: whoever holds this object would hold models and volume.
        with self._telling_failure():
            runners = make_runners()
            self._ahead = threading.Thread(target=self._encode_ahead, args=(runners,), name="ahead", daemon=True)
            self._ahead.start()
            while (question := self._next()) is not None:
                answer = self._answer(runners, question)
                if answer is not None and not self._ended:
                    self.answered.emit(answer)
        self.end()  # also after a failure
        if self._ahead is not None:
            self._ahead.join()
        atexit.unregister(self.end)
        with suppress(RuntimeError):  # deleted together with its parent
            self.left.emit()

    @contextmanager
    def _telling_failure(self) -> Iterator[None]:
        try:
            yield
        except InputError as error:
            if not self._ended:
                self.failed.emit(str(error))
        except Exception as error:
            if not self._ended:
                self.failed.emit(tr("The live masks have stopped: {error}.", error=error))

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
            self._encode(runner, question.z)
            with _short_turns():
                masks.append({number: runner.segment(question.z, asked) for number, asked in question.prompts})
            if self._is_left(question.z):
                return None
        elapsed = (time.perf_counter() - question.asked_at) * 1e3
        return Answer(question, tuple(masks), elapsed, encoded)

    def _encode(self, runner: SliceRunner, z: int) -> None:
        if not runner.is_cached(z):
            with self._encoder:
                for _encoded in runner.encode_ahead(z, reach=0):
                    pass

    def _is_left(self, z: int) -> bool:
        with self._news:
            return self._ended or (self._question is not None and self._question.z != z)

    def _encode_ahead(self, runners: list[SliceRunner]) -> None:
        """Encode around the slice in sight, the nearest first and with all models, until the end."""
        with self._telling_failure():
            while (z := self._sight()) is not None:
                steps = [runner.encode_ahead(z, reach) for reach in range(_REACH + 1) for runner in runners]
                for work in steps:
                    while self._sight() == z:
                        with self._encoder:
                            if next(work, None) is None:
                                break
                with self._news:
                    if self._looked_at == z:
                        self._looked_at = None  # all of it is done

    def _sight(self) -> int | None:
        """The slice in sight, once nothing was asked for a while; None at the end."""
        with self._news:
            while not self._ended:
                idle = time.perf_counter() - self._asked_at
                if self._looked_at is not None and self._question is None and idle >= _IDLE_SECONDS:
                    return self._looked_at
                self._news.wait(None if self._looked_at is None else max(_IDLE_SECONDS - idle, 0.05))
            return None
