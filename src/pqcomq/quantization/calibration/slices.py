"""Which slices a quantization is calibrated on, and how they are described without naming a patient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pqcomq.errors import InputError
from pqcomq.quantization.algorithm.config import DEFAULT_SLICES as DEFAULT_SLICES
from pqcomq.volumes.intensity_window import Window, default_window, eight_bit
from pqcomq.volumes.volume import Volume
from pqcomq.wording import counted

_BODY_SHARE = 0.5
"""A slice counts as having content if it shows at least this share of what the fullest slice shows."""


@dataclass(frozen=True, repr=False)
class Calibration:
    """Slices for calibration.

    Attributes:
        slices: 8-bit slices (H, W), as the models' preprocessing takes them.
        description: JSON-ready; modality, spacing, window, slice numbers and a hash of the voxels, no patient data.
    """

    slices: tuple[np.ndarray, ...]
    description: dict[str, Any]

    def __repr__(self) -> str:
        volumes = counted(len(self.description["volumes"]), "volume")
        return f"Calibration({counted(len(self.slices), 'slice')} of {volumes})"


def calibrate_on(volumes: Sequence[Volume], count: int = DEFAULT_SLICES, window: Window | None = None) -> Calibration:
    """Choose slices spread evenly over the part of each volume that shows the body.

    Args:
        volumes: one or more; the count is divided among them as evenly as it goes.
        count: slices in all, at least one a volume.
        window: by default each modality's own.

    Raises:
        InputError: no volume, fewer slices asked for than volumes, a volume too short, one without any contrast, or
            voxels that are not finite.
    """
    if not volumes:
        raise InputError("calibration needs at least one volume")
    if count < len(volumes):
        few, over = counted(count, "calibration slice"), counted(len(volumes), "volume")
        raise InputError(f"{few} cannot be spread over {over}")
    slices: list[np.ndarray] = []
    described = []
    for index, volume in enumerate(volumes):
        if not bool(np.isfinite(volume.voxels).all()):
            raise InputError(
                "The volume holds voxels that are not finite, so nothing can be calibrated on it", volume.name
            )
        share = count // len(volumes) + (index < count % len(volumes))
        shown = eight_bit(volume, window)
        numbers = spread_slices(shown, share, volume.name)
        slices += [shown[z] for z in numbers]
        described.append(_described(volume, window, numbers))
    return Calibration(tuple(slices), {"slice_count": len(slices), "volumes": described})


def spread_slices(shown: np.ndarray, count: int, name: str) -> list[int]:
    """Slice numbers spread evenly over the slices with content.

    Args:
        shown: (z, y, x) uint8.
        count: how many.
        name: of the volume, for the message.

    Raises:
        InputError: the volume has too few slices, or shows nothing.
    """
    content = np.count_nonzero(shown, axis=(1, 2))  # (z,)
    if content.max() == 0 or shown.min() == shown.max():
        raise InputError("The volume shows nothing in this window, so nothing can be calibrated on it", name)
    if count > len(shown):
        has = counted(len(shown), "slice")
        raise InputError(f"The volume has {has}, fewer than the {count} asked for calibration", name)
    full = np.flatnonzero(content >= _BODY_SHARE * content.max())
    candidates = full if full.size >= count else np.arange(len(shown))
    # The middles of equal parts: the ends of a scan, where the body leaves it, are the least typical slices.
    places = (np.arange(count) + 0.5) / count * candidates.size
    return [int(candidates[int(place)]) for place in places]


def _described(volume: Volume, window: Window | None, numbers: list[int]) -> dict[str, Any]:
    used = window or default_window(volume.modality, volume.voxels)
    return {
        "modality": volume.modality,
        "size_xyz": list(volume.grid.size),
        "spacing_mm_xyz": [round(step, 4) for step in volume.grid.spacing],
        "window_level": used.level,
        "window_width": used.width,
        "slices": numbers,
        "voxels_sha256": volume.sha256,
    }
