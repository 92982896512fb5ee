"""What runs in a process that decodes: one frame after the other, until its parent is gone.

A line of JSON asks for a frame (``DecoderProcess.decode`` writes it), whose bytes lie in the shared memory; its pixels
are put in their place there, and a line tells how it went. Nothing else reaches the parent.
"""

from __future__ import annotations

import contextlib
import faulthandler
import json
import mmap
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from pqcomq.volumes.dicom.decoding.codecs import decode
from pqcomq.volumes.dicom.decoding.shared_bytes import opened

Decode = Callable[[str, bytes, tuple[int, int], np.dtype], np.ndarray]


def main(descriptor: int, decode: Decode = decode) -> None:
    """Decode frames until standard input ends.

    Args:
        descriptor: of the shared memory's file; -1 where memory is shared by name.
        decode: what decodes; tests put in what dies.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends this process
    if hasattr(signal, "SIGALRM"):
        signal.signal(signal.SIGALRM, signal.SIG_DFL)  # ends it, even where the parent takes no notice of it
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb", 0)
    silence = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):  # what libraries print past Python
        os.dup2(silence, stream)
    taken = _taken()
    room: mmap.mmap | None = None
    for line in requests:
        job = json.loads(line)
        if room is None or job["name"] or len(room) != job["room"]:
            if room is not None:
                room.close()
            room = opened(descriptor, job["name"], job["room"])
        if taken is not None:
            _limit(taken + job["room"] + job["memory"])
        with _ended_after(job["seconds"], silence):
            answer = _answer(room, job, decode)
        replies.write(answer.encode() + b"\n")


@contextlib.contextmanager
def _ended_after(seconds: float, silence: int) -> Iterator[None]:
    """While open for so long, the process is ended, which no decoder can hold up; also when its parent is gone."""
    if hasattr(signal, "setitimer"):  # a call of the system; a thread for each frame takes longer than some frames
        signal.setitimer(signal.ITIMER_REAL, seconds)
        yield
        signal.setitimer(signal.ITIMER_REAL, 0)
    else:
        faulthandler.dump_traceback_later(seconds, exit=True, file=silence)
        yield
        faulthandler.cancel_dump_traceback_later()


def _answer(room: mmap.mmap, job: dict[str, Any], decode: Decode) -> str:
    """Empty where the pixels are there, else why they are not."""
    shape, dtype = (job["shape"][0], job["shape"][1]), np.dtype(job["dtype"])
    try:
        pixels = decode(job["codec"], room[: job["length"]], shape, dtype)
        np.frombuffer(room, dtype, pixels.size).reshape(shape)[...] = pixels
    except MemoryError:
        return "more memory is needed than the picture can take"
    except Exception as problem:
        return " ".join(f"{type(problem).__name__}: {problem}".split())
    return ""


def _taken() -> int | None:
    """Bytes of memory that the process has now; None where the system does not tell, and sets no limits either."""
    with contextlib.suppress(OSError, ValueError, ImportError):
        import resource

        # A fault is not to leave a patient's picture on the disk.
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        pages = Path("/proc/self/statm").read_text("ascii").split()[0]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")
    return None


def _limit(size: int) -> None:
    if sys.platform != "win32":
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_AS)
        size = size if hard == resource.RLIM_INFINITY else min(size, hard)
        if size != soft:
            resource.setrlimit(resource.RLIMIT_AS, (size, hard))
