"""Work that somebody waits for: done in a thread, while the window stays awake behind a bar with Cancel.

napari asks its readers for layers and waits for them, so that a file that takes seconds to read would freeze the
window.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from qtpy.QtCore import QEventLoop, QTimer
from qtpy.QtWidgets import QApplication, QDialog, QMainWindow, QVBoxLayout, QWidget

from napari_pqcomq.jobs.running.job_runner import JobRunner
from napari_pqcomq.translation import tr
from pqcomq.errors import InputError
from pqcomq.progress import Steps, finished

T = TypeVar("T")

_GRACE_MS = 400
"""What is done within this time shows no bar at all."""
_WIDTH = 420


@dataclass(frozen=True, eq=False)
class _Outcome(Generic[T]):
    """What became of the work; napari's workers take an exception that is returned for their own failure."""

    result: T | None
    problem: InputError | None = None


def _nothing() -> None:
    """What is done after Cancel where the work stops by itself."""


def awaited(work: Callable[[], Steps[T]], text: str, given_up: Callable[[], None] = _nothing) -> T | None:
    """Do long work in a thread and wait for it; the window is drawn meanwhile, and Cancel gives it up.

    Without a window, and in threads other than the window's, it is simply done.

    Args:
        work: makes the generator; called in the thread.
        text: shown until the first step.
        given_up: called after Cancel, to stop work that is long in one step.

    Returns:
        What the work returns; None where it was cancelled, or failed in a way that was told.

    Raises:
        InputError: as the work does.
    """
    if QApplication.instance() is None or threading.current_thread() is not threading.main_thread():
        return finished(work())
    dialog = WaitingDialog(window_at_work())
    dialog.rejected.connect(given_up)
    outcome: _Outcome[T] | None = dialog.wait_for(lambda: _caught(work), text)
    dialog.deleteLater()
    if outcome is None:
        return None
    if outcome.problem is not None:
        raise outcome.problem
    return outcome.result


def window_at_work() -> QWidget | None:
    """The window that the work is done for: napari's, where another program is active, as when a file is dropped."""
    shown = [each for each in QApplication.topLevelWidgets() if isinstance(each, QMainWindow) and each.isVisible()]
    return QApplication.activeWindow() or next(iter(shown), None)


def wait_out(dialog: QDialog, is_over: Callable[[], bool]) -> None:
    """Wait for a dialog's end; it is shown where that is not over in a moment.

    Args:
        dialog: whose work is under way.
        is_over: whether it has ended.
    """
    grace = QEventLoop()
    dialog.finished.connect(grace.quit)
    QTimer.singleShot(_GRACE_MS, grace.quit)
    # Nothing says yet that the window waits: a click that comes meanwhile is answered after that.
    grace.exec(QEventLoop.ProcessEventsFlag.ExcludeUserInputEvents)
    if not is_over():
        dialog.exec()


class WaitingDialog(QDialog):
    """Shows how far the work is, once it takes a while.

    Args:
        parent: Qt parent.

    Attributes:
        progress: runs the work.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Please wait"))
        self.setMinimumWidth(_WIDTH)
        self.progress = JobRunner()
        self.progress.cancel_button.clicked.connect(self.reject)
        self._is_done = False
        self._outcome: Any = None
        QVBoxLayout(self).addWidget(self.progress)
        self.progress.running.connect(self._on_running)

    def wait_for(self, work: Callable[[], Steps[Any]], text: str) -> Any:  # noqa: ANN401 (whatever the work returns)
        """What the work returns, None where it was cancelled or failed."""
        self.progress.start(work, self._take, text)
        wait_out(self, lambda: self._is_done)
        return self._outcome

    def reject(self) -> None:
        """Wait no longer; the work stops at its next step, and what it has made is not used."""
        self.progress.cancel()
        self._is_done = True
        super().reject()

    def _take(self, outcome: Any) -> None:  # noqa: ANN401 (see above)
        self._outcome = outcome

    def _on_running(self, running: bool) -> None:
        if not running and not self._is_done:
            self._is_done = True
            self.accept()


def _caught(work: Callable[[], Steps[T]]) -> Steps[_Outcome[T]]:
    """The work; what is wrong about its input, and questions about it, are raised where it is awaited."""
    try:
        return _Outcome((yield from work()))
    except InputError as error:
        return _Outcome(None, error)
