"""The parts of a series: planes that lie alike, and one volume each where a series repeats itself.

Hospitals put scouts of three directions, echoes, time points and phases into one series; each is a volume of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pqcomq.volumes.dicom.headers import PlaneHeader
from pqcomq.volumes.dicom.stacking.repetitions import TOGETHER, volumes_of
from pqcomq.volumes.grid import OBLIQUE_DEGREES

COSINE_TOLERANCE = 1e-3
"""Largest difference between direction cosines that is still rounding."""
SPACING_TOLERANCE = 1e-3
"""The same of pixel spacing, as a part of it."""


@dataclass(frozen=True)
class Part:
    """Planes that may make up one volume.

    Attributes:
        label: for people, e.g. ``"echo 2, 30 slices"``.
        planes: as they were found.
        is_union: whether they are those of all other parts, which something tells apart.
    """

    label: str
    planes: tuple[PlaneHeader, ...]
    is_union: bool = False


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
    reason = ""
    for group in alike:
        volumes, why = volumes_of(group)
        reason = reason or why
        for told, members in volumes:
            label = ", ".join(piece for piece in (told, _described(members)) if piece)
            parts.append(Part(label, tuple(members), told == TOGETHER))
    return parts, _difference(planes, alike, reason)


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


def _difference(planes: Sequence[PlaneHeader], alike: Sequence[Sequence[PlaneHeader]], reason: str) -> str:
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
    return reason
