"""A window over intensities, and the presets of CT by name; what becomes of voxels is in ``intensity_window``."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pqcomq.errors import InputError


@dataclass(frozen=True)
class Window:
    """A window over Hounsfield units (or any stored intensity).

    Attributes:
        level: its centre.
        width: its extent, greater than zero.

    Raises:
        InputError: the width is not positive, or either number is not finite.
    """

    level: float
    width: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.level) and math.isfinite(self.width) and self.width > 0):
            raise InputError(f"window level {self.level}, width {self.width}: the width must be a number above 0")
        for name, number in (("level", self.level), ("width", self.width)):
            if not isinstance(number, int):  # records and sessions hold none of NumPy's
                object.__setattr__(self, name, float(number))

    @property
    def low(self) -> float:
        """The intensity shown black."""
        return self.level - self.width / 2

    @property
    def high(self) -> float:
        """The intensity shown white."""
        return self.level + self.width / 2


PRESETS = {
    "abdomen": Window(40, 400),
    "lung": Window(-600, 1500),
    "brain": Window(40, 80),
    "mediastinum": Window(50, 350),
    "bone": Window(400, 1800),
}
"""CT presets in Hounsfield units."""
