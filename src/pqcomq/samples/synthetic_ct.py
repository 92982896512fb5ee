"""An abdominal CT made by code, with exact labels: no patient, no download, the same for everyone.

No library makes one: phantoms that can be had (Shepp-Logan and its kin) have neither organs nor Hounsfield units.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import SimpleITK as sitk

from pqcomq.samples.phantom_anatomy import NAMES, draw_patient
from pqcomq.samples.phantom_canvas import Canvas, scanned, smooth_noise
from pqcomq.segmentation.box import Box3D
from pqcomq.volumes.volume import Volume

SIZE = (256, 256, 60)
SPACING = (1.5, 1.5, 4.0)
NOISE_HU = 11.0


@dataclass(frozen=True)
class Sample:
    """A volume with its ground truth.

    Attributes:
        volume: the CT, int16 HU.
        labels: (z, y, x) uint8, 0 where no labelled organ is.
        names: organ name by label value.
        boxes: ready prompt by label value: the organ's tight box, grown by 2 voxels in the slice plane.
    """

    volume: Volume
    labels: np.ndarray = field(repr=False)
    names: dict[int, str]
    boxes: dict[int, Box3D]


def synthetic_ct(seed: int = 0) -> Sample:
    """Draw the synthetic abdominal CT.

    Args:
        seed: the same number gives the same volume, another number another body and other noise.

    Returns:
        256 × 256 × 60 voxels of 1.5 × 1.5 × 4 mm with the labels and boxes of five organs.
    """
    rng = np.random.default_rng(seed)
    canvas = Canvas(SIZE, SPACING, rng)
    draw_patient(canvas, rng)
    mottle = 4 * smooth_noise(canvas.labels.shape, (20, 40, 40), rng)
    image = sitk.GetImageFromArray(scanned(canvas.hounsfield + mottle, NOISE_HU, rng))
    image.SetSpacing(SPACING)
    image.SetOrigin([-(count - 1) * step / 2 for count, step in zip(SIZE, SPACING, strict=True)])
    volume = Volume.of(image, "CT", "Synthetic abdominal CT")
    boxes = {label: Box3D.around(canvas.labels == label) for label in NAMES}
    return Sample(volume, canvas.labels, dict(NAMES), boxes)
