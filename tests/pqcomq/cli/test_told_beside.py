"""What makes a volume or its labels doubtful is told by every command that reads them, beside its output."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

from pqcomq.cli.terminal.options import labels_on, opened, truth_of
from pqcomq.volumes.volume_reader import read_volume


@pytest.fixture
def forms(tmp_path):
    """A volume whose values no scanner measures, and labels a twentieth of a voxel beside it."""
    values = np.zeros((4, 5, 6), np.float32)
    values[0, 0, 0] = 3e30
    image, labels = sitk.GetImageFromArray(values), sitk.GetImageFromArray((values > 0).astype(np.uint8))
    labels.SetOrigin((0.05, 0, 0))
    sitk.WriteImage(image, str(tmp_path / "scan.nii.gz"))
    sitk.WriteImage(labels, str(tmp_path / "truth.nii.gz"))
    return tmp_path / "scan.nii.gz", tmp_path / "truth.nii.gz"


def test_a_volume_s_doubts_are_told_beside_the_output(forms, capsys):
    volume = opened(forms[0], None, None)
    out, err = capsys.readouterr()
    assert out == ""
    assert "scan.nii.gz: Values reach 3e+30, which no scanner measures" in err
    assert len([line for line in err.splitlines() if line.startswith("scan.nii.gz: ")]) == sum(
        each.severity != "harmless" for each in volume.findings
    )
    opened(forms[0], None, None, tells=False)
    assert "scanner" not in capsys.readouterr().err


@pytest.mark.parametrize(
    "read", [lambda *given: labels_on(given[0], given[1], [1]), lambda *given: truth_of(given[1], 1, given[0])]
)
def test_what_is_odd_about_labels_is_told_beside_the_output(forms, capsys, read):
    read(read_volume(forms[0]), forms[1])
    assert "truth.nii.gz: The labels lie up to 0.05 mm beside the volume's voxels" in capsys.readouterr().err
