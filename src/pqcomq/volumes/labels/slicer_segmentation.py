"""Segmentations of 3D Slicer (``.seg.nrrd``): cropped to their objects, overlapping objects in layers, with names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ENDING = ".seg.nrrd"
_FIELD = re.compile(r"Segment(\d+)_(LabelValue|Layer|Name|Color)")


@dataclass(frozen=True)
class Segment:
    """One object of a label file.

    Attributes:
        number: from 1, in the order of the file.
        layer: which of the file's layers it lies in, from 0.
        value: that stands for it there.
        name: as the file says.
        colour: red, green, blue from 0 to 1; None if the file does not say.
    """

    number: int
    layer: int
    value: int
    name: str
    colour: tuple[float, float, float] | None = None


def is_slicer_segmentation(path: Path) -> bool:
    """Whether the name ends as those of such files do."""
    return path.name.lower().endswith(ENDING)


def segments_of(fields: Mapping[str, str]) -> list[Segment]:
    """The segments that a NRRD header describes; none where it describes none, as other programs write it.

    Args:
        fields: key and value of the header's own fields.
    """
    found: dict[int, dict[str, str]] = {}
    for key, value in fields.items():
        if match := _FIELD.fullmatch(key):
            found.setdefault(int(match[1]), {})[match[2]] = value.strip()
    segments = []
    for number, (index, told) in enumerate(sorted(found.items()), start=1):
        try:
            label, layer = int(told.get("LabelValue", index + 1)), int(told.get("Layer", 0))
            colour = tuple(float(part) for part in told.get("Color", "").split())
        except ValueError:
            continue
        name = " ".join(told.get("Name", "").split()) or f"segment {number}"
        segments.append(Segment(number, layer, label, name, colour if len(colour) == 3 else None))
    return segments
