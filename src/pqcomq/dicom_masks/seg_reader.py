"""Reading a DICOM segmentation (SEG) as labels on the grid of the volume that it belongs to.

Frames are decoded one by one and laid on the grid by their own positions. highdicom's reader is not used
here: it asks for every module of the standard, which files of other makers often lack, and builds a volume of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset

from pqcomq.dicom_masks.attributes import long_string
from pqcomq.dicom_masks.frame_decoding import decoded_frames
from pqcomq.dicom_masks.label_box import MOST_BYTES, LabelMapBuilder, Part, Place
from pqcomq.dicom_masks.mask_object import LabelledObjects
from pqcomq.dicom_masks.object_loading import SEGMENTATION, check_frame_of_reference, open_object, with_pydicom_errors
from pqcomq.dicom_masks.plane_placement import FARTHEST, Axes, axes_on_grid, evened, place_frame
from pqcomq.dicom_masks.referenced_series import image_corners
from pqcomq.errors import InputError
from pqcomq.volumes.plain_numbers import plain_float
from pqcomq.volumes.volume import Volume

MOST_SEGMENTS = 65535
IDENTIFICATION = "SegmentIdentificationSequence"
"""Names a frame's segment; where there is a single one, a file without it can mean no other."""
FRACTION = 0.5
"""Share of the greatest value from which a voxel of a fractional segmentation counts as inside."""


@dataclass(frozen=True)
class _Frame:
    """What the header says of one frame."""

    segment: int | None
    position: tuple[float, ...]
    cosines: tuple[float, ...]
    spacing: tuple[float, ...]


def read_segmentation(path: Path, volume: Volume, only: Collection[int] | None = None) -> LabelledObjects:
    """Read the segments of a DICOM segmentation.

    Args:
        path: of the file.
        volume: that it belongs to.
        only: numbers of the segments to read; all by default.

    Returns:
        Segments as labels by their numbers. A fractional segmentation counts from half of its greatest value, which a
        note tells.

    Raises:
        InputError: the file is damaged, empty, of another examination or on other voxels, or lacks a segment asked for.
    """
    dataset = open_object(path, SEGMENTATION)
    with with_pydicom_errors(path):
        names = segment_names(dataset, path)
        frames = _frames(dataset, path)
        stated = {str(dataset.get("FrameOfReferenceUID") or "")} - {""}
    notes = check_frame_of_reference(path, stated, volume)
    chosen = set(names) if only is None else set(only)
    if missing := sorted(chosen - set(names)):
        raise InputError(f"The file has no segment {missing[0]}, only {_listed(names)}.", path)
    with with_pydicom_errors(path):
        parts, shown = _parts(dataset, frames, chosen, path, volume)
    if unnamed := sorted(shown - set(names)):
        listed = ", ".join(map(str, unnamed))
        notes += (f"Segments that the file shows and does not describe were left out: {listed}.",)
    builder = LabelMapBuilder(volume.grid.shape_zyx, max(chosen), path)
    for number in sorted(parts):
        builder.add(number, parts[number])
    if not parts:
        raise InputError(
            f"The file has no voxel in {'any segment' if only is None else 'the segments asked for'}.", path
        )
    if dataset.SegmentationType == "FRACTIONAL":
        notes += (f"The segmentation is fractional; voxels count from {FRACTION:.0%} of its greatest value.",)
    return LabelledObjects(builder.maps(), {number: names[number] for number in sorted(chosen)}, notes)


def segment_names(dataset: Dataset, path: Path) -> dict[int, str]:
    """Segment number → label.

    Args:
        dataset: of the file; its header will do.
        path: of the file, for messages.

    Raises:
        InputError: the file describes no segment, or is damaged.
    """
    kind = str(dataset.get("SegmentationType") or "")
    if kind not in ("BINARY", "FRACTIONAL", "LABELMAP"):
        raise InputError(f"The file is a segmentation of an unknown type ({kind or 'none stated'}).", path)
    names = {
        int(item.SegmentNumber): long_string(str(item.get("SegmentLabel") or "")) or f"segment {item.SegmentNumber}"
        for item in dataset.get("SegmentSequence") or []
        if int(item.SegmentNumber) > 0  # in a label map 0 is the background
    }
    if not names:
        raise InputError("The file describes no segment.", path)
    if max(names) > MOST_SEGMENTS:
        raise InputError("The file is a damaged DICOM object.", path)
    return names


def _frames(dataset: Dataset, path: Path) -> list[_Frame]:
    shared = next(iter(dataset.get("SharedFunctionalGroupsSequence") or []), Dataset())
    groups: Sequence[Dataset] = dataset.get("PerFrameFunctionalGroupsSequence") or []
    if not groups or len(groups) != int(dataset.get("NumberOfFrames") or 0):
        raise InputError("The file is damaged: it does not say where each of its frames lies.", path)
    has_segments = dataset.SegmentationType != "LABELMAP"
    numbers = [int(item.SegmentNumber) for item in dataset.get("SegmentSequence") or []]
    only_one = numbers[0] if len(numbers) == 1 else None
    return [_frame(group, shared, path, only_one, has_segments=has_segments) for group in groups]


