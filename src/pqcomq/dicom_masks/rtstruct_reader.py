"""Reading a DICOM structure set (RTSTRUCT) as labels on the grid of the volume that it belongs to.

A voxel is inside where its centre lies inside an odd number of a region's contours on its slice. That is right for
separate parts, for holes joined by keyholes and for holes written as contours of their own, inner or exclusive.
rt-utils, which reads structure sets too, needs each contour's image named and rounds its points to whole millimetres.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset

from pqcomq.dicom_masks.attributes import long_string
from pqcomq.dicom_masks.contours import filled
from pqcomq.dicom_masks.label_box import LabelMapBuilder, Part
from pqcomq.dicom_masks.mask_object import LabelledObjects
from pqcomq.dicom_masks.object_loading import STRUCTURE_SET, check_frame_of_reference, open_object, with_pydicom_errors
from pqcomq.dicom_masks.plane_placement import FARTHEST, TOLERANCE, slice_tolerance
from pqcomq.dicom_masks.referenced_series import frame_of_reference
from pqcomq.errors import InputError
from pqcomq.volumes.grid import Grid
from pqcomq.volumes.volume import Volume

CLOSED = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR")
OTHERS = ("POINT", "OPEN_PLANAR", "OPEN_NONPLANAR")
MOST_REGIONS = 65535


def read_structure_set(path: Path, volume: Volume, only: Collection[int] | None = None) -> LabelledObjects:
    """Read the regions of a DICOM structure set.

    Args:
        path: of the file.
        volume: that it belongs to; its slices must be those that the contours were drawn on.
        only: numbers of the regions to read; all by default.

    Returns:
        Regions as labels by their numbers. Those without closed contours are left out, and those that reach beyond the
        volume unless asked for, which a note tells.

    Raises:
        InputError: the file is damaged, empty, of another examination or drawn on other slices, or lacks a region
            asked for.
    """
    dataset = open_object(path, STRUCTURE_SET)
    with with_pydicom_errors(path):
        names = region_names(dataset, path)
        contours, repeated = _contours(dataset)
        frames = _frames_of_reference(dataset)
    notes = check_frame_of_reference(path, set(frames.values()), volume)
    elsewhere = _lying_elsewhere(frames, volume)
    drawn = {number: name for number, name in names.items() if contours.get(number)}
    chosen = set(drawn) if only is None else set(only)
    if missing := sorted(chosen - set(drawn)):
        listed = ", ".join(f"{number} '{name}'" for number, name in sorted(drawn.items())[:12]) or "none"
        raise InputError(f"The file has no region {missing[0]} with closed contours, only {listed}.", path)
    if not chosen:
        raise InputError("The file has no region with closed contours.", path)
    builder = LabelMapBuilder(volume.grid.shape_zyx, max(chosen), path)
    problems: dict[int, str] = {}
    for number in sorted(chosen):
        try:
            if number in elsewhere:
                raise ValueError("lies in another frame of reference")
            parts = _parts(contours[number], volume.grid)
        except ValueError as problem:
            problems[number] = f"'{names[number]}' {problem}"
        else:
            builder.add(number, parts)
            notes += _sparse(names[number], parts)
    # A couch or a mask that reaches beyond the images says nothing against the organs; whoever asks for it is told.
    if problems and (only is not None or len(problems) == len(chosen)):
        raise InputError(f"The file does not fit {volume.name}: {next(iter(problems.values()))}.", path)
    chosen -= set(problems)
    notes += tuple(f"A region was left out: {problem}." for problem in problems.values())
    if twice := [names[number] for number in sorted(chosen & repeated)]:
        notes += (f"Contours that the file holds twice were taken once: {', '.join(twice)}.",)
    if only is None and (left_out := [name for number, name in sorted(names.items()) if number not in drawn]):
        notes += (f"Regions without closed contours were left out: {', '.join(left_out)}.",)
    return LabelledObjects(builder.maps(), {number: names[number] for number in sorted(chosen)}, notes)


def region_names(dataset: Dataset, path: Path) -> dict[int, str]:
    """Region number → name.

    Args:
        dataset: of the file; its header will do.
        path: of the file, for messages.

    Raises:
        InputError: the file describes no region, or is damaged.
    """
    names = {
        int(item.ROINumber): long_string(str(item.get("ROIName") or "")) or f"region {item.ROINumber}"
        for item in dataset.get("StructureSetROISequence") or []
    }
    # A label map has no room for the number 0; structure sets may use it.
    if 0 in names:
        raise InputError(
            f"The file numbers its region '{names[0]}' 0, which stands for the background in labels.", path
        )
    if not names:
        raise InputError("The file describes no region.", path)
    if min(names) < 0 or max(names) > MOST_REGIONS:
        raise InputError("The file is a damaged DICOM object.", path)
    return names


def _frames_of_reference(dataset: Dataset) -> dict[int, str]:
    """UIDs of the frames of reference by the region that lies in each; those of the whole file by numbers below 0."""
    regions = dataset.get("StructureSetROISequence") or []
    stated = {int(item.ROINumber): item.get("ReferencedFrameOfReferenceUID") for item in regions}
    whole = [item.get("FrameOfReferenceUID") for item in dataset.get("ReferencedFrameOfReferenceSequence") or []]
    stated |= {-number: uid for number, uid in enumerate(whole, start=1)}
    return {number: str(uid) for number, uid in stated.items() if uid}


def _lying_elsewhere(frames: Mapping[int, str], volume: Volume) -> set[int]:
    """Numbers of the regions that say that they lie in another frame of reference than a volume."""
    own = frame_of_reference(volume)
    return set() if own is None else {number for number, uid in frames.items() if uid != own}


def _contours(dataset: Dataset) -> tuple[dict[int, list[np.ndarray]], set[int]]:
    """Region number → closed contours, each (n, 3) LPS millimetres; and the regions that had one of them twice.

    One that is there twice is taken once: the second would empty the first, since what lies inside an even number of
    contours is outside.
    """
    found: dict[int, dict[bytes, np.ndarray]] = {}
    repeated: set[int] = set()
    for region in dataset.get("ROIContourSequence") or []:
        contours = region.get("ContourSequence") or []
        if not {contour.get("ContourGeometricType") for contour in contours} <= {*CLOSED, *OTHERS}:
            raise ValueError("contours that do not say whether they are closed")
        number = int(region.ReferencedROINumber)
        known = found.setdefault(number, {})
        for points in (_points(contour) for contour in contours if contour.ContourGeometricType in CLOSED):
            if len(points) > 2 and known.setdefault(points.tobytes(), points) is not points:
                repeated.add(number)
    return {number: list(known.values()) for number, known in found.items()}, repeated


def _points(contour: Dataset) -> np.ndarray:
    raw = contour.get_item("ContourData").value
    if isinstance(raw, bytes):
        # Not yet taken apart by pydicom, which makes an object of every number and takes a hundred times longer.
        values = np.fromstring(raw, sep=" \\ ")  # spaces may stand round each
        if len(values) != raw.count(b"\\") + 1:
            raise ValueError("contours with coordinates that are no numbers")
    else:
        values = np.array(list(raw), dtype=np.float64)
    if not (np.abs(values) < FARTHEST).all():  # NaN is not, either
        raise ValueError("contours with coordinates that are no places")
    return values.reshape(-1, 3)


def _parts(contours: list[np.ndarray], grid: Grid) -> list[Part]:
    """Where a region lies: a filled picture for each slice that it has contours on.

    Raises:
        ValueError: its contours are not those of the grid's slices, or reach outside: a clause.
    """
    on_slices: dict[tuple[int, int], list[np.ndarray]] = {}
    for points in contours:
        voxels = grid.to_voxels(points)  # (n, 3) x y z
        axis, index = _slice_of(voxels, grid)
        if not 0 <= index < grid.size[axis]:
            raise ValueError("reaches outside the volume")
        rest = [each for each in (2, 1, 0) if each != axis]  # rows, columns of the picture, as arrays run z y x
        plane = voxels[:, rest]
        if plane.min() < -1 or (plane > np.array(grid.size)[rest]).any():
            raise ValueError("reaches outside the volume")
        on_slices.setdefault((axis, index), []).append(plane)
    parts = []
    for (axis, index), polygons in on_slices.items():
        rows, columns = (grid.size[each] for each in (2, 1, 0) if each != axis)
        low = np.floor(np.minimum.reduce([each.min(axis=0) for each in polygons])).astype(int).clip(0)
        high = np.ceil(np.maximum.reduce([each.max(axis=0) for each in polygons])).astype(int) + 1
        high = np.minimum(high, (rows, columns))
        if (low >= high).any():  # beside the first pixels' centres, round none of them
            continue
        picture = filled([each - low for each in polygons], (int(high[0] - low[0]), int(high[1] - low[1])))
        place: list[slice | int] = [slice(int(low[0]), int(high[0])), slice(int(low[1]), int(high[1]))]
        place.insert(2 - axis, index)
        part = Part.at(tuple(place), picture, grid.shape_zyx)
        if part is not None:
            parts.append(part)
    return parts


def _slice_of(voxels: np.ndarray, grid: Grid) -> tuple[int, int]:
    """The grid axis (x y z as 0 1 2) that a contour lies across, and the number of its slice there.

    A contour that is a line or a point, as tools leave them behind, lies across several axes, and on a slice of one.

    Args:
        voxels: (n, 3) x y z of its points.
        grid: of the volume.

    Raises:
        ValueError: it lies on no slice: a clause.
    """
    spread, middle = np.ptp(voxels, axis=0), voxels.mean(axis=0)
    beside = np.abs(middle - np.rint(middle))
    fitting = [axis for axis in range(3) if spread[axis] <= TOLERANCE and beside[axis] <= slice_tolerance(grid, axis)]
    if not fitting:
        raise ValueError("was drawn in other planes than the volume's slices")
    axis = min(fitting, key=lambda each: float(spread[each]))
    return axis, round(float(middle[axis]))


def _sparse(name: str, parts: Sequence[Part]) -> tuple[str, ...]:
    """A note where a region was drawn on no two slices that are neighbours: organs are not striped, drawings are."""
    for axis in range(3):
        drawn = np.unique([part.box[axis].start for part in parts])
        if len(drawn) > 2 and all(part.mask.shape[axis] == 1 for part in parts) and np.diff(drawn).min() > 1:
            return (f"'{name}' was drawn on {len(drawn)} slices that are no neighbours, and is empty between them.",)
    return ()
