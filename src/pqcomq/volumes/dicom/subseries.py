"""The parts of a series: planes that lie alike, and one volume each where a series repeats itself.

Hospitals put scouts of three directions, echoes, time points and phases into one series; each is a volume of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from pqcomq.volumes.dicom.headers import MARKS, PlaneHeader
from pqcomq.volumes.grid import OBLIQUE_DEGREES

COSINE_TOLERANCE = 1e-3
"""Largest difference between direction cosines that is still rounding."""
SPACING_TOLERANCE = 1e-3
"""The same of pixel spacing, as a part of it."""
SAME_PLACE = 1e-3
"""Millimetres: planes closer than this are at the same position."""


@dataclass(frozen=True)
class Part:
    """Planes that may make up one volume.

    Attributes:
        label: for people, e.g. ``"echo 2, 30 slices"``.
        planes: as they were found.
    """

    label: str
    planes: tuple[PlaneHeader, ...]


def parts_of(planes: Sequence[PlaneHeader]) -> tuple[list[Part], str]:
    """Take a series apart.

    Args:
        planes: all of one series, without copies.

    Returns:
        The parts, those of the most planes first and the repetitions of one place in their order; and what sets the
        parts apart, as a clause.
    """
    alike = sorted(_alike(planes), key=len, reverse=True)
    parts: list[Part] = []
    repeats = False
    for group in alike:
        volumes = _volumes(group, "")
        repeats |= len(volumes) > 1
        for told, members in volumes:
            label = ", ".join(piece for piece in (told, _described(members)) if piece)
            parts.append(Part(label, tuple(members)))
    return parts, _difference(planes, alike, repeats)


def _alike(planes: Sequence[PlaneHeader]) -> list[list[PlaneHeader]]:
    """Groups of the same size, pixel spacing and orientation, all of which can be read or none."""
    groups: list[list[PlaneHeader]] = []
    for plane in planes:
        for group in groups:
            if _like(plane, group[0]):
                group.append(plane)
                break
        else:
            groups.append([plane])
    return groups


def _like(one: PlaneHeader, other: PlaneHeader) -> bool:
    if (one.rows, one.columns, one.refusal, one.placed) != (other.rows, other.columns, other.refusal, other.placed):
        return False
    return not one.placed or (_same_orientation(one, other) and _same_spacing(one, other))


def _same_orientation(one: PlaneHeader, other: PlaneHeader) -> bool:
    ours, theirs = one.orientation, other.orientation
    return ours == theirs or max(abs(a - b) for a, b in zip(ours or (), theirs or (), strict=True)) <= COSINE_TOLERANCE


def _same_spacing(one: PlaneHeader, other: PlaneHeader) -> bool:
    ours, theirs = one.pixel_spacing or (), other.pixel_spacing or ()
    return all(abs(a - b) <= SPACING_TOLERANCE * abs(b) for a, b in zip(ours, theirs, strict=True))


def _volumes(planes: list[PlaneHeader], told: str) -> list[tuple[str, list[PlaneHeader]]]:
    """Take planes that repeat their places apart by what tells them apart, e.g. ``("echo 2", planes)``."""
    places = _places(planes)
    if places is None:
        return [(told, planes)]
    most = max(Counter(places).values())
    if most == 1:
        return [(told, planes)]
    for index, name in enumerate(MARKS.values()):
        values = {plane.marks[index] for plane in planes}
        # More values than repetitions belong to the slice and not to the volume, as the time of each image does.
        if 1 < len(values) <= most and None not in values:
            groups = {v: [p for p in planes if p.marks[index] == v] for v in sorted(values, key=_natural)}
            found = [(f"{told}, {name} {v}" if told else f"{name} {v}", members) for v, members in groups.items()]
            return [volume for label, members in found for volume in _volumes(members, label)]
    return _repetitions(planes, places, most, told)


def _repetitions(
    planes: list[PlaneHeader], places: list[Hashable], most: int, told: str
) -> list[tuple[str, list[PlaneHeader]]]:
    """The first image of each place, the second, …: where every place has as many and nothing else tells."""
    if set(Counter(places).values()) != {most} or any(plane.instance_number is None for plane in planes):
        return [(told, planes)]
    turns: Counter[Hashable] = Counter()
    volumes: list[list[PlaneHeader]] = [[] for _ in range(most)]
    for plane, place in sorted(zip(planes, places, strict=True), key=lambda pair: pair[0].instance_number or 0):
        volumes[turns[place]].append(plane)
        turns[place] += 1
    return [(", ".join(filter(None, (told, f"repetition {i}"))), v) for i, v in enumerate(volumes, start=1)]


def _places(planes: Sequence[PlaneHeader]) -> list[Hashable] | None:
    """A key for each plane that is the same at the same place; None where planes do not say where they are."""
    if not planes[0].placed:
        return None
    steps = np.rint(np.array([plane.position for plane in planes]) / SAME_PLACE).astype(np.int64)
    return [tuple(step) for step in steps.tolist()]


def _natural(value: str) -> tuple[bool, float, str]:
    try:
        return False, float(value), value
    except ValueError:
        return True, 0.0, value


def _described(planes: Sequence[PlaneHeader]) -> str:
    first = planes[0]
    count = "1 slice" if len(planes) == 1 else f"{len(planes)} slices"
    return ", ".join(piece for piece in (plane_name(first), f"{count} of {first.columns} x {first.rows}") if piece)


def plane_name(plane: PlaneHeader) -> str:
    """``"axial"``, ``"coronal"``, ``"sagittal"``, or one of these with ``"oblique"``; ``""`` if it does not say."""
    if plane.orientation is None:
        return ""
    normal = np.cross(plane.orientation[:3], plane.orientation[3:])
    length = float(np.linalg.norm(normal))
    if length == 0 or not np.isfinite(length):
        return ""
    along = np.abs(normal) / length
    name = ("sagittal", "coronal", "axial")[int(along.argmax())]
    return f"oblique {name}" if np.degrees(np.arccos(min(1.0, float(along.max())))) > OBLIQUE_DEGREES else name


def _difference(planes: Sequence[PlaneHeader], alike: Sequence[Sequence[PlaneHeader]], repeats: bool) -> str:
    first = [group[0] for group in alike]
    sizes = sorted({(plane.columns, plane.rows) for plane in first})
    if refusal := next((plane.refusal for plane in first if plane.refusal), None):
        return f"has images that cannot be read beside others (it {refusal})"
    if not all(plane.placed for plane in first):
        missing = sum(not plane.placed for plane in planes)
        return f"has {missing} images that do not say where they lie in the patient beside others that do"
    if len(sizes) > 1:
        return f"mixes images of different sizes ({', '.join(f'{c} x {r}' for c, r in sizes[:4])})"
    if any(not _same_orientation(plane, first[0]) for plane in first):
        return "mixes images of different orientations"
    if len(first) > 1:
        return "mixes images of different pixel spacing"
    return "has several images at each place (time points, echoes or the like)" if repeats else ""
