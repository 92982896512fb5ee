import numpy as np
import pytest

from pqcomq.errors import InputError
from pqcomq.samples import mr_slice as module
from pqcomq.samples.mr_slice import mr_slice


def test_it_comes_with_pydicom():
    volume = mr_slice()
    assert volume.voxels.shape == (1, 300, 484)
    assert volume.modality == "MR"
    assert volume.name == "Abdominal MR slice"
    assert volume.grid.orientation == "LPS"
    assert np.ptp(volume.voxels) > 100


def test_a_pydicom_without_its_examples_is_told(monkeypatch):
    monkeypatch.setattr(module, "FILE", "no such example.dcm")
    with pytest.raises(InputError, match=r"no such example\.dcm is missing"):
        mr_slice()