def _frame(group: Dataset, shared: Dataset, path: Path, only_one: int | None, *, has_segments: bool) -> _Frame:
    def numbers(sequence: str, keyword: str, count: int) -> tuple[float, ...]:
        for source in (group, shared):
            for item in source.get(sequence) or []:
                if item.get(keyword) is not None:
                    values = tuple(plain_float(v) for v in item.get(keyword))
                    if len(values) == count and all(abs(v) < FARTHEST for v in values):  # NaN is not, either
                        return values
        raise InputError("The file is damaged: it does not say where each of its frames lies.", path)

    segment = None
    if has_segments:
        items = [*(group.get(IDENTIFICATION) or []), *(shared.get(IDENTIFICATION) or [])]
        if not items and only_one is None:
            raise InputError(f"The file does not say which of its segments each frame shows ({IDENTIFICATION}).", path)
        segment = int(items[0].ReferencedSegmentNumber) if items else only_one
    return _Frame(
        segment,
        numbers("PlanePositionSequence", "ImagePositionPatient", 3),
        numbers("PlaneOrientationSequence", "ImageOrientationPatient", 6),
        numbers("PixelMeasuresSequence", "PixelSpacing", 2),
    )


def _parts(
    dataset: Dataset, frames: list[_Frame], chosen: set[int], path: Path, volume: Volume
) -> tuple[dict[int, list[Part]], set[int]]:
    """Segment number → where each of its frames lies, and what it shows there; and all numbers that frames show.

    Raises:
        InputError: frames are not on the volume's voxels, or show more than memory should hold.
    """
    wanted = [index for index, frame in enumerate(frames) if frame.segment is None or frame.segment in chosen]
    known: dict[tuple[tuple[float, ...], tuple[float, ...]], Axes | None] = {}
    parts: dict[int, list[Part]] = {}
    shown = {frame.segment for frame in frames if frame.segment is not None}
    places, taken = _Places(volume), 0
    for index, pixels in zip(wanted, decoded_frames(dataset, wanted, path), strict=True):
        frame = frames[index]
        way = (frame.cosines, frame.spacing)
        if way not in known:
            known[way] = axes_on_grid(volume.grid, *way, *pixels.shape)
        axes = known[way]
        for segment, picture in _pictures(dataset, frame, pixels):
            shown.add(segment)
            if segment not in chosen:
                continue
            if axes is None:
                raise _elsewhere(path, volume, "its frames are turned or spaced otherwise")
            try:
                placed = places.of(frame, axes, picture)
            except ValueError as problem:
                raise _elsewhere(path, volume, str(problem)) from problem
            part = Part.at(*placed, volume.grid.shape_zyx)
            if part is None:  # cut off where nothing is
                continue
            parts.setdefault(segment, []).append(part)
            if (taken := taken + part.mask.nbytes) > MOST_BYTES:
                raise InputError(f"The file shows too much in {len(frames)} frames; name segments to read.", path)
    return parts, shown


class _Places:
    """Where frames lie on a volume, by the grid, or else by the images that it is made of."""

    def __init__(self, volume: Volume) -> None:
        self._volume = volume

    @cached_property
    def _corners(self) -> np.ndarray | None:
        return image_corners(self._volume)  # opens every image, and is seldom needed

    def of(self, frame: _Frame, axes: Axes, picture: np.ndarray) -> tuple[Place, np.ndarray]:
        """As :func:`place_frame` says it.

        Raises:
            ValueError: the frame lies elsewhere.
        """
        grid = self._volume.grid
        try:
            return place_frame(grid, axes, frame.position, picture)
        except ValueError:
            if self._corners is None:
                raise
            corner = evened(self._volume.file_grid, self._corners, frame.cosines, frame.position)
            if corner is None:
                raise
            return place_frame(grid, axes, corner, picture)


def _pictures(dataset: Dataset, frame: _Frame, pixels: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """The segments that a frame shows, each (rows, columns) bool with something in it."""
    if frame.segment is None:
        for segment in np.unique(pixels).tolist():
            if segment > 0:  # the background
                yield segment, pixels == segment
        return
    if dataset.SegmentationType == "FRACTIONAL":
        picture = pixels >= max(FRACTION * int(dataset.MaximumFractionalValue), 1)
    else:
        picture = pixels > 0
    if picture.any():
        yield frame.segment, picture


def _elsewhere(path: Path, volume: Volume, clause: str) -> InputError:
    return InputError(f"The file does not lie on the voxels of {volume.name}: {clause}.", path)


def _listed(names: dict[int, str]) -> str:
    return ", ".join(f"{number} '{name}'" for number, name in sorted(names.items())[:12])
