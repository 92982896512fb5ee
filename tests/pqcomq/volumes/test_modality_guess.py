"""CT or MR by the distribution of values: one voxel decides nothing, padding is padding, doubt is told."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

from pqcomq.volumes.modality_guess import guess_modality
from pqcomq.volumes.volume_reader import read_volume

RANDOM = np.random.default_rng(0)
BODY = RANDOM.normal(40, 60, (12, 40, 48))
CT = BODY.copy()
CT[:, :, :6] = -1000
DARK = np.abs(RANDOM.normal(0, 10, (12, 40, 48))) + 300 * (RANDOM.random((12, 40, 48)) > 0.5)


def changed(voxels, place, value):
    copy = voxels.copy()
    copy[place] = value
    return copy


def spine() -> np.ndarray:
    """Fat, muscle and bone, a bubble of gas."""
    kinds = RANDOM.choice([-100.0, 50.0, 400.0], CT.shape, p=[0.35, 0.5, 0.15])
    return changed(kinds + RANDOM.normal(0, 30, CT.shape), np.s_[0, 0, :5], -1000)


CASES = {
    "plain CT": (CT, "CT", True),
    "lung": (changed(BODY, np.s_[:, :20], -800), "CT", True),
    "padded with -8192": (changed(CT, np.s_[:, :, :2], -8192), "CT", True),
    "padded with -32768": (changed(CT, np.s_[:, :, :2], -32768), "CT", True),
    "padded with -2000": (changed(CT, np.s_[:, :, :2], -2000), "CT", True),
    "one overshoot": (changed(CT, np.s_[0, 0, 0], -4000), "CT", True),
    "spine alone": (spine(), "CT", False),
    "liver alone": (np.clip(RANDOM.normal(90, 20, CT.shape), 10, 300), "MR", False),
    "shifted to 0": (CT + 1024, "MR", False),
    "magnitudes": (DARK, "MR", True),
    "slightly negative by a filter": (DARK - 40, "MR", True),
    "subtraction": (RANDOM.normal(0, 150, CT.shape), "MR", False),
    "wide subtraction": (RANDOM.normal(0, 400, CT.shape), "MR", False),
    "air alone": (RANDOM.normal(-1000, 20, CT.shape), "CT", False),
    "phase": (np.clip(RANDOM.normal(0, 1500, CT.shape), -4096, 4094), "MR", False),
    "normalized": (RANDOM.normal(0, 1, CT.shape), "MR", True),
    "an 8-bit picture": (np.clip(np.rint(BODY), 0, 255), "MR", False),
    "all the same": (np.zeros(CT.shape), "MR", False),
}


@pytest.mark.parametrize("case", CASES)
def test_the_distribution_decides_and_doubt_is_told(case):
    voxels, modality, is_sure = CASES[case]
    guess = guess_modality(voxels)
    assert (guess.modality, guess.is_sure) == (modality, is_sure)
    assert ("doubtful" in guess.sentence) != is_sure


@pytest.mark.parametrize("seed", range(20))
def test_no_single_voxel_changes_the_guess(seed):
    random = np.random.default_rng(seed)
    for voxels in (CT, DARK):
        place = tuple(random.integers(0, voxels.shape))
        odd = changed(voxels, place, random.choice([-32768, -8192, -4000, -3024, -1000, 32767]))
        assert guess_modality(odd).modality == guess_modality(voxels).modality


def test_doubt_is_no_harmless_finding_and_what_the_user_says_holds(tmp_path):
    image = sitk.GetImageFromArray(CASES["subtraction"][0].astype(np.float32))
    sitk.WriteImage(image, str(tmp_path / "a.nii.gz"))
    (finding,) = (each for each in read_volume(tmp_path / "a.nii.gz").findings if "modality" in each.kind)
    assert finding.severity == "doubtful"
    volume = read_volume(tmp_path / "a.nii.gz", modality="CT")
    assert volume.modality == "CT"
    assert not any("modality" in each.kind for each in volume.findings)


def test_real_volumes(shared_data):
    for name, modality in (("abdomen_ct", "CT"), ("abdomen_mr", "MR"), ("calibration_ct_1", "CT")):
        guess = guess_modality(read_volume(shared_data / f"{name}.nii.gz").voxels)
        assert (guess.modality, guess.is_sure) == (modality, True)
    assert guess_modality(read_volume(shared_data / "cohort/ct_tptbox_spine/image.nii.gz").voxels).modality == "CT"
