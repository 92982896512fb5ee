from __future__ import annotations

import numpy as np
import pytest

from pqcomq.quantization.algorithm.config import QuantizationConfig
from pqcomq.quantization.calibration.intensity_augmentation import varied_intensities
from pqcomq.quantization.calibration.passes import CalibrationPasses
from pqcomq.quantization.calibration.slices import Calibration
from pqcomq.quantization.planning.presets import default_config

RAMP = np.arange(256, dtype=np.uint8)[None]


@pytest.mark.parametrize("index", range(9))
def test_every_other_slice_keeps_its_tones_and_background_stays_black(index):
    varied = varied_intensities(RAMP, index)
    assert varied.dtype == np.uint8
    assert varied[0, 0] == 0
    assert np.array_equal(varied, RAMP) == (index % 2 == 0)
    steps = np.diff(varied[0, 1:].astype(int))
    # Tissues that differ still differ in the same order, or all in the opposite one.
    assert (steps >= 0).all() or (steps <= 0).all()
    assert np.unique(varied).size > 150


def test_inverted_tissue_is_never_as_dark_as_the_background():
    inverted = varied_intensities(RAMP, 1)[0]
    assert inverted[1] > 250
    assert 20 < inverted[255] < 30


def test_passes_vary_tones_only_where_settings_say_so(lite_medsam, phantom):
    from pqcomq.volumes.intensity_window import eight_bit

    slices = Calibration(tuple(eight_bit(phantom)[:4]), {})
    own, varied = (
        CalibrationPasses(lite_medsam, slices, QuantizationConfig(4, tones=tones)) for tones in ("own", "varied")
    )
    assert len(own) == len(varied) == 4
    assert [bool((own.image(i) == varied.image(i)).all()) for i in range(4)] == [True, False, True, False]
    assert all(bool((own.prompts(i).boxes == varied.prompts(i).boxes).all()) for i in range(4))
    assert own.judging == [2, 3]
    seen = {tuple(box) for index in range(4) for box in own.prompts(index).boxes.flatten(1).tolist()}
    unseen = {tuple(box) for index in own.judging for box in own.unseen_prompts(index).boxes.flatten(1).tolist()}
    assert unseen
    assert not unseen & seen


def test_defaults_of_low_widths_vary_tones():
    assert [default_config("lite-medsam", bits).tones for bits in (8, 4, 2)] == ["own", "varied", "varied"]
