"""Window level: how stored intensities become the 8-bit range that is shown and given to the models.

Windowing never changes a volume's voxels. The rules are MedSAM's own preprocessing (``pre_CT_MR.py`` of
bowang-lab/MedSAM), over the whole volume so that neighbouring slices share one scale.
"""

from __future__ import annotations

import numpy as np

from pqcomq.volumes.volume import Modality, Volume
from pqcomq.volumes.window import PRESETS as PRESETS
from pqcomq.volumes.window import Window as Window

_LOW_PERCENTILE, _HIGH_PERCENTILE = 0.5, 99.5


def default_window(modality: Modality, voxels: np.ndarray) -> Window:
    """The window used where the user chose none: abdomen for CT, else percentiles 0.5–99.5 of the voxels above 0."""
    if modality == "CT":
        return PRESETS["abdomen"]
    low, high = _percentiles_above_zero(voxels, (_LOW_PERCENTILE, _HIGH_PERCENTILE))
    return Window(float(low + high) / 2, max(float(high - low), 1e-6))


def _percentiles_above_zero(voxels: np.ndarray, percents: tuple[float, float]) -> tuple[float, float]:
    """Percentiles of the voxels above 0; 0 and 1 where there are none.

    Of int16 they are counted value by value, as ``np.percentile`` interpolates: that would take copies of all voxels.
    """
    if voxels.dtype != np.int16:
        positive = voxels[voxels > 0]
        low, high = np.percentile(positive, percents) if positive.size else (0.0, 1.0)
        return low, high
    counts = np.zeros(1 << 15, np.int64)
    for plane in voxels:
        counts += np.bincount(plane.clip(0).reshape(-1), minlength=1 << 15)
    counts[0] = 0
    upto = counts.cumsum()
    if not upto[-1]:
        return 0.0, 1.0
    ends = []
    for percent in percents:
        place = float((upto[-1] - 1) * (percent / 100))
        below, share = int(place), place - int(place)
        first, second = np.searchsorted(upto, [below + 1, min(below + 2, int(upto[-1]))]).tolist()
        step = second - first
        ends.append(first + step * share if share < 0.5 else second - step * (1 - share))  # as NumPy rounds
    return ends[0], ends[1]


class EightBitSlices:
    """A volume's slices in the models' 8-bit range, each made when it is asked for: of a volume, few are ever encoded.

    Clip to the window, min–max over the clipped values that occur in the volume, × 255, truncated. Voxels of other
    modalities than CT that were 0 (background) stay 0.

    Args:
        volume: any volume.
        window: by default :func:`default_window`.

    Attributes:
        shape: of the volume, (z, y, x).
    """

    def __init__(self, volume: Volume, window: Window | None = None) -> None:
        self._voxels, self._zero_stays = volume.voxels, volume.modality != "CT"
        self.shape = volume.grid.shape_zyx
        chosen = window or default_window(volume.modality, volume.voxels)
        ends = (volume.voxels.min(), volume.voxels.max())
        self._low, self._high = (float(np.clip(end, chosen.low, chosen.high)) for end in ends)

    def __len__(self) -> int:
        return len(self._voxels)

    def __getitem__(self, z: int) -> np.ndarray:
        """Slice ``z``, (y, x) uint8."""
        plane = self._voxels[z]
        clipped = np.clip(plane.astype(np.float64), self._low, self._high)
        scaled: np.ndarray = ((clipped - self._low) / max(self._high - self._low, 1e-8) * 255.0).astype(np.uint8)
        if self._zero_stays:
            scaled[plane == 0] = 0
        return scaled


def eight_bit(volume: Volume, window: Window | None = None) -> np.ndarray:
    """The whole volume in the models' 8-bit range; :class:`EightBitSlices` where few slices are needed.

    Args:
        volume: any volume.
        window: by default :func:`default_window`.

    Returns:
        (z, y, x) uint8.
    """
    slices = EightBitSlices(volume, window)
    scaled = np.empty(slices.shape, dtype=np.uint8)
    for z in range(len(slices)):
        scaled[z] = slices[z]
    return scaled
