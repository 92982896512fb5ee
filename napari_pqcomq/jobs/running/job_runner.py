"""One background job at a time: its progress, the time left, and Cancel."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event
from typing import Any, TypeVar

from napari.qt.threading import create_worker
from napari.utils.notifications import notification_manager, show_error, show_info
from qtpy.QtCore import Qt, QThreadPool, QTimer, Signal
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_pqcomq.jobs.progress.cancelled import CancelledError
from napari_pqcomq.jobs.progress.parts import STEPS, WHOLE
from napari_pqcomq.jobs.progress.times import duration
from napari_pqcomq.translation import tr
from napari_pqcomq.widgets.controls.calm_bar import CalmBar
from pqcomq.errors import InputError, lacks_memory
from pqcomq.progress import Progress, Steps, translated

T = TypeVar("T")

_LEAST_THREADS = 16
"""Of Qt's pool, which has one a core: where two jobs run on two cores, who opens a volume would wait for one to end."""


_QUIET_SECONDS = 3.0
"""After which a step of which nothing else is known says for how long it has been going on."""


@dataclass(frozen=True)
class _Refusal:
    """What a job returns instead of its result when its input was bad."""

    sentence: str


@dataclass(frozen=True, eq=False)
class _Failure:
    """What a job returns instead of its result when something has failed that nobody expected.

    napari's workers take a ``RuntimeError`` of their function for their own deletion and fall silent; torch and
    OpenVINO raise it for whatever goes wrong, a lack of memory among it.
    """

    error: Exception


