"""Boxes that prompt the models: a 3-D box through a volume, and the tight box of one slice's mask.

Pixel convention, that of the MedSAM authors: coordinates are array indices of a volume's voxels in LPS order, so pixel
``i`` is the number ``i`` and a tight box goes from the lowest to the highest index inside the mask, both included.
Growing stops at 0 and at the image's width or height: ``x1 == width`` is the far edge of the last column.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, astuple, dataclass
from typing import Any

import numpy as np

from pqcomq.errors import InputError


@dataclass(frozen=True)
class Box3D:
    """A box through an axial stack: one rectangle on the slices ``z0`` to ``z1``, both included.

    Attributes:
        x0: lowest column, 0 is the patient's right.
        y0: lowest row, 0 is the front of the patient.
        z0: lowest slice, 0 is nearest the feet.
        x1: highest column.
        y1: highest row.
        z1: highest slice.
    """

    x0: float
    y0: float
    z0: int
    x1: float
    y1: float
    z1: int

    def __post_init__(self) -> None:
        """Take NumPy's numbers for Python's, for records and sessions hold no others, and slice 3.0 for slice 3."""
        fields = asdict(self)
        for name, number in (fields | plain_numbers(fields)).items():
            is_whole_slice = name in ("z0", "z1") and isinstance(number, float) and number.is_integer()
            object.__setattr__(self, name, int(number) if is_whole_slice else number)

    @classmethod
    def of(cls, values: Iterable[float]) -> Box3D:
        """Read a box from six numbers x0, y0, z0, x1, y1, z1.

        Args:
            values: the numbers; z0 and z1 must be whole.

        Raises:
            InputError: not six finite numbers, or a slice number is not whole.
        """
        given = list(values) if isinstance(values, Iterable) and not isinstance(values, str) else [values]
        try:
            numbers = [float(value) for value in given]
        except (TypeError, ValueError):
            numbers = []
        if len(numbers) != 6 or not all(math.isfinite(number) for number in numbers):
            raise InputError(f"A box needs six finite numbers x0, y0, z0, x1, y1, z1, not {_listed(given)}.")
        x0, y0, z0, x1, y1, z1 = numbers
        if not (z0.is_integer() and z1.is_integer()):
            raise InputError(f"The slices z0 and z1 of a box must be whole numbers, not {z0:g} and {z1:g}.")
        return cls(x0, y0, int(z0), x1, y1, int(z1))

    @classmethod
    def around(cls, mask: np.ndarray, margin_voxels: int = 2) -> Box3D:
        """The tight box of a mask, grown in the slice plane and clamped to the image.

        The slice range is not grown: a box on a slice without the object asks the model for something not there.

        Args:
            mask: (z, y, x), true inside the object.
            margin_voxels: how far to grow x and y.

        Raises:
            InputError: the mask is empty.
        """
        slices = np.flatnonzero(mask.any(axis=(1, 2)))
        if slices.size == 0:
            raise InputError("There is no box around an empty mask.")
        x0, y0, x1, y1 = tight_box(np.any(mask, axis=0), margin_voxels).tolist()
        return cls(x0, y0, int(slices[0]), x1, y1, int(slices[-1]))

    def checked(self, shape_zyx: tuple[int, int, int]) -> Box3D:
        """This box, if it lies inside a volume and holds at least a strip of one slice.

        Args:
            shape_zyx: the volume's array shape, z y x.

        Raises:
            InputError: the box is reversed, empty or reaches outside, or a slice number is not whole.
        """
        depth, height, width = shape_zyx
        where = f"box {_listed(astuple(self))} (x0, y0, z0, x1, y1, z1)"
        if not (isinstance(self.z0, int) and isinstance(self.z1, int)):
            raise InputError(f"The slices of the {where} must be whole numbers.")
        size = f"the volume's {width} × {height} × {depth} voxels (x × y × z)"
        if not (self.x0 < self.x1 and self.y0 < self.y1 and self.z0 <= self.z1):
            raise InputError(f"The {where} is empty or reversed; it must grow along x, y and z within {size}.")
        low_enough = self.x1 <= width and self.y1 <= height and self.z1 < depth
        if min(self.x0, self.y0, self.z0) < 0 or not low_enough:
            raise InputError(f"The {where} reaches outside {size}.")
        return self

    @property
    def xyxy(self) -> np.ndarray:
        """The rectangle x0, y0, x1, y1 as (4,) float32, the prompt of one slice."""
        return np.array([self.x0, self.y0, self.x1, self.y1], dtype=np.float32)

    @property
    def ranges_zyx(self) -> tuple[tuple[float, float], tuple[float, float], tuple[float, float]]:
        """Lowest and highest index along z, y and x."""
        return (self.z0, self.z1), (self.y0, self.y1), (self.x0, self.x1)

    @property
    def slices(self) -> range:
        """The slice numbers, ascending."""
        return range(self.z0, self.z1 + 1)

    @property
    def middle(self) -> int:
        """The slice on which propagation starts with the given rectangle, as in the MedSAM authors' script."""
        return (self.z0 + self.z1) // 2


def tight_box(mask: np.ndarray, margin: float = 0) -> np.ndarray:
    """The rectangle round a slice's mask, grown on all sides and clamped to the image.

    Args:
        mask: (y, x), true inside the object; must not be empty.
        margin: pixels to grow by.

    Returns:
        x0, y0, x1, y1 as (4,) float32: lowest and highest index inside, minus and plus the margin, within
        0 … width and 0 … height.

    Raises:
        ValueError: the mask is empty; the caller decides what an empty mask means.
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if rows.size == 0:
        raise ValueError("an empty mask has no tight box")
    height, width = mask.shape
    lowest = np.maximum(0, [columns[0] - margin, rows[0] - margin])
    highest = np.minimum([width, height], [columns[-1] + margin, rows[-1] + margin])
    return np.concatenate([lowest, highest]).astype(np.float32)


def plain_numbers(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Those of some fields that are NumPy's numbers, as Python's of the same value."""
    return {name: value.item() for name, value in fields.items() if isinstance(value, np.generic)}


def _listed(values: Iterable[object]) -> str:
    return "[" + ", ".join(f"{value:g}" if isinstance(value, int | float) else repr(value) for value in values) + "]"
