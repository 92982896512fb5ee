"""Work in a thread of napari's of which nothing is kept once it is done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from napari.qt.threading import create_worker


def one_off(work: Callable[..., Any], *arguments: object, **named: object) -> Any:  # noqa: ANN401 (a worker of napari's)
    """A worker that calls a function once; not yet started.

    napari's list of tasks holds every worker for as long as the window lives, and a worker holds what it was given:
    whole volumes and their masks. This one gives it out of its hands when it begins.

    Args:
        work: the function.
        arguments: for it.
        named: for it.
    """
    given = [(work, arguments, named)]

    def once() -> Any:  # noqa: ANN401 (whatever the function returns)
        function, positional, keywords = given.pop()
        return function(*positional, **keywords)

    return create_worker(once, _start_thread=False, _ignore_errors=True)  # type: ignore[arg-type]
