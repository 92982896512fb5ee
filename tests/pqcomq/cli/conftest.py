"""The command line run in this process, and the files that it is run on."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

from pqcomq.cli import main


@pytest.fixture
def run(capsys):
    def run(*arguments):
        with pytest.raises(SystemExit) as end:
            main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return end.value.code or 0, out, err

    return run


@pytest.fixture
def refused(run, tmp_path):
    """Runs what must be refused; gives the sentence after seeing that nothing was written."""

    def refuse(*arguments):
        before = {path: path.is_file() and path.read_bytes() for path in tmp_path.rglob("*")}
        status, out, err = run(*arguments)
        assert status == 2, out + err
        assert err.startswith("pqcomq: ")
        assert err.count("\n") == 1, err
        assert out == ""
        assert {path: path.is_file() and path.read_bytes() for path in tmp_path.rglob("*")} == before
        return err

    return refuse


@pytest.fixture
def ct(phantom, tmp_path):
    path = tmp_path / "phantom.nii.gz"
    sitk.WriteImage(phantom.to_file_grid(phantom.voxels), str(path))
    return path


@pytest.fixture
def truth(phantom, ct, tmp_path):
    z, y, x = np.indices(phantom.voxels.shape)
    path = tmp_path / "labels.nii.gz"
    sitk.WriteImage(phantom.to_file_grid(((y - 40) ** 2 + (x - 60) ** 2 < (8 + z) ** 2).astype(np.uint8)), str(path))
    return path
