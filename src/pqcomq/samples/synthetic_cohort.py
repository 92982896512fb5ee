"""Synthetic patients by the number, to try what is meant for many: bodies, noise, contrast and tilt differ."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import ndimage

from pqcomq.samples.synthetic_ct import Sample, synthetic_ct
from pqcomq.segmentation.box import Box3D
from pqcomq.volumes.intensity_window import Window, eight_bit
from pqcomq.volumes.volume import Volume

MR_EVERY = 3
"""Every third case has MR-like contrast."""
_MOST_TILT_DEGREES, _MOST_NOISE = 8.0, 18.0


def synthetic_case(seed: int) -> Sample:
    """One synthetic patient; the same number gives the same voxels.

    Args:
        seed: 0 is the synthetic CT as it is; every other number draws another body, its tilt in the slice plane, more
            noise and another contrast, every third of them with MR-like grey values.
    """
    sample = synthetic_ct(seed)
    if seed == 0:
        return sample
    rng = np.random.default_rng([seed, 1])
    angle = float(rng.uniform(-_MOST_TILT_DEGREES, _MOST_TILT_DEGREES))
    voxels = _tilted(sample.volume.voxels, angle, order=1)
    labels = _tilted(sample.labels, angle, order=0)
    contrast = float(rng.uniform(0.75, 1.25))
    soft = 40 + (voxels.astype(np.float32) - 40) * contrast
    voxels = np.where(voxels > -300, soft, voxels)  # air stays air
    voxels = voxels + rng.normal(0, float(rng.uniform(0, _MOST_NOISE)), voxels.shape)
    whole = np.clip(np.rint(voxels), -1024, 3071).astype(np.int16)
    volume = replace(sample.volume, voxels=whole, name=f"synthetic case {seed}")
    if seed % MR_EVERY == 0:
        volume = _as_mr(volume, rng)
    boxes = {label: Box3D.around(labels == label) for label in sample.names}
    return Sample(volume, labels, sample.names, boxes)


def _tilted(values: np.ndarray, degrees: float, *, order: int) -> np.ndarray:
    """Turned in the slice plane; what comes in from outside has the lowest value."""
    lowest = float(values.min())
    turned: np.ndarray = ndimage.rotate(values, degrees, axes=(1, 2), reshape=False, order=order, cval=lowest)
    return turned


def _as_mr(volume: Volume, rng: np.random.Generator) -> Volume:
    """Grey values as in a fat-suppressed MR: soft tissue in another order, bone dark, a smooth shading across."""
    shown = eight_bit(volume, Window(40, 400)).astype(np.float32) / 255  # 0 … 1
    middle = float(rng.uniform(0.55, 0.7))
    tone = 1 - np.abs(shown - middle) / max(middle, 1 - middle)  # bright in the middle of soft tissue
    rows = np.linspace(-1, 1, shown.shape[1])[None, :, None]
    columns = np.linspace(-1, 1, shown.shape[2])[None, None, :]
    shading = 1 + 0.25 * float(rng.uniform(-1, 1)) * rows + 0.25 * float(rng.uniform(-1, 1)) * columns
    grey = np.clip(tone * shading, 0, None) * (shown > 0.02) * 800
    return replace(volume, voxels=np.rint(grey).astype(np.int16), modality="MR")
