"""A file that does not say how far apart its voxels lie is opened, and says that it does not."""

import json

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk

from pqcomq.cli import main
from pqcomq.volumes.volume_reader import read_volume

VALUES = np.arange(60, dtype=np.int16).reshape(3, 4, 5)


def written(folder, ending):
    """The file, and with 2 mm by 3 mm by 4 mm stated."""
    path, stated = folder / f"a{ending}", folder / f"b{ending}"
    image = sitk.GetImageFromArray(VALUES)
    image.SetSpacing((2, 3, 4))
    if ending == ".nii":
        nibabel.save(nibabel.Nifti1Image(VALUES.T, None), path)
        whole = nibabel.Nifti1Image(VALUES.T, None)
        whole.header.set_zooms((2, 3, 4))
        nibabel.save(whole, stated)
        return path, stated
    if ending == ".mha":
        sitk.WriteImage(image, str(stated))
        lines = stated.read_bytes().split(b"\n", 12)
        path.write_bytes(b"\n".join(line for line in lines if not line.startswith(b"ElementSpacing")))
        return path, stated
    header = "NRRD0004\ntype: short\ndimension: 3\nsizes: 5 4 3\n{}endian: little\nencoding: raw\n\n"
    for place, spacings in ((path, ""), (stated, "spacings: 2 3 4\n")):
        place.write_bytes(header.format(spacings).encode() + VALUES.tobytes())
    return path, stated


@pytest.mark.parametrize("ending", [".nii", ".mha", ".nrrd"])
def test_it_is_opened_with_a_note(tmp_path, capsys, ending):
    path, stated = written(tmp_path, ending)
    volume = read_volume(path, modality="CT")
    found = [each for each in volume.findings if each.kind == "no spacing"]
    assert volume.grid.spacing == (1, 1, 1)
    assert [each.severity for each in found] == ["doubtful"]
    told = "The file does not say how far apart its voxels lie; 1 mm is assumed"
    with pytest.raises(SystemExit):
        main(["info", str(path)])
    assert f"doubtful: {told}" in " ".join(capsys.readouterr().out.split())
    with pytest.raises(SystemExit):
        main(["info", str(path), "--json"])
    assert told in json.dumps(json.loads(capsys.readouterr().out))
    other = read_volume(stated, modality="CT")
    assert other.grid.spacing == (2, 3, 4)
    assert "no spacing" not in [each.kind for each in other.findings]


def test_one_axis_without_a_spacing_is_told_too(tmp_path):
    _, stated = written(tmp_path, ".nrrd")
    stated.write_bytes(stated.read_bytes().replace(b"2 3 4", b"2 NaN 4"))
    volume = read_volume(stated, modality="CT")
    assert volume.grid.spacing == (2, 1, 4)
    assert "no spacing" in [each.kind for each in volume.findings]
