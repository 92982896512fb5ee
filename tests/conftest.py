"""What all tests share: the real volumes beside the checkout, the shipped model, and plain files."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
import SimpleITK as sitk

from pqcomq.models.registry import load_model
from pqcomq.models.segmenter import Segmenter
from pqcomq.quantization.settings import QuantizationSettings
from pqcomq.quantized.calibration import calibrate_on
from pqcomq.quantized.run import quantize_model
from pqcomq.quantized.weights_file import save_weights
from pqcomq.volumes.volume import Volume

REAL_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"

Result = TypeVar("Result")


@pytest.fixture(scope="session")
def real_data() -> Path:
    if not REAL_DATA.is_dir():
        pytest.skip("the real CT and MR volumes are not beside this checkout")
    return REAL_DATA


@pytest.fixture(scope="session")
def lite_medsam() -> Segmenter:
    return load_model("lite-medsam")


@pytest.fixture(scope="session")
def finish():
    """Runs a generator to its end and gives its return value."""

    def run(work: Generator[object, None, Result]) -> Result:
        while True:
            try:
                next(work)
            except StopIteration as end:
                return end.value

    return run


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


@pytest.fixture(scope="session")
def saved(quantized, tmp_path_factory):
    """Its file; tests leave it as it is."""
    path = tmp_path_factory.mktemp("weights") / "four.safetensors"
    save_weights(quantized, path)
    return path
