"""Window level: how stored intensities become the 8-bit range that is shown and given to the models.

Windowing never changes a volume's voxels. The rules are MedSAM's own preprocessing (``pre_CT_MR.py`` of
bowang-lab/MedSAM), over the whole volume so that neighbouring slices share one scale.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pqcomq.errors import InputError
from pqcomq.volumes.volume import Modality, Volume

_LOW_PERCENTILE, _HIGH_PERCENTILE = 0.5, 99.5


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
        if not (np.isfinite(self.level) and np.isfinite(self.width) and self.width > 0):
            raise InputError(f"window level {self.level}, width {self.width}: the width must be a number above 0")

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


def default_window(modality: Modality, voxels: np.ndarray) -> Window:
    """The window used where the user chose none: abdomen for CT, else percentiles 0.5–99.5 of the voxels above 0."""
    if modality == "CT":
        return PRESETS["abdomen"]
    positive = voxels[voxels > 0]
    low, high = np.percentile(positive, (_LOW_PERCENTILE, _HIGH_PERCENTILE)) if positive.size else (0.0, 1.0)
    return Window(float(low + high) / 2, max(float(high - low), 1e-6))


def eight_bit(volume: Volume, window: Window | None = None) -> np.ndarray:
    """The whole volume in the models' 8-bit range.

    Clip to the window, min–max over the clipped values that occur, × 255, truncated. Voxels of other modalities than CT
    that were 0 (background) stay 0.

    Args:
        volume: any volume.
        window: by default :func:`default_window`.

    Returns:
        (z, y, x) uint8.
    """
    voxels = volume.voxels
    chosen = window or default_window(volume.modality, voxels)
    low, high = (float(np.clip(edge, chosen.low, chosen.high)) for edge in (voxels.min(), voxels.max()))
    scaled = np.empty(voxels.shape, dtype=np.uint8)
    for z, plane in enumerate(voxels):  # slice by slice: a whole volume in float64 would be eight times its size
        clipped = np.clip(plane.astype(np.float64), low, high)
        scaled[z] = (clipped - low) / max(high - low, 1e-8) * 255.0
    if volume.modality != "CT":
        scaled[voxels == 0] = 0
    return scaled
