"""Boxes on the command line: six numbers each, in voxels or in the patient's millimetres."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING

from pqcomq.cli.terminal.lists import BOX, NUMBERS, is_number
from pqcomq.errors import InputError

if TYPE_CHECKING:
    from pqcomq.segmentation.box import Box3D
    from pqcomq.volumes.volume import Volume


class BoxUnit(StrEnum):
    """What a box is given in."""

    voxels = "voxels"
    mm = "mm"


def boxes_of(texts: Sequence[str], unit: BoxUnit, volume: Volume) -> list[Box3D]:
    """The boxes that options name, each inside a volume.

    Args:
        texts: six numbers each.
        unit: of the numbers. Millimetres are LPS, as DICOM has them: two opposite corners, in any order; slices are the
            nearest ones.
        volume: that they lie in.

    Raises:
        InputError: not six numbers, or they reach outside.
    """
    import numpy as np

    from pqcomq.segmentation.box import Box3D

    boxes = []
    for text in texts:
        values: list[float] = []
        for piece in text.replace(",", " ").split():
            if not is_number(piece):
                raise InputError(f"A box needs six numbers x0, y0, z0, x1, y1, z1, not '{text}'.")
            values.append(float(piece))
        if unit is BoxUnit.mm and len(values) == NUMBERS[BOX]:
            corners = volume.grid.to_voxels(np.array(values).reshape(2, 3))
            low, high = corners.min(axis=0), corners.max(axis=0)
            low[2], high[2] = np.rint(low[2]), np.rint(high[2])
            values = [*low.tolist(), *high.tolist()]
        boxes.append(Box3D.of(values).checked(volume.grid.shape_zyx))
    return boxes
