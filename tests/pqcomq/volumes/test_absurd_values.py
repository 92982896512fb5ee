"""Values that no scanner measures are refused, or told, whatever the file's kind."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

from pqcomq.errors import InputError
from pqcomq.volumes.volume_reader import read_volume

HEIGHTS = [0, 2, 4, 6]


def told(volume):
    return [each.sentence for each in volume.findings if each.kind == "values"]


@pytest.mark.parametrize(
    ("slope", "intercept", "outcome"),
    [
        (1e36, 0, "reach"),
        (1e37, 0, "not finite"),
        (1e300, 0, "not finite"),
        (1, 1e308, "not finite"),
        (1.5, 1e38, "reach"),
        (1, 1e30, "reach"),
        (-1e30, 0, "reach"),
        (1e-30, 0, "No value is larger"),
        (1, -1024, None),
        (2.5, 0, None),
    ],
)
def test_dicom(make_series, slope, intercept, outcome):
    def change(_index, dataset):
        dataset.RescaleSlope, dataset.RescaleIntercept = slope, intercept
        dataset.PixelData = (np.arange(12, dtype=np.int16) * 5).tobytes()

    folder = make_series(HEIGHTS, change=change)
    if outcome == "not finite":
        with pytest.raises(InputError, match="not finite"):
            read_volume(folder)
        return
    volume = read_volume(folder)
    assert np.isfinite(volume.voxels).all()
    assert len(told(volume)) == (outcome is not None)
    if outcome:
        assert outcome in told(volume)[0]
        assert all(each.severity == "doubtful" for each in volume.findings if each.kind == "values")


@pytest.mark.parametrize(("intercept", "is_refused"), [(1e308, True), (1e20, False)])
def test_one_slice_of_a_series(make_series, intercept, is_refused):
    def change(index, dataset):
        dataset.RescaleIntercept = intercept if index == 2 else 0

    folder = make_series(HEIGHTS, change=change)
    if is_refused:
        with pytest.raises(InputError, match="not finite"):
            read_volume(folder)
    else:
        assert "no scanner measures" in told(read_volume(folder))[0]


@pytest.mark.parametrize("ending", [".nii.gz", ".nii", ".nrrd", ".nhdr", ".mha", ".mhd"])
@pytest.mark.parametrize(
    ("value", "outcome"),
    [(np.inf, "not finite"), (np.nan, "not finite"), (1e300, "too large"), (1e30, "told"), (4e9, "told"), (1e5, "")],
)
def test_files(tmp_path, ending, value, outcome):
    voxels = np.random.default_rng(0).normal(100, 30, (5, 6, 7))
    voxels[2, 3, 4] = value
    path = tmp_path / f"volume{ending}"
    sitk.WriteImage(sitk.GetImageFromArray(voxels), str(path))
    if outcome in ("not finite", "too large"):
        with pytest.raises(InputError, match=outcome):
            read_volume(path, modality="MR")
    else:
        assert bool(told(read_volume(path, modality="MR"))) == (outcome == "told")


@pytest.mark.parametrize("slope", [1e30, 1e-36, -1e25])
def test_a_slope_in_nifti(tmp_path, slope):
    path = tmp_path / "v.nii"
    voxels = np.random.default_rng(0).integers(1, 999, (5, 6, 7)).astype(np.int16)
    sitk.WriteImage(sitk.GetImageFromArray(voxels), str(path))
    content = bytearray(path.read_bytes())
    content[112:116] = np.array(slope, "<f4").tobytes()  # scl_slope
    path.write_bytes(bytes(content))
    assert "no scanner measures" in told(read_volume(path, modality="MR"))[0]
