"""What is made of the user's work in a moment, in threads, and is not lost where the dock is closed meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from napari.utils.notifications import notification_manager
from qtpy.QtCore import QObject

from napari_pqcomq.jobs.running.one_off import one_off

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class _Errand:
    work: Callable[[], Any]
    take: Callable[[Any], None]


@dataclass(frozen=True, eq=False)
class _Done:
    """What became of one; napari's workers are silent about some exceptions, so that none reaches them."""

    errand: _Errand
    made: Any = None
    problem: Exception | None = None


class Errands(QObject):
    """Does each in a thread of its own, without progress or Cancel.

    Args:
        parent: Qt parent; where it is deleted, nothing more is taken.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._open: list[_Errand] = []

    @property
    def is_running(self) -> bool:
        """Whether one is under way."""
        return bool(self._open)

    def start(self, work: Callable[[], T], take: Callable[[T], None]) -> None:
        """Begin one.

        Args:
            work: called in a thread, and perhaps once more by :meth:`finish`: it changes nothing.
            take: gets what the work returns, in the window's thread.
        """
        errand = _Errand(work, take)
        self._open.append(errand)
        worker = one_off(_done, errand)
        worker.returned.connect(self._on_done)
        worker.start()

    def finish(self) -> None:
        """Do here what is still under way: who takes it is about to go."""
        for errand in tuple(self._open):
            self._on_done(_done(errand))

    def _on_done(self, done: _Done) -> None:
        if done.errand not in self._open:
            return  # it was finished before
        self._open.remove(done.errand)
        if done.problem is None:
            done.errand.take(done.made)
        else:
            notification_manager.receive_error(type(done.problem), done.problem, done.problem.__traceback__)


def _done(errand: _Errand) -> _Done:
    try:
        return _Done(errand, errand.work())
    except Exception as problem:  # told in the window's thread
        return _Done(errand, problem=problem)
