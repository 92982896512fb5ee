"""A mask with its name and its origin."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from pqcomq.dicom_masks.mask_object import MaskObject
from pqcomq.masks.origin import Origin


@dataclass(frozen=True, eq=False)
class NamedMask:
    """One object to be written.

    Attributes:
        name: what the user calls it.
        mask: (z, y, x) bool on the volume's ``grid``; of numbers, what is not 0 belongs to it.
        origin: how it came to be; None where that is not known (drawn by hand, read from a file).
        colour: that it is shown in, hexadecimal; None for that of its number.
    """

    name: str
    mask: np.ndarray = field(repr=False)
    origin: Origin | None = None
    colour: str | None = None

    def __post_init__(self) -> None:
        # Bytes of 0 and 1 would be taken for the numbers of two slices where a mask chooses voxels.
        if self.mask.dtype != bool:
            object.__setattr__(self, "mask", self.mask != 0)

    def as_object(self) -> MaskObject:
        """The same for a DICOM object."""
        algorithm = None if self.origin is None else self.origin.algorithm
        return MaskObject(self.name, self.mask, algorithm, self.colour)
