"""The one thread that touches unfinished work on disk; it knows no Qt."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from typing import TypeVar

from napari_pqcomq.translation import tr
from pqcomq.autosave.shelf import FoundWork, Place, Shelf
from pqcomq.autosave.work import KeptLabels, UnfinishedWork
from pqcomq.errors import InputError

T = TypeVar("T")


class Desk:
    """Writes the work on the open volume, and finds that on others; everything is done in order, in one thread.

    Args:
        shelf: of all work.
        on_failure: gets one sentence, in that thread, where the disk refuses.
    """

    def __init__(self, shelf: Shelf, on_failure: Callable[[str], None]) -> None:
        self.shelf, self._on_failure = shelf, on_failure
        self._place: Place | None = None
        self._last: UnfinishedWork | None = None
        self._thread = ThreadPoolExecutor(1, "autosave")

    def write(self, work: UnfinishedWork, corrected: Callable[[], list[KeptLabels]] = list) -> None:
        """Write work; where there is none any more, its place goes.

        Args:
            work: all but what takes time to make.
            corrected: makes further layers, in the thread.
        """
        self._do(lambda: self._write(replace(work, layers=(*work.layers, *corrected()))))

    def leave(self) -> None:
        """The volume is closed in order: what was written last says so, and may be found again."""
        self._do(self._leave)

    def look(self, then: Callable[[list[FoundWork], list[str]], None]) -> None:
        """Look for work that no process holds; ``then`` gets it and what was wrong, in the thread."""
        self._do(lambda: then(self.shelf.found(), self._taken_notes()))

    def take(self, found: FoundWork) -> None:
        """Go on writing where work was found, in place of what was begun meanwhile."""
        self._do(lambda: self._take(found))

    def discard(self, found: FoundWork) -> None:
        """Delete work that was found."""
        self._do(lambda: self._discard(found))

    def tidy(self) -> None:
        """Delete the oldest, where there is too much."""
        self._do(self.shelf.tidy)

    def delete_all(self, then: Callable[[int], None]) -> None:
        """Delete everything that no other process holds; ``then`` gets the bytes, in the thread."""
        self._do(lambda: then(self._delete_all()))

    def wait(self) -> None:
        """Until everything asked for is done."""
        self._thread.submit(lambda: None).result()

    def close(self) -> None:
        """Leave the volume, and end the thread when all is written."""
        self.leave()
        self._thread.shutdown()

    def _do(self, task: Callable[[], T]) -> Future[None]:
        def guarded() -> None:
            try:
                task()
            except InputError as problem:
                self._on_failure(str(problem))
            except Exception as problem:  # told: nobody looks at what a thread has raised
                reason = problem.strerror if isinstance(problem, OSError) else None
                self._on_failure(tr("Unfinished work could not be kept: {problem}.", problem=reason or repr(problem)))

        return self._thread.submit(guarded)

    def _write(self, work: UnfinishedWork) -> None:
        if not work:
            if self._place is not None:
                self._place.discard()
            self._place = self._last = None
            return
        if self._place is None:
            self._place = self.shelf.new()
        self._place.write(work)
        self._last = work

    def _leave(self) -> None:
        place, last = self._place, self._last
        self._place = self._last = None
        if place is not None:
            with suppress(InputError):
                if last is not None:
                    place.write(replace(last, is_closed=True))
            place.release()

    def _take(self, found: FoundWork) -> None:
        taken = self.shelf.take(found)
        if taken is not None:
            if self._place is not None:
                self._place.discard()
            self._place = taken

    def _discard(self, found: FoundWork) -> None:
        taken = self.shelf.take(found)
        if taken is not None:
            taken.discard()

    def _delete_all(self) -> int:
        before = self.shelf.bytes()
        if self._place is not None:
            self._place.discard()
        self._place = self._last = None
        self.shelf.delete_all()
        return before - self.shelf.bytes()

    def _taken_notes(self) -> list[str]:
        notes, self.shelf.notes = self.shelf.notes, []
        return notes
