from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

from pqcomq.quantization.settings import QuantizationSettings
from pqcomq.quantized.calibration import calibrate_on
from pqcomq.quantized.run import quantize_model
from pqcomq.volumes.volume import Volume


def phantom_volume(seed=0, depth=6):
    """A bright disc with an offset blob in soft tissue, noisy; small enough to calibrate on in a moment."""
    generator = np.random.default_rng(seed)
    z, y, x = np.indices((depth, 96, 96))
    voxels = np.where((y - 48) ** 2 + (x - 48) ** 2 < 40**2, 50, -1000)
    voxels = np.where((y - 40) ** 2 + (x - 60) ** 2 < (8 + z) ** 2, 150, voxels)
    image = sitk.GetImageFromArray((voxels + generator.normal(0, 10, voxels.shape)).astype(np.int16))
    image.SetSpacing((2.0, 2.0, 5.0))
    return Volume.of(image, "CT", "phantom")


@pytest.fixture(scope="session")
def phantom():
    return phantom_volume()


@pytest.fixture(scope="session")
def calibration(phantom):
    return calibrate_on([phantom], 1)


@pytest.fixture(scope="session")
def quantized(lite_medsam, calibration, finish):
    """LiteMedSAM at 4 bits."""
    return finish(quantize_model(lite_medsam, calibration, QuantizationSettings.default(4)))
