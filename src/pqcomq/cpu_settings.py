"""Settings of a whole process that decide how fast torch runs on a CPU; made only in processes of our own.

The command line and the demo's window make them. Importing the package, or opening the plugin in napari, does not: the
allocator's setting holds for everything in the process and keeps up to 512 MiB that others could use. Who wants the
speed in napari all the same sets ``PQCOMQ_CPU_SETTINGS=1`` in its environment.
"""

from __future__ import annotations

import ctypes
import os
import sys

_M_TRIM_THRESHOLD, _M_MMAP_MAX, _M_ARENA_MAX = -1, -4, -8
"""Numbers of glibc's ``mallopt`` options."""

_KEPT_BYTES = 512 * 2**20

_VARIABLES = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "THP_MEM_ALLOC_ENABLE")

_ASKED_FOR = "PQCOMQ_CPU_SETTINGS"

_state = {"keeps_freed_memory": False}


def apply_cpu_settings() -> None:
    """Set up this process for speed. Call it before torch is first imported, and only in a process of one's own."""
    let_waiting_threads_sleep()
    use_huge_pages()
    _state["keeps_freed_memory"] = keep_freed_memory()


def apply_if_asked_for() -> None:
    """The same in somebody else's process, where its user sets ``PQCOMQ_CPU_SETTINGS=1`` in the environment."""
    if os.environ.get(_ASKED_FOR) == "1":
        apply_cpu_settings()


def keeps_freed_memory() -> bool:
    """Whether this process's allocator was set up for speed; told with every latency, since it halves or doubles it."""
    return _state["keeps_freed_memory"]


def environment_without_settings() -> dict[str, str]:
    """This process's environment without the variables that are set here, whoever set them.

    A process started with it runs torch as it comes: the allocator's setting is not inherited.
    """
    return {name: value for name, value in os.environ.items() if name not in _VARIABLES}


def let_waiting_threads_sleep() -> None:
    """Keep OpenMP's threads from spinning while they wait for each other.

    A spinning thread takes the core from the one that it waits for as soon as anything else runs, such as a window
    being drawn: encoding a slice was then up to three times slower. GNU's OpenMP, which torch brings along on Linux, is
    allowed to spin for some microseconds: the next operation often comes sooner than a thread wakes up, so quantizing
    takes an eighth less, and beside a busy process encoding is as fast as without. OpenMP reads this when torch is
    first imported. A user's own setting stands.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
        os.environ.setdefault("GOMP_SPINCOUNT", "2000")


def use_huge_pages() -> None:
    """Let torch ask Linux for pages of 2 MiB for its larger tensors.

    The passes that quantizing keeps halted hold gigabytes, and first touching them a page of 4 KiB at a time took a
    twentieth of the time. Torch reads this at its first allocation; elsewhere it means nothing. A user's own setting
    stands.
    """
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")


def keep_freed_memory() -> bool:
    """Let glibc keep up to 512 MiB of freed memory instead of handing every large buffer back to the kernel.

    Activations of tens of megabytes are otherwise mapped, zeroed page by page, used once and unmapped: half of the time
    of encoding a slice with LiteMedSAM was spent there.

    Returns:
        Whether it is in force: false outside Linux with glibc, whose allocators work otherwise.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    # One heap for all threads: what one has freed would otherwise be kept from the others.
    return bool(mallopt(_M_ARENA_MAX, 1) and mallopt(_M_MMAP_MAX, 0) and mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES))


def give_back_freed_memory() -> bool:
    """Hand freed memory back to the kernel, once, after work that took much and is not soon done again.

    glibc keeps it in the heaps of the threads that had it: after quantizing and comparing in the window a fifth to a
    third of a gigabyte, which grows with the hours. It takes milliseconds and may be called from any thread. A process
    that was set up for speed keeps what it is allowed to.

    Returns:
        Whether some was handed back: false outside Linux with glibc, whose allocators work otherwise.
    """
    return not keeps_freed_memory() and give_back_between()


def give_back_between() -> bool:
    """Hand freed memory back to the kernel between two pieces of long work, in a process set up for speed too.

    What is freed between buffers that stay is not at the end of the heap, where alone glibc gives memory back by
    itself; buffers of other sizes then come on top. Not to be called often: what is given back is soon taken again.

    Returns:
        Whether some was handed back: false outside Linux with glibc, whose allocators work otherwise.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        return bool(ctypes.CDLL(None).malloc_trim(0))
    except (OSError, AttributeError):
        return False
