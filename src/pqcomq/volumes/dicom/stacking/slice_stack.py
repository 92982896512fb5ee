"""From slice positions to one regular grid, or to the remedies where there is none.

``highdicom.spatial`` finds regular stacks, too, and a test compares the two. It answers None for all others, among them
thin slices whose positions the scanner rounded to a decimal; here the user is told what is wrong and what can be done.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pqcomq.errors import InputError
from pqcomq.volumes.dicom.headers import MARKS, PlaneHeader
from pqcomq.volumes.dicom.stacking.even_spacing import EVENNESS, SAME_PLACE, doubled, is_even
from pqcomq.volumes.dicom.stacking.subseries import COSINE_TOLERANCE
from pqcomq.volumes.grid import PLAUSIBLE_SPACING, Grid
from pqcomq.volumes.import_issues import ImportIssue, Remedy, remedied

MOST_DRIFT = 0.5
"""Sideways drift over the whole stack, in pixels, that is still rounding and not a tilted gantry."""


@dataclass(frozen=True)
class Stack:
    """Planes in geometric order, with their grid.

    Attributes:
        planes: the images to read, along the grid's last axis.
        grid: with index axes column, row, slice.
        places: where each plane's first pixel lies on the grid, as voxel indices (n, 3) in the order x, y, z; None
            where plane k simply is slice k.
        findings: what was odd, with the remedies taken.
    """

    planes: tuple[PlaneHeader, ...]
    grid: Grid
    places: np.ndarray | None
    findings: tuple[ImportIssue, ...]


def without_copies(
    planes: Sequence[PlaneHeader], same_pixels: Callable[[PlaneHeader, PlaneHeader], bool] = lambda _one, _other: True
) -> tuple[list[PlaneHeader], tuple[ImportIssue, ...]]:
    """Leave out repeated copies of the same image: the same SOP instance UID, place, header and pixels.

    Args:
        planes: of one series.
        same_pixels: tells whether two planes, alike in all else, have the same pixels; taken for granted by default,
            and of those that cannot be read.

    Returns:
        The planes without copies, and what was odd: copies, and different images that share a UID.
    """
    kept: list[PlaneHeader] = []
    by_uid_and_place: dict[tuple[object, ...], list[PlaneHeader]] = {}
    for plane in planes:
        key = (plane.instance_uid, plane.position, plane.instance_number)
        known = by_uid_and_place.setdefault(key, []) if plane.instance_uid else []
        if not any(_is_copy(plane, other) and (plane.refusal or same_pixels(plane, other)) for other in known):
            known.append(plane)
            kept.append(plane)
    uids = Counter(plane.instance_uid for plane in kept if plane.instance_uid)
    findings = []
    if copies := len(planes) - len(kept):
        findings.append(ImportIssue("copies", f"{copies} repeated copies of slices were left out."))
    if shared := sum(count for count in uids.values() if count > 1):
        told = f"{shared} different images share UIDs (SOPInstanceUID); their places and pixels tell them apart."
        findings.append(ImportIssue("uid", told))
    return kept, tuple(findings)


def _is_copy(one: PlaneHeader, other: PlaneHeader) -> bool:
    """Whether two headers say the same of all but the file."""
    there = replace(one.storage, offset=None, length=None)
    alike = replace(one, file=other.file, storage=other.storage)
    return alike == other and there == replace(other.storage, offset=None, length=None)


def stack_planes(planes: Sequence[PlaneHeader], what: str, remedies: Collection[Remedy] = ()) -> Stack:
    """Order planes along their normal and lay a regular grid through them.

    Args:
        planes: of one part of a series, in any order.
        what: names the file or series at the beginning of a message.
        remedies: what the user chose should they not be regular.

    Raises:
        RemedyNeeded: they are not regular, and no remedy for that was chosen.
        InputError: they cannot make up a volume.
    """
    first = planes[0]
    if first.refusal:
        raise InputError(f"The series {first.refusal}.", what)
    if len(planes) == 1:
        return _single(first, what)
    if not first.placed:
        tags = {
            "ImagePositionPatient": first.position, "ImageOrientationPatient": first.orientation,
            "PixelSpacing": first.pixel_spacing,
        }  # fmt: skip
        lacking = " and ".join(keyword for keyword, value in tags.items() if value is None)
        raise InputError(
            "The series has images that do not say where they lie in the patient, so they make up no volume: "
            f"{lacking} cannot be read.",
            what,
        )
    axes = _axes(first, what)
    _check_spacing(first, what)
    ordered = sorted(planes, key=lambda plane: float(np.array(plane.position) @ axes[:, 2]))
    findings: list[ImportIssue] = []
    for check in (_doubled, _uneven):
        finding = check(ordered, _along(ordered, axes))
        if finding is not None:
            chosen = remedied(finding, remedies, what)
            findings.append(chosen)
            if chosen.chosen == "largest":
                ordered = _first_of_each(ordered, axes) if check is _doubled else _longest_run(ordered, axes)
    if len(ordered) == 1:
        single = _single(ordered[0], what)
        return Stack(single.planes, single.grid, None, (*findings, *single.findings))
    if (tilt := _tilted(ordered, axes)) is not None:
        findings.append(remedied(tilt, remedies, what))
    resample = any(finding.chosen == "resample" for finding in findings)
    grid, places = _spanned(ordered, axes) if resample else (_regular(ordered, axes), None)
    return Stack(tuple(ordered), grid, places, tuple(findings))


def _along(planes: Sequence[PlaneHeader], axes: np.ndarray) -> np.ndarray:
    """Millimetres along the normal (n,)."""
    along: np.ndarray = np.array([plane.position for plane in planes], dtype=np.float64) @ axes[:, 2]
    return along


def _doubled(planes: Sequence[PlaneHeader], along: np.ndarray) -> ImportIssue | None:
    """Planes in the order of their positions along the normal, mm (n,), of which several are the same."""
    count = doubled(along)
    if not count:
        return None
    there_are = "There is 1 slice" if count == 1 else f"There are {count} slices"
    differing = [name for i, name in enumerate(MARKS.values()) if len({plane.marks[i] for plane in planes}) > 1]
    reason = "nothing tells which belong together."
    if differing:
        reason = f"what differs ({', '.join(differing)}) sorts them into no evenly spaced stacks."
    told = f"{there_are} at the place of another, and {reason}"
    return ImportIssue("double", told, ("largest",))


def _uneven(_planes: Sequence[PlaneHeader], along: np.ndarray) -> ImportIssue | None:
    """Planes in the order of their positions along the normal, mm (n,), that are not those of a regular grid."""
    gaps = np.diff(along)
    # Doubled slices that stay are none of this check's business.
    if len(gaps) == 0 or is_even(along):
        return None
    # The lower median: with a hole in three slices the smaller gap is the true one.
    usual = float(np.sort(gaps)[(len(gaps) - 1) // 2])
    steps = np.rint(gaps / usual)
    missing = int((steps - 1).sum())
    if missing > 0 and np.abs(gaps - steps * usual).max() <= EVENNESS * usual:
        lost = "1 missing slice" if missing == 1 else f"{missing} missing slices"
        told = f"There is {lost} (a gap of {gaps.max():.4g} mm where slices are {usual:.4g} mm apart)."
        return ImportIssue("missing", told.replace("is", "are", 1) if missing > 1 else told, ("resample", "largest"))
    told = f"The slices are unevenly spaced ({gaps.min():.4g} to {gaps.max():.4g} mm apart)."
    return ImportIssue("uneven", told, ("resample", "largest"))


def _first_of_each(planes: Sequence[PlaneHeader], axes: np.ndarray) -> list[PlaneHeader]:
    """Of planes at the same place, the one with the lowest number."""
    kept: list[PlaneHeader] = []
    heights: list[float] = []
    for plane, height in zip(planes, _along(planes, axes), strict=True):
        if heights and height - heights[-1] < SAME_PLACE:
            kept[-1] = min(kept[-1], plane, key=lambda p: (p.instance_number is None, p.instance_number or 0))
        else:
            kept.append(plane)
            heights.append(float(height))
    return kept


def _longest_run(planes: Sequence[PlaneHeader], axes: np.ndarray) -> list[PlaneHeader]:
    """The most neighbours that are evenly spaced; of equally many, the lowest."""
    along = _along(planes, axes)
    best = slice(0, 1)
    start = 0
    for stop in range(2, len(along) + 1):
        while stop - start > 2 and not _same_gaps(along[start:stop]):
            start += 1
        if stop - start > best.stop - best.start:
            best = slice(start, stop)
    return list(planes[best])


def _same_gaps(along: np.ndarray) -> bool:
    gaps = np.diff(along)
    # Both ends of a run must agree, or a slow change of spacing would pass step by step.
    return bool(gaps.max() - gaps.min() <= EVENNESS * gaps.min()) and is_even(along)


def _tilted(planes: Sequence[PlaneHeader], axes: np.ndarray) -> ImportIssue | None:
    """Planes that are shifted along themselves on the way up."""
    positions = np.array([plane.position for plane in planes], dtype=np.float64)  # (n, 3)
    way = positions - positions[0]
    sideways = np.linalg.norm(way - np.outer(way @ axes[:, 2], axes[:, 2]), axis=1)  # (n,)
    if sideways.max() <= MOST_DRIFT * min(planes[0].pixel_spacing or ()):
        return None
    last = way[-1]
    degrees = np.degrees(np.arctan2(sideways[-1], last @ axes[:, 2]))
    told = f"The slices are shifted sideways by up to {sideways.max():.4g} mm (a tilted gantry, {degrees:.3g}°)."
    return ImportIssue("tilt", told, ("resample",))


def _regular(planes: Sequence[PlaneHeader], axes: np.ndarray) -> Grid:
    """The grid of planes that are evenly spaced."""
    along = _along(planes, axes)
    spacing = float(along[-1] - along[0]) / (len(planes) - 1)
    origin = np.array(planes[0].position, dtype=np.float64)
    return _grid(planes[0], spacing, origin, axes, (planes[0].columns, planes[0].rows, len(planes)))


def _spanned(planes: Sequence[PlaneHeader], axes: np.ndarray) -> tuple[Grid, np.ndarray]:
    """A regular grid parallel to the planes that holds all of them, and their places on it (n, 3)."""
    first = planes[0]
    along = _along(planes, axes)
    gaps = np.diff(along)
    usual = float(np.sort(gaps)[(len(gaps) - 1) // 2])
    count = max(2, round(float(along[-1] - along[0]) / usual) + 1)
    spacing = float(along[-1] - along[0]) / (count - 1)
    rows_apart, columns_apart = first.pixel_spacing or (1.0, 1.0)
    steps = np.array([columns_apart, rows_apart, spacing])
    positions = np.array([plane.position for plane in planes], dtype=np.float64)
    places = (positions - positions[0]) @ axes / steps  # (n, 3)
    places[:, :2][np.abs(places[:, :2]) < COSINE_TOLERANCE] = 0.0
    low = np.floor(places.min(axis=0))
    low[2] = 0.0
    more_x, more_y, _ = np.ceil(places.max(axis=0) - low).astype(int)
    origin = positions[0] + axes @ (low * steps)
    size = (first.columns + int(more_x), first.rows + int(more_y), count)
    return _grid(first, spacing, origin, axes, size), places - low


def _axes(plane: PlaneHeader, what: str) -> np.ndarray:
    """Right-handed unit axes as columns (3, 3): along a row, down a column, along the normal."""
    orientation = np.array(plane.orientation, dtype=np.float64)
    row, column = orientation[:3], orientation[3:]
    lengths = np.linalg.norm(row), np.linalg.norm(column)
    if abs(row @ column) > COSINE_TOLERANCE or max(abs(n - 1) for n in lengths) > 10 * COSINE_TOLERANCE:
        raise InputError(f"The series has a damaged orientation ({', '.join(f'{v:g}' for v in orientation)}).", what)
    row = row / lengths[0]
    column = column - (column @ row) * row
    column = column / np.linalg.norm(column)
    return np.stack([row, column, np.cross(row, column)], axis=1)


def _check_spacing(plane: PlaneHeader, what: str) -> None:
    low, high = PLAUSIBLE_SPACING
    rows, columns = plane.pixel_spacing or (1.0, 1.0)
    if not (low <= rows <= high and low <= columns <= high):
        raise InputError(f"The series has implausible pixel spacing ({rows:g} x {columns:g} mm).", what)


def _single(plane: PlaneHeader, what: str) -> Stack:
    """One plane on its own: what it does not say about its place is assumed and told."""
    _check_spacing(plane, what)
    findings = []
    if plane.pixel_spacing is None:
        findings.append(ImportIssue("spacing", "The image does not state its pixel spacing; 1 mm is assumed."))
    if plane.position is None or plane.orientation is None:
        told = "The image does not say where it lies in the patient; an axial slice at the origin is assumed."
        findings.append(ImportIssue("place", told))
        axes, origin = np.eye(3), np.zeros(3)
    else:
        axes, origin = _axes(plane, what), np.array(plane.position, dtype=np.float64)
    low, high = PLAUSIBLE_SPACING
    if plane.thickness is not None and low <= plane.thickness <= high:
        thickness, source = plane.thickness, "as it states"
    else:
        thickness, source = 1.0, "which is assumed"
    findings.append(ImportIssue("single", f"A single slice: its thickness is {thickness:g} mm, {source}."))
    grid = _grid(plane, thickness, origin, axes, (plane.columns, plane.rows, 1))
    return Stack((plane,), grid, None, tuple(findings))


def _grid(plane: PlaneHeader, spacing: float, origin: np.ndarray, axes: np.ndarray, size: tuple[int, int, int]) -> Grid:
    x, y, z = (float(v) for v in origin)
    rows_apart, columns_apart = plane.pixel_spacing or (1.0, 1.0)
    return Grid(size, (columns_apart, rows_apart, spacing), (x, y, z), tuple(float(v) for v in axes.ravel()))
