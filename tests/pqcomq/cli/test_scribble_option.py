"""``--scribble``: what is refused, and the way from a file of labels to a mask and its record."""

from __future__ import annotations

import json

import numpy as np
import pytest
import SimpleITK as sitk

from pqcomq.cli.terminal.boxes import BoxUnit
from pqcomq.cli.terminal.prompt_options import prompts_of, single_prompt
from pqcomq.errors import InputError
from pqcomq.segmentation.scribble import Scribble

KEY = "lite-medsam-scribble"


@pytest.fixture
def draw(phantom, tmp_path):
    """Writes runs of voxels, each under a label, as a file on the phantom's grid."""

    def drawing(*runs):
        labels = np.zeros(phantom.voxels.shape, np.uint16)
        for label, z, y, first, last in runs:
            labels[z, y, first : last + 1] = label
        path = tmp_path / "scribbles.nii.gz"
        sitk.WriteImage(phantom.to_file_grid(labels), str(path))
        return path

    return drawing


def test_every_label_is_an_object_but_the_authors_background(phantom, draw):
    path = draw((2, 2, 40, 50, 70), (1, 3, 20, 30, 31), (1000, 2, 5, 5, 90))
    first, second = prompts_of([], [], [], None, BoxUnit.voxels, phantom, path)
    assert (first.scribble, second.scribble) == (
        Scribble.of_runs([(3, 20, 30, 31)]),
        Scribble.of_runs([(2, 40, 50, 70)]),
    )
    assert prompts_of([], [], [], "1 3", BoxUnit.voxels, phantom, path)[1].slices == range(1, 4)
    with pytest.raises(InputError, match="holds 2 scribbles, and this command takes one"):
        single_prompt([], [], [], None, BoxUnit.voxels, phantom, path)


def test_scribbles_that_make_no_sense_are_refused(phantom, draw):
    def asked(path, boxes=(), points=(), slices=None):
        return prompts_of(boxes, points, [], slices, BoxUnit.voxels, phantom, path)

    with pytest.raises(InputError, match="no label but 0 and 1000"):
        asked(draw((1000, 2, 5, 5, 90)))
    path = draw((1, 2, 40, 50, 70))
    for beside in ({"boxes": ["1 1 1 9 9 2"]}, {"points": ["4 5 2"]}):
        with pytest.raises(InputError, match="--scribble goes with neither --box nor points"):
            asked(path, **beside)
    with pytest.raises(InputError, match="does not lie within the slices 3 to 4"):
        asked(path, slices="3 4")


def test_one_sentence_where_it_does_not_fit_the_volume_or_the_model(
    refused, run, ct, draw, tmp_path, scribble_checkpoint
):
    out = ["--out", tmp_path / "m.nii"]
    own = ["--model", KEY, "--checkpoint", scribble_checkpoint]
    told = refused("segment", ct, "--model", "lite-medsam", "--scribble", draw((1, 2, 40, 50, 70)), *out)
    assert "LiteMedSAM was trained for boxes and takes no scribbles; LiteMedSAM for scribbles does." in told
    assert "takes no boxes; LiteMedSAM, " in refused("segment", ct, *own, "--box", 1, 1, 1, 9, 9, 2, *out)
    other = tmp_path / "other.nii.gz"
    sitk.WriteImage(sitk.GetImageFromArray(np.ones((3, 9, 9), np.uint8)), str(other))
    assert "other.nii.gz" in refused("segment", ct, *own, "--scribble", other, *out)


def test_a_mask_and_its_record(run, ct, draw, tmp_path, scribble_checkpoint):
    path, out = draw((1, 2, 40, 50, 70), (1, 3, 41, 50, 70)), tmp_path / "m.nii.gz"
    asked = ["--scribble", path, "--slices", 2, 3, "--prompts", "same", "--runtime", "torch", "--out", out]
    status, _, error = run("segment", ct, "--model", KEY, "--checkpoint", scribble_checkpoint, *asked)
    assert status == 0, error
    assert sitk.ReadImage(str(out)).GetSize() == (96, 96, 6)
    record = json.loads((tmp_path / "m.json").read_text(encoding="utf-8"))
    (prompt,) = (each["origin"]["prompt"] for each in record["objects"])
    assert prompt["scribble_voxels_zyx0x1"] == [[2, 40, 50, 70], [3, 41, 50, 70]]
    assert prompt["slices"] == [2, 3]
