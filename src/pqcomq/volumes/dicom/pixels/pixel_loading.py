"""The pixels of a stack, read by several threads, each plane straight to where it is shown."""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from itertools import groupby

import numpy as np

from pqcomq.progress import Progress, Stopwatch
from pqcomq.volumes.dicom.file_discovery import DicomFile, Opener
from pqcomq.volumes.dicom.headers import PlaneHeader
from pqcomq.volumes.dicom.pixels.frame_reader import FrameReader
from pqcomq.volumes.dicom.pixels.modality_lut import TooNarrowError, put_real
from pqcomq.volumes.import_issues import ImportIssue

THREADS = min(8, 2 * (os.cpu_count() or 1))
FRAMES_AT_A_TIME = 64
"""Frames of one multi-frame file that a thread reads in one go."""

AMID = "What is marked as padding lies amid the other values, so that parts of the picture may have been left empty."

_Job = tuple[DicomFile, list[tuple[int, PlaneHeader]]]


def reading_planes(
    planes: Sequence[PlaneHeader], shape: tuple[int, int, int], order: Callable[[np.ndarray], np.ndarray]
) -> Generator[Progress, None, tuple[np.ndarray, tuple[ImportIssue, ...]]]:
    """Read planes into one array; stop asking for steps, and it stops.

    Args:
        planes: in the order of the file grid's last axis.
        shape: of the array to be made, (z, y, x) as it is shown.
        order: gives the view of that array whose first axis counts the planes.

    Yields:
        A step a file.

    Returns:
        The array, int16 where all values fit, else int32 or float32; and what was odd about the values.

    Raises:
        InputError: a file is damaged, cut off, or stored in a way that cannot be read.
    """
    dtype: type[np.generic] = np.int16
    while True:
        shown = np.empty(shape, dtype)
        try:
            findings = yield from _fill(order(shown), _jobs(planes))
            return shown, findings
        except TooNarrowError as narrow:
            del shown  # before the next one is made, so that there is never more than one
            dtype = narrow.dtype


def same_pixels(one: PlaneHeader, other: PlaneHeader) -> bool:
    """Whether two planes of different files hold the same stored numbers.

    Raises:
        InputError: a file is damaged.
    """
    with Opener() as opener:
        with opener.seekable(one.file) as stream:
            stored = FrameReader(one, stream).frame(one.frame)
        with opener.seekable(other.file) as stream:
            return bool(np.array_equal(stored, FrameReader(other, stream).frame(other.frame)))


def _jobs(planes: Sequence[PlaneHeader]) -> list[_Job]:
    jobs: list[_Job] = []
    for file, members in groupby(sorted(enumerate(planes), key=_by_file), key=lambda pair: pair[1].file):
        frames = list(members)
        jobs += [(file, frames[i : i + FRAMES_AT_A_TIME]) for i in range(0, len(frames), FRAMES_AT_A_TIME)]
    return jobs


def _by_file(pair: tuple[int, PlaneHeader]) -> tuple[str, str, int]:
    return str(pair[1].file.path), pair[1].file.member, pair[1].frame


def _fill(target: np.ndarray, jobs: list[_Job]) -> Generator[Progress, None, tuple[ImportIssue, ...]]:
    """Read all jobs into ``target`` (plane, row, column)."""
    watch = Stopwatch(len(jobs))
    with Opener() as opener, ThreadPoolExecutor(THREADS) as pool:
        files = _Files(opener)
        # The first alone tells a type that is too narrow before the others are read in vain.
        first = _read(jobs[0], target, files)
        futures = [pool.submit(_read, job, target, files) for job in jobs[1:]]
        padded, turned, told = first
        notes = Counter(told)
        yield watch.step("slices read")
        try:
            for future in as_completed(futures):
                count, is_turned, told = future.result()
                padded, turned = padded + count, turned or is_turned
                notes.update(told)
                yield watch.step("slices read")
        finally:
            for future in futures:
                future.cancel()
    return _findings(padded / target.size, turned, notes)


class _Files:
    """Files opened for their frames, from any number of threads.

    Of a file whose compressed frames several jobs read, all is in memory: it is read once for all of them, and kept
    until the next such file is asked for.

    Args:
        opener: opens them.
    """

    def __init__(self, opener: Opener) -> None:
        self._opener, self._lock = opener, threading.Lock()
        self._shared: tuple[DicomFile, FrameReader] | None = None

    @contextmanager
    def opened(self, plane: PlaneHeader) -> Iterator[FrameReader]:
        """The frames of a plane's file.

        Raises:
            InputError: it is damaged, or cannot be opened.
        """
        if plane.frames > FRAMES_AT_A_TIME and plane.storage.offset is None:
            yield self._whole(plane)
            return
        with self._opener.seekable(plane.file) as stream:
            yield FrameReader(plane, stream)

    def _whole(self, plane: PlaneHeader) -> FrameReader:
        with self._lock:
            if self._shared is None or self._shared[0] != plane.file:
                self._shared = None  # before the next one is read, so that there is never more than one
                with self._opener.seekable(plane.file) as stream:
                    self._shared = plane.file, FrameReader(plane, stream)
            return self._shared[1]


def _read(job: _Job, target: np.ndarray, files: _Files) -> tuple[int, bool, tuple[str, ...]]:
    """Read some planes of one file.

    Returns:
        How many pixels are padding, whether bright and dark were exchanged, and what was odd about the values.
    """
    file, members = job
    padded, amid = 0, False
    first = members[0][1]
    with files.opened(first) as pixels:
        for index, plane in members:
            place = target[index]
            count, is_amid = put_real(pixels.frame(plane.frame, place), plane.storage, plane.scale, place, file)
            padded, amid = padded + count, amid or is_amid
        notes = (*dict.fromkeys(note for _index, plane in members for note in plane.storage.notes), *pixels.notes)
    notes += (AMID,) if amid else ()
    return padded, first.storage.turned, notes


def _findings(padding: float, turned: bool, notes: Counter[str]) -> tuple[ImportIssue, ...]:
    findings = []
    if padding:
        told = f"{padding:.2%} of the voxels are marked as no part of the picture (padding) and are left empty."
        findings.append(ImportIssue("padding", told))
    if turned:
        findings.append(ImportIssue("turned", "The file shows low values bright; its values were turned round."))
    for note, count in sorted(notes.items()):
        findings.append(ImportIssue("values", note if count == 1 else f"{note[:-1]} ({count} files)."))
    return tuple(findings)
