"""One process that decodes, as its parent sees it."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time

import numpy as np

from pqcomq.volumes.dicom.decoding.shared_bytes import SharedBytes

WORKER = "pqcomq.volumes.dicom.decoding.worker"
START = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from {module} import main; main(int(sys.argv[2]))"
"""Not the main module of the parent, which a script without a guard would run again, as ``multiprocessing`` does."""
SECONDS, PIXELS_PER_SECOND = 60.0, 1e6
"""Of the clock that a frame may take: so many, and one more for so many pixels, a tenth of the slowest decoder's."""
MEMORY, MEMORY_PER_PIXEL = 256 << 20, 32
"""Bytes that decoding may take beside the frame; OpenJPEG takes 12 a pixel."""
KEPT_ROOM = 64 << 20
"""Bytes of shared memory that are kept for the next frame."""
ENVIRONMENT = {
    # Libraries of linear algebra keep memory for every thread, of which none is needed.
    **{"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"},
    # glibc gives a frame's memory back at once, and every page of the next frame's is a page fault.
    **{"MALLOC_TRIM_THRESHOLD_": "134217728", "MALLOC_MMAP_THRESHOLD_": "33554432"},
}
_END_SECONDS = 2.0


class DecoderEndedError(Exception):
    """The process died; the message says how, as the end of a sentence that begins with the decoder."""


class DecoderProcess:
    """A process that decodes one frame at a time.

    Args:
        module: whose ``main`` it runs.

    Raises:
        OSError: it cannot be started.
    """

    def __init__(self, module: str = WORKER) -> None:
        self._shared = SharedBytes()
        self.used = time.monotonic()
        descriptor = self._shared.descriptor
        places = json.dumps([each for each in sys.path if isinstance(each, str)])  # imports pass over others
        command = [sys.executable, "-c", START.format(module=module), places, str(descriptor)]
        environment = os.environ | ENVIRONMENT
        try:
            self._process = subprocess.Popen(  # noqa: S603 (this program itself)
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment,
                pass_fds=(descriptor,) if descriptor >= 0 else (),
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )  # fmt: skip
        except BaseException:
            self._shared.close()
            raise

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    @property
    def lives(self) -> bool:
        """Whether it is there to decode."""
        return self._process.poll() is None

    def decode(
        self, codec: str, codestream: bytes, shape: tuple[int, int], dtype: np.dtype, room: np.ndarray | None = None
    ) -> np.ndarray:
        """Decode one frame.

        Args:
            codec: name of the decoder; see ``codecs``.
            codestream: its compressed bytes.
            shape: rows, columns as the header states them.
            dtype: of the stored pixels, as the header states it.
            room: (rows, columns) of ``dtype`` to put them in; a new array by default.

        Returns:
            (rows, columns) of ``dtype``.

        Raises:
            ValueError: the frame is damaged, or other than the header states.
            DecoderEndedError: the process died, or took so long that it was ended.
        """
        pixels = shape[0] * shape[1]
        shared = self._shared.take(max(len(codestream), pixels * dtype.itemsize))
        shared[: len(codestream)] = codestream
        seconds, begun = SECONDS + pixels / PIXELS_PER_SECOND, time.monotonic()
        request = {
            "codec": codec, "length": len(codestream), "shape": shape, "dtype": dtype.str, "room": len(shared),
            "name": self._shared.name, "seconds": seconds, "memory": MEMORY + MEMORY_PER_PIXEL * pixels,
        }  # fmt: skip
        reply = self._ask(json.dumps(request).encode() + b"\n")
        self.used = time.monotonic()
        if reply is None:
            raise DecoderEndedError(f"took over {seconds:.0f} s" if self.used - begun >= seconds else "ended")
        if reply:
            raise ValueError(reply)
        target = np.empty(shape, dtype) if room is None else room
        np.copyto(target, np.frombuffer(shared, dtype, pixels).reshape(shape))
        if len(shared) > KEPT_ROOM:
            self._shared.shrink()
        return target

    def _ask(self, request: bytes) -> str | None:
        """One line of answer; None where the process is gone."""
        assert self._process.stdin is not None  # noqa: S101
        assert self._process.stdout is not None  # noqa: S101
        try:
            self._process.stdin.write(request)
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except OSError:  # its end of the pipe is closed
            return None
        return line.rstrip(b"\r\n").decode(errors="replace") if line.endswith(b"\n") else None

    def end(self) -> None:
        """End the process, whatever it does, and give back its memory."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):  # what is left to be written to a dead process
                    pipe.close()
        try:
            self._process.wait(_END_SECONDS if self._process.poll() is not None else 0.2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._shared.close()
