"""Which images a folder, DICOMDIR, archive or file holds, found by their headers alone."""

from __future__ import annotations

import logging
import os
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path

from pqcomq.atomic_files import why
from pqcomq.errors import InputError
from pqcomq.progress import Progress, Stopwatch, finished
from pqcomq.volumes.dicom.annotations import Annotation, annotation_of
from pqcomq.volumes.dicom.file_discovery import DicomFile, Opener, dicom_files
from pqcomq.volumes.dicom.grouping import Series, series_of
from pqcomq.volumes.dicom.headers import PlaneHeader, Repeated, header_of
from pqcomq.volumes.dicom.multiframe import planes_of
from pqcomq.volumes.dicom.pydicom_warnings import with_pydicom_errors
from pqcomq.volumes.dicom.unusable_files import is_cut_off, looking_like

logger = logging.getLogger(__name__)

THREADS = min(8, 2 * (os.cpu_count() or 1))
"""Parsing holds the interpreter, so threads help where files come slowly: a disk, a network share."""
BATCH = 50
"""Files looked at between two steps of progress."""


@dataclass(frozen=True)
class _Found:
    """What one file holds.

    Attributes:
        planes: its image planes.
        annotation: the segmentation or structure set that it is, if it is one.
        error: why it cannot be read.
        none_since: why it is none of these, as the rest of a sentence; ``""`` for other DICOM objects.
    """

    planes: list[PlaneHeader] = field(default_factory=list)
    annotation: Annotation | None = None
    error: InputError | None = None
    none_since: str = ""


@dataclass
class Scan:
    """What was found.

    Attributes:
        path: where it was looked.
        planes: all image planes.
        annotations: segmentations and structure sets.
        damaged: DICOM files too damaged to tell, and files that look like slices and hold no image; each with the
            sentence why.
    """

    path: Path
    planes: list[PlaneHeader] = field(default_factory=list)
    annotations: list[Annotation] = field(default_factory=list)
    damaged: dict[DicomFile, str] = field(default_factory=dict)

    def series(self) -> list[Series]:
        """The planes by series, ordered by patient, study and series number."""
        return series_of(self.planes)


def scanning(path: Path) -> Generator[Progress, None, Scan]:
    """Look into every file below ``path``; stop asking for steps, and it stops.

    Args:
        path: a folder, DICOMDIR, zip archive or DICOM file that exists.

    Yields:
        How many files were looked at.

    Returns:
        What was found, which may be nothing.

    Raises:
        InputError: there are too many files, or a single file or the archive is damaged.
    """
    files = dicom_files(path)
    scan = Scan(path)
    watch = Stopwatch(len(files))
    others: dict[DicomFile, str] = {}
    with Opener() as opener, ThreadPoolExecutor(THREADS) as pool:
        remaining = iter(files)
        look = partial(_look, opener=opener, repeated=Repeated())
        while batch := list(islice(remaining, BATCH)):
            for file, found in zip(batch, pool.map(look, batch), strict=True):
                _take(scan, file, found)
                if found.none_since:
                    others[file] = found.none_since
                step = watch.step(f"{len(scan.planes)} images found")
            yield step
    for file in looking_like(others, {plane.file for plane in scan.planes}):
        scan.damaged[file] = f"The file {others[file]} ({file})."
    return scan


def scan_of(path: Path) -> Scan:
    """``scanning`` to its end."""
    return finished(scanning(path))


def _look(file: DicomFile, opener: Opener, repeated: Repeated) -> _Found:
    try:
        header = header_of(file, opener)
        if header is None:
            return _Found(none_since="is empty" if opener.is_empty(file) else "is no DICOM file")
        with with_pydicom_errors(file):
            annotation = annotation_of(file, header.dataset)
            planes = planes_of(file, header, repeated) if header.is_whole else []
            if not planes and annotation is None and is_cut_off(header.dataset):
                raise InputError("The file was cut off before its pixels, or holds none.", file)
        return _Found(planes, annotation)
    except InputError as error:
        return _Found(error=error)
    except OSError as error:
        return _Found(error=InputError(f"The file cannot be read: {why(error)}.", file))


def _take(scan: Scan, file: DicomFile, found: _Found) -> None:
    if found.error is not None:
        logger.info("%s", found.error)  # told with the volume or the list
        scan.damaged[file] = str(found.error)
    scan.planes += found.planes
    scan.annotations += [found.annotation] if found.annotation else []
