from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from pqcomq.errors import InputError
from pqcomq.quantization.calibration.slices import calibrate_on, spread_slices


def test_slices_are_spread_over_what_shows_the_body():
    shown = np.zeros((40, 8, 8), np.uint8)
    shown[10:30] = 100
    chosen = spread_slices(shown, 4, "body")
    assert chosen == [12, 17, 22, 27]
    assert spread_slices(shown, 1, "body") == [20]
    # More than the body has: then from the whole volume, rather than twice the same.
    assert len(set(spread_slices(shown, 40, "body"))) == 40


def test_the_count_is_divided_among_volumes(phantom):
    calibration = calibrate_on([phantom, phantom], 5)
    assert [len(volume["slices"]) for volume in calibration.description["volumes"]] == [3, 2]
    assert len(calibration.slices) == calibration.description["slice_count"] == 5


def test_the_description_is_json_and_names_nobody(phantom, tmp_path):
    named = replace(phantom, name="Doe^Jane", source=tmp_path / "Doe_Jane.nii.gz")
    text = json.dumps(calibrate_on([named], 2).description)
    assert "Doe" not in text
    assert phantom.sha256 in text


def test_what_cannot_be_calibrated_on_is_told(phantom):
    with pytest.raises(InputError, match="at least one volume"):
        calibrate_on([])
    with pytest.raises(InputError, match="cannot be spread"):
        calibrate_on([phantom, phantom], 1)
    with pytest.raises(InputError, match=r"The volume has 6 slices, fewer than the 7 .*phantom"):
        calibrate_on([phantom], 7)
    with pytest.raises(InputError, match="shows nothing"):
        calibrate_on([replace(phantom, voxels=np.full_like(phantom.voxels, 12))], 1)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_voxels_that_are_not_finite_are_told(phantom, value):
    voxels = phantom.voxels.astype(np.float32)
    voxels[1, 2, 3] = value
    with pytest.raises(InputError, match="holds voxels that are not finite"):
        calibrate_on([replace(phantom, voxels=voxels)], 1)
