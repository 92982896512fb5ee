"""Torch on a single core, for a while and for one thread."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch compute on one core in this thread until the block ends; other threads take no notice."""
    threads = torch.get_num_threads()
    if threads == 1:
        yield
        return
    compute_here_on_one_core(others=threads)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def compute_here_on_one_core(others: int) -> None:
    """Let torch compute on one core in this thread from now on, and in threads to come on as many as before.

    ``torch.set_num_threads`` decides for more than the thread that calls it: one that has not computed yet takes the
    number that was set last, and keeps it. Whatever began in a new thread during a quantization, a model that is
    compiled or slices that are encoded, would so have one core as long as that thread lives.

    Args:
        others: cores of threads that have not computed yet.
    """
    torch.get_num_threads()  # from then on this thread counts as one that has computed
    torch.set_num_threads(1)
    elsewhere = threading.Thread(target=torch.set_num_threads, args=(others,), name="cores of other threads")
    elsewhere.start()
    elsewhere.join()
