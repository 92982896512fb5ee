"""Two settings of the whole process that decide how fast torch runs on a CPU, made when the package is imported."""

from __future__ import annotations

import ctypes
import os
import sys

_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4
"""Numbers of glibc's ``mallopt`` options."""

_KEPT_BYTES = 512 * 2**20


def let_waiting_threads_sleep() -> None:
    """Keep OpenMP's threads from spinning while they wait for each other.

    A spinning thread takes the core from the one that it waits for as soon as anything else runs, such as a window
    being drawn: encoding a slice was then up to three times slower. OpenMP reads this when torch is first imported. A
    user's own setting stands.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


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
    return bool(mallopt(_M_MMAP_MAX, 0) and mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES))
