"""A decoding process whose decoder does what a frame's bytes tell it to, as a fault in a library might."""

import os
import signal
import time

from pqcomq.volumes.dicom.decoding import worker
from pqcomq.volumes.dicom.decoding.codecs import decode


def _fault(_codec, codestream, _shape, _dtype):
    deed = codestream[2:6]
    if deed == b"segv":
        os.kill(os.getpid(), signal.SIGSEGV)
    elif deed == b"abrt":
        os.abort()
    elif deed == b"exit":
        os._exit(0)
    elif deed == b"wait":
        time.sleep(600)
    elif deed == b"hang":  # as compiled code does that never lets another thread run
        sum(iter(int, 1))
    elif deed == b"eats":
        eaten = []
        while True:
            eaten.append(bytes(64 << 20))
    return decode(_codec, codestream, _shape, _dtype)


def main(descriptor):
    worker.main(descriptor, _fault)
