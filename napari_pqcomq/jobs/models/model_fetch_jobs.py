"""Models' weights or a sample, in the background, as the command line does it: fetched, taken over, checked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from napari_pqcomq.jobs.models.triton_guard import keep_triton_out
from napari_pqcomq.jobs.progress.cancelled import CancelledError
from napari_pqcomq.translation import tr
from pqcomq.errors import InputError

if TYPE_CHECKING:
    from pqcomq.volumes.volume import Volume


class Transfer:
    """A progress bar as downloads know it, which may be moved in any thread, and stops the download once cancelled.

    Args:
        told: called with the bytes that are here and with all of them, at every further piece.

    Attributes:
        total: bytes in all.
        cancelled: set it to stop.
        is_abandoned: asked at every piece; where nobody waits any more, as when napari quits, the download stops too.
    """

    def __init__(self, told: Callable[[float, float], None]) -> None:
        self.total: float | None = None
        self.cancelled = Event()
        self.is_abandoned: Callable[[], bool] = lambda: False
        self._told, self._done = told, 0.0

    def update(self, n: float) -> None:
        """So many bytes more.

        Raises:
            CancelledError: the user has cancelled, or nobody waits any more.
        """
        self._done += n
        if self.cancelled.is_set() or self.is_abandoned():
            raise CancelledError
        self._told(self._done, self.total or 0.0)


def fetch(key: str, transfer: Transfer) -> str:
    """Fetch a model whose licence was accepted; a sentence where it could not be had, else an empty text."""
    from pqcomq.models.catalogue.fetching import fetch_model  # with torch, which takes seconds

    keep_triton_out()
    try:
        fetch_model(key, accept_licence=True, progress=transfer)
    except InputError as problem:
        return str(problem)
    except CancelledError:
        return ""
    return ""


def fetch_real_ct(transfer: Transfer) -> Volume | str:
    """The sample CT, of which what is here is only read; a sentence where it could not be had, empty after Cancel."""
    from pqcomq.samples.real_ct import real_ct

    try:
        return real_ct(transfer)
    except InputError as problem:
        return str(problem)
    except CancelledError:
        return ""


def take_over(key: str, file: Path) -> str:
    """Take over a checkpoint that the user has; a sentence where it is none of the model's, else an empty text."""
    from pqcomq.models.catalogue.fetching import import_model

    keep_triton_out()
    try:
        import_model(key, file)
    except InputError as problem:
        return str(problem)
    return ""


def check(key: str) -> tuple[str, bool]:
    """Compare a model's weights with what they were when they came; a sentence, and whether they are the same."""
    from pqcomq.models.catalogue.fetching import verify_model

    keep_triton_out()
    try:
        found = verify_model(key)
    except InputError as problem:
        return str(problem), False
    if found.published:
        return tr("The file is what it was when it came, and has the published checksum."), True
    return tr(
        "The file is what it was when it came; it is a checkpoint of your own, or nobody publishes a checksum."
    ), True
