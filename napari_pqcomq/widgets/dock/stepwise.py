"""Work on the GUI's thread in steps, with time for the window's own events between them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count

from qtpy.QtCore import QTimer

_PAUSE_MS = 5


class Stepwise:
    """Runs one iterator of steps at a time."""

    def __init__(self) -> None:
        self._steps: Iterator[None] | None = None
        self._then: Callable[[], None] | None = None

    @property
    def is_running(self) -> bool:
        """Whether steps are left to be done."""
        return self._steps is not None

    def start(
        self, steps: Iterator[None], then: Callable[[], None], told: Callable[[int], None] = lambda _done: None
    ) -> None:
        """Run steps in place of those that are under way; the first one at once.

        Args:
            steps: each does its part of the work when it is asked for.
            then: called after the last one; never, if the work was stopped or replaced meanwhile.
            told: called with the number of steps done after each but the last.
        """
        self._steps, self._then = steps, then
        done = count(1)

        def go_on() -> None:
            if self._steps is not steps:
                return
            try:
                next(steps)
            except StopIteration:
                if self._steps is steps:  # the last step may have stopped the work, or begun another
                    self._steps = None
                    then()
            else:
                told(next(done))
                QTimer.singleShot(_PAUSE_MS, go_on)

        go_on()

    def finish(self) -> None:
        """Do what is left at once."""
        steps, self._steps = self._steps, None
        if steps is not None and self._then is not None:
            for _step in steps:
                pass
            self._then()

    def stop(self) -> None:
        """Do no further step."""
        self._steps = None