class JobRunner(QWidget):
    """Runs generators of :class:`Progress` in napari's worker threads and shows how far they are.

    The generators compute and nothing else: what they return is given to a function on the GUI's thread.

    Args:
        parent: Qt parent.
        with_cancel: show a button that cancels; without it somebody else calls :meth:`cancel`.

    Attributes:
        running: emitted with True when a job starts and with False when it ends, however it ends.
        told: emitted with every text that the line below the bar shows.
    """

    running = Signal(bool)
    told = Signal(str)

    def __init__(self, parent: QWidget | None = None, *, with_cancel: bool = True) -> None:
        super().__init__(parent)
        pool = QThreadPool.globalInstance()
        assert pool is not None  # noqa: S101 (there is always one)
        pool.setMaxThreadCount(max(pool.maxThreadCount(), _LEAST_THREADS))
        self._with_cancel = with_cancel
        self.bar, self.text = CalmBar(), QLabel()
        self.text.setWordWrap(True)
        self.text.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.cancel_button = QPushButton(tr("Cancel"))
        self.bar.setToolTip(tr("How much of the work is done."))
        self.cancel_button.setToolTip(tr("Stop after the step that is under way."))
        self.cancel_button.clicked.connect(self.cancel)
        row = QHBoxLayout()
        row.addWidget(self.bar, 1)
        row.addWidget(self.cancel_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(row)
        column.addWidget(self.text)
        self._worker: Any = None
        self._cancelled = Event()
        self._on_result: Callable[[Any], None] = lambda result: None
        self._began, self._then = 0.0, ""
        self._part, self._done = WHOLE, 0.0
        self._newest, self._newest_at = Progress(0, 0, ""), 0.0
        self._clock = QTimer(self)  # a step of a large model takes half a minute, in which the words go on
        self._clock.setInterval(1000)
        self._clock.timeout.connect(self._tell)
        self.setVisible(False)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 (Qt's name)
        """Have room for two lines: Cancel and what stands above are not to move each time that a text wraps."""
        super().showEvent(event)
        self.text.setMinimumHeight(2 * self.text.fontMetrics().lineSpacing())  # in the font of the window's style

    @property
    def is_running(self) -> bool:
        """Whether a job is under way."""
        return self._worker is not None

    @property
    def was_cancelled(self) -> bool:
        """Whether the newest job was cancelled."""
        return self._cancelled.is_set()

    def start(
        self,
        job: Callable[[], Steps[T]],
        on_result: Callable[[T], None],
        text: str,
        then: str = "",
        part: tuple[float, float] = WHOLE,
    ) -> None:
        """Run a job in the background.

        Args:
            job: makes the generator; called in the worker's thread.
            on_result: gets what the generator returns, on the GUI's thread; not called after Cancel or a failure.
            text: shown until the first step.
            then: what follows the job, in words; the time left is that of the job.
            part: where the job begins and ends on the bar, 0 to 1: what was asked for at once has one bar, and its time
                counts from the beginning of that.
        """
        if self.is_running:
            raise RuntimeError("a job is already running")
        self._on_result = on_result
        self._then, self._part, self._done = then, part, part[0]
        if part[0] == 0:
            self._began = time.perf_counter()
        self._show(Progress(0, 0, text))
        self.cancel_button.setEnabled(True)
        self.cancel_button.setVisible(self._with_cancel)
        self.setVisible(True)
        self._cancelled = Event()
        self._worker = create_worker(_guarded, job, self._cancelled, _start_thread=False, _ignore_errors=True)  # type: ignore[arg-type]
        self._worker.yielded.connect(self._show)
        self._worker.returned.connect(self._take)
        self._worker.errored.connect(self._end)  # napari's worker has already shown the error
        self._worker.start()
        self._clock.start()
        self.running.emit(True)

    def cancel(self) -> None:
        """Ask the job to stop at its next step; its result, should it be there before that, is not used."""
        if self._worker is not None:
            self._cancelled.set()
            self._on_result = lambda result: None
            self.cancel_button.setEnabled(False)
            self.text.setText(tr("Cancelling after this step…"))

    def abandon(self) -> None:
        """Cancel, and say what was stopped: whoever waits for it is about to go, and nobody sees its end."""
        if self.is_running and not self.was_cancelled:
            show_info(tr("The dock was closed, so this was stopped: {work}", work=self._newest.text))
        self.cancel()

    def show_drawing(self, progress: Progress) -> None:
        """Show how far the window itself has come with something that takes a while, until its last step.

        A job that runs has the bar to itself.
        """
        if not self.is_running:
            self._began, self._then = time.perf_counter(), ""
            self._part, self._done = WHOLE, 0.0
            self._show(progress)
            self.cancel_button.setVisible(False)
            self.setVisible(progress.step < progress.total)

    def _show(self, progress: Progress) -> None:
        self._newest, self._newest_at = progress, time.perf_counter()
        begin, end = self._part
        if progress.total:
            self._done = begin + (end - begin) * progress.step / progress.total
        # Nobody knows how long the first step takes; where the bar has come before, it stays.
        self.bar.setRange(0, STEPS if progress.total or self._done else 0)
        self.bar.setValue(round(STEPS * self._done))
        self._tell()

    def _tell(self) -> None:
        if self.cancel_button.isEnabled() or self._worker is None:
            self.text.setText(self._words())
            self.told.emit(self.text.text())

    def _words(self) -> str:
        """What is done, the time left of the whole by now, and what follows."""
        told, left = self._newest.text, self._newest.remaining_seconds
        now = time.perf_counter()
        since = now - self._newest_at
        if left is not None and (left > since or since < _QUIET_SECONDS):
            left = max(left - since, 0.0)
            whole = now - self._began + left
            told += tr(" · {left} left of {whole}", left=duration(left), whole=duration(whole))
        elif since >= _QUIET_SECONDS:
            told += tr(" · {time} so far", time=duration(since))
        return f"{told}, {self._then}" if self._then else told

    def _take(self, result: object) -> None:
        on_result = self._on_result  # who hears that the job has ended may start the next one
        self._end()
        if isinstance(result, _Refusal):
            show_error(result.sentence)
        elif isinstance(result, _Failure):
            _report(result.error)
        else:
            on_result(result)

    def _end(self, error: object = None) -> None:
        self._worker = None
        self._clock.stop()
        self.setVisible(False)
        self.running.emit(False)


def _report(error: Exception) -> None:
    if lacks_memory(error):
        show_error(tr("There is not enough memory for this. Close other programs or volumes, and try again."))
    else:
        notification_manager.receive_error(type(error), error, error.__traceback__)


def _guarded(job: Callable[[], Steps[T]], cancelled: Event) -> Steps[T | _Refusal | _Failure | None]:
    """The job, with bad input reported as one sentence instead of a traceback, and stopped once ``cancelled`` is set.

    A worker of napari's that is asked to quit drops its generator unfinished. What that holds (a model's hooks, halted
    passes) would stay until the garbage collector runs, in any thread; closed here, it is gone before the job ends.
    """

    def told(progress: Progress) -> Progress:
        if cancelled.is_set():
            raise CancelledError
        return progress

    try:
        return (yield from translated(job(), told))
    except InputError as error:
        return _Refusal(str(error))
    except (RuntimeError, MemoryError) as error:
        return _Failure(error)
    except CancelledError:
        return None
