"""Where the frames of a multi-frame file without functional groups lie: nuclear medicine and offset vectors.

Reconstructed SPECT gives the first slice's place with the detector and a spacing whose sign says in which sense the
slices follow; other objects give a vector of offsets along the normal. A place and a spacing alone are not enough, as
the sense would be guessed.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from pydicom.dataset import Dataset

from pqcomq.volumes.dicom.elements import number, numbers, text
from pqcomq.volumes.dicom.headers import MOST_FRAMES, PlaneHeader


def placed_frames(first: PlaneHeader, dataset: Dataset) -> list[PlaneHeader] | None:
    """The planes of a file's frames; None where it does not say where each lies.

    Args:
        first: what all frames have in common.
        dataset: the file's header.

    Raises:
        OddValueError: a tag that places them holds something else than it must.
    """
    offsets = numbers(dataset, "GridFrameOffsetVector", first.frames)
    if offsets is not None:  # the first frame lies at the file's place, also where a writer gave heights and no offsets
        offsets = tuple(each - offsets[0] for each in offsets)
    position, orientation = first.position, first.orientation
    if offsets is None and text(dataset, "Modality") == "NM":
        detectors = dataset.get("DetectorInformationSequence") or []
        spacing, slices = number(dataset, "SpacingBetweenSlices"), _slice_numbers(dataset, first.frames)
        if len(detectors) == 1 and spacing is not None and slices is not None:
            position = numbers(detectors[0], "ImagePositionPatient", 3) or position
            orientation = numbers(detectors[0], "ImageOrientationPatient", 6) or orientation
            offsets = tuple(spacing * (each - 1) for each in slices)
    if offsets is None or position is None or orientation is None:
        return None
    normal = np.cross(orientation[:3], orientation[3:])
    return [
        replace(
            first,
            frame=index,
            instance_uid=f"{first.instance_uid}#{index}",
            instance_number=(first.instance_number or 0) * MOST_FRAMES + index,
            position=tuple((np.array(position) + offset * normal).tolist()),
            orientation=orientation,
        )
        for index, offset in enumerate(offsets)
    ]


def missing_places(first: PlaneHeader, dataset: Dataset) -> str:
    """What a file lacks that would say where its frames lie, as the beginning of a sentence.

    Args:
        first: what all frames have in common.
        dataset: the header of a file that :func:`placed_frames` finds no places in.
    """
    lacking = []
    is_detected = text(dataset, "Modality") == "NM" and len(dataset.get("DetectorInformationSequence") or []) == 1
    if not is_detected:
        places = {"ImagePositionPatient": first.position, "ImageOrientationPatient": first.orientation}
        lacking += [keyword for keyword, value in places.items() if value is None]
    if is_detected and _slice_numbers(dataset, first.frames) is not None:
        lacking.append("SpacingBetweenSlices")
    else:
        lacking.append("the place of each frame (PerFrameFunctionalGroupsSequence or GridFrameOffsetVector)")
    *others, last = lacking
    return f"{', '.join(others)} and {last} are missing" if others else f"{last} is missing"


def _slice_numbers(dataset: Dataset, frames: int) -> tuple[float, ...] | None:
    """Each frame's slice, counted from 1; None where frames are told apart by something else."""
    kinds = text(dataset, "ImageType").split("\\")
    if len(kinds) < 3 or kinds[2] not in ("RECON TOMO", "RECON GATED TOMO"):
        return None
    return numbers(dataset, "SliceVector", frames) or tuple(float(n) for n in range(1, frames + 1))
