"""Windowing against the authors' rules, written out plainly."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

from pqcomq.errors import InputError
from pqcomq.volumes.intensity_window import PRESETS, EightBitSlices, Window, default_window, eight_bit
from pqcomq.volumes.volume import Volume


def volume(voxels, modality):
    return Volume.of(sitk.GetImageFromArray(voxels), modality, "made")


@pytest.fixture
def hounsfield():
    return np.random.default_rng(0).integers(-1024, 3000, (5, 20, 30)).astype(np.int16)


def test_ct_is_clipped_to_the_abdomen_window_and_stretched_over_what_occurs(hounsfield):
    expected = np.clip(hounsfield, -160, 240).astype(np.float64)
    expected = (expected - expected.min()) / (expected.max() - expected.min()) * 255
    assert np.array_equal(eight_bit(volume(hounsfield, "CT")), np.uint8(expected))


def test_the_range_is_that_of_the_values_that_occur_not_of_the_window():
    voxels = np.array([[[0, 50, 100]]], np.int16)
    assert eight_bit(volume(voxels, "CT")).tolist() == [[[0, 127, 255]]]


def test_other_modalities_take_percentiles_of_what_is_above_zero_and_keep_zeros():
    generator = np.random.default_rng(1)
    voxels = generator.integers(-5, 900, (4, 30, 30)).astype(np.int16)
    voxels[:, :10] = 0
    low, high = np.percentile(voxels[voxels > 0], [0.5, 99.5])
    expected = np.clip(voxels.astype(np.float64), low, high)
    expected = (expected - expected.min()) / (expected.max() - expected.min()) * 255
    expected[voxels == 0] = 0
    given = eight_bit(volume(voxels, "MR"))
    # The window is kept as level and width: its edges may differ by a rounding error, and a truncated value by one.
    assert np.abs(given.astype(int) - np.uint8(expected)).max() <= 1
    assert (given == np.uint8(expected)).mean() > 0.99
    assert not given[voxels == 0].any()


def test_windowing_leaves_the_voxels_alone(hounsfield):
    made = volume(hounsfield.copy(), "CT")
    eight_bit(made, PRESETS["lung"])
    assert np.array_equal(made.voxels, hounsfield)


@pytest.mark.parametrize("value", [-2000, 0, 40, 5000])
def test_a_constant_volume_is_black_and_never_nan(value):
    assert not eight_bit(volume(np.full((2, 4, 4), value, np.int16), "CT")).any()
    assert not eight_bit(volume(np.full((2, 4, 4), value, np.int16), "MR")).any()


def test_presets_are_the_field_s():
    assert (PRESETS["abdomen"].low, PRESETS["abdomen"].high) == (-160, 240)
    assert (PRESETS["lung"].level, PRESETS["lung"].width) == (-600, 1500)
    assert default_window("CT", np.zeros(1)) == PRESETS["abdomen"]
    assert default_window("MR", np.zeros(3)).width > 0


@pytest.mark.parametrize("numbers", [(40, 0), (40, -1), (float("nan"), 10), (0, float("inf"))])
def test_windows_that_are_none_are_refused(numbers):
    with pytest.raises(InputError, match="width must be a number above 0"):
        Window(*numbers)


@pytest.mark.parametrize("seed", range(8))
def test_percentiles_of_short_integers_are_numpy_s_to_the_last_digit(seed):
    generator = np.random.default_rng(seed)
    voxels = generator.integers(-300, 1 + 10 ** generator.integers(1, 5), (3, 7, 5 + seed)).clip(-300, 32767)
    low, high = np.percentile(voxels[voxels > 0], [0.5, 99.5])
    given = default_window("MR", voxels.astype(np.int16))
    assert given == Window(float(low + high) / 2, float(high - low))
    assert default_window("MR", np.full((1, 2, 2), -3, np.int16)) == Window(0.5, 1)


def test_slices_are_those_of_the_whole(hounsfield):
    for modality in ("CT", "MR"):
        made = volume(hounsfield, modality)
        slices = EightBitSlices(made)
        assert slices.shape == hounsfield.shape and len(slices) == len(hounsfield)
        assert all(np.array_equal(slices[z], whole) for z, whole in enumerate(eight_bit(made)))
