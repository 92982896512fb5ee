"""Work in several threads that each compute on one core, so that no sum depends on how many there are.

An operation that torch shares between threads adds up in another order with every number of them: oneDNN's convolutions
and long sums give other last digits, which is enough for other codes. Here every operation runs on one core, several
passes at a time, and what they give is taken together in the order of the passes. That also wastes no time on threads
that wait for each other after every operation.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from itertools import islice
from typing import TypeVar

import torch

from pqcomq.quantization.algorithm.single_thread import compute_here_on_one_core, one_thread

_Result = TypeVar("_Result")
_Told = TypeVar("_Told")

_MOST = 4
"""Passes at a time: each holds activations, of MedSAM ViT-B some hundred megabytes."""

_AHEAD = 16
"""Pieces of work that are done or under way before the first of them is taken: some take a hundred times as long as
others, for which the other threads then do not wait."""


class Workers:
    """Threads for passes that may run beside each other.

    Args:
        count: of threads. With 0 everything runs where it is asked for, in as many threads as torch takes.
    """

    def __init__(self, count: int) -> None:
        self.count = min(count, _MOST)
        own = compute_here_on_one_core, (torch.get_num_threads(),)  # what each thread does first
        self._pool = ThreadPoolExecutor(self.count, "passes", *own) if self.count else None
        self._lanes = [ThreadPoolExecutor(1, f"lane-{number}", *own) for number in range(self.count)]

    def in_order(self, works: Iterable[Callable[[], _Result]], most: int = _AHEAD) -> Generator[_Result, None, None]:
        """Pieces of work, several at a time, and what they give in their order.

        Args:
            works: each when called.
            most: how many may be under way or wait to be taken, where what they give is large.

        Raises:
            Exception: whatever the first one that failed raised; none is begun after that.
        """
        if self._pool is None:
            for work in works:
                yield _inferring(work)
            return
        waiting, begun = iter(works), deque[Future[_Result]]()
        try:
            begun.extend(self._pool.submit(_inferring, work) for work in islice(waiting, most))
            while begun:
                result = begun.popleft().result()
                begun.extend(self._pool.submit(_inferring, work) for work in islice(waiting, 1))
                yield result
        finally:
            for each in begun:
                each.cancel()

    def begin(self, lane: int, work: Callable[[], _Result]) -> Future[_Result]:
        """Have a piece of work done in the thread of its lane, after what that was given before."""
        if not self._lanes:
            done: Future[_Result] = Future()
            done.set_result(work())
            return done
        context = copy_context()
        return self._lanes[lane % self.count].submit(context.run, work)

    def beside(self, work: Callable[[], _Result]) -> Future[_Result]:
        """Begin a piece of work whose result the caller wants later; where there is no second thread it is done now."""
        if self._pool is not None and self.count > 1:
            return self._pool.submit(_inferring, work)
        done: Future[_Result] = Future()
        try:
            done.set_result(_inferring(work))
        except Exception as problem:
            done.set_exception(problem)
        return done

    @contextmanager
    def alone(self) -> Iterator[None]:
        """While open, torch computes on one core in this thread too, unless there are no further threads."""
        if not self.count:
            yield
            return
        with one_thread():
            yield

    def working(self, work: Generator[_Told, None, _Result]) -> Generator[_Told, None, _Result]:
        """Long work on one core, whose caller finds torch's threads as they were between its steps."""
        try:
            while True:
                try:
                    with self.alone():
                        told = next(work)
                except StopIteration as end:
                    result: _Result = end.value
                    return result
                yield told
        finally:
            work.close()
            self.end()

    def end(self) -> None:
        """Let the threads go, once they have finished what they began."""
        for pool in [*self._lanes, *([self._pool] if self._pool else [])]:
            pool.shutdown()


def _inferring(work: Callable[[], _Result]) -> _Result:
    with torch.inference_mode():
        return work()
