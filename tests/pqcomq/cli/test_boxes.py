"""Boxes on the command line, and output where there are no more letters than ASCII."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import SimpleITK as sitk

from pqcomq.cli.commands import SUMMARIES
from pqcomq.cli.terminal.boxes import BoxUnit, boxes_of
from pqcomq.cli.terminal.lists import joined_numbers
from pqcomq.cli.terminal.prompt_options import prompts_of, single_prompt
from pqcomq.errors import InputError
from pqcomq.masks.file_formats import sidecar
from pqcomq.segmentation.box import Box3D
from pqcomq.segmentation.prompt import Prompt, PromptPoint
from pqcomq.volumes.volume import Volume


@pytest.fixture
def volume():
    image = sitk.GetImageFromArray(np.zeros((8, 20, 30), np.int16))
    image.SetSpacing((0.5, 1.0, 2.5))
    image.SetOrigin((-10.0, 5.0, -40.0))
    return Volume.of(image, "CT", "sample")


def test_six_numbers_become_one_value_as_often_as_they_are_given():
    given = ["segment", "a.nii", "--box", "1", "2", "3", "-4", "5e1", "6", "--out", "m.nii", "--box", *"123456"]
    assert joined_numbers(given) == [
        "segment", "a.nii", "--box", "1 2 3 -4 5e1 6", "--out", "m.nii", "--box", "1 2 3 4 5 6",
    ]  # fmt: skip


@pytest.mark.parametrize("rest", [["--out", "m.nii"], [], ["m.nii"]])
def test_fewer_numbers_do_not_swallow_what_follows(rest):
    with pytest.raises(InputError, match="six numbers X0 Y0 Z0 X1 Y1 Z1, but 4 follow it"):
        joined_numbers(["segment", "--box", "1", "2", "3", "4", *rest])


def test_too_few_numbers_are_told_on_the_command_line(refused, tmp_path):
    told = refused("segment", "a.nii", "--box", 1, 2, 3, 4, "--out", tmp_path / "m.nii")
    assert "but 4 follow it, and then '--out'" in told


def test_boxes_in_millimetres_are_the_same_in_voxels(volume):
    (in_voxels,) = boxes_of(["4 3 1 20 15 6"], BoxUnit.voxels, volume)
    assert in_voxels == Box3D(4, 3, 1, 20, 15, 6)
    low, high = volume.grid.to_patient([(4, 3, 1.2), (20, 15, 5.9)]).tolist()
    corners = " ".join(str(v) for v in [high[0], low[1], low[2], low[0], high[1], high[2]])
    (in_mm,) = boxes_of([corners], BoxUnit.mm, volume)
    assert (in_mm.z0, in_mm.z1) == (1, 6)
    assert (in_mm.x0, in_mm.y0, in_mm.x1, in_mm.y1) == pytest.approx((4, 3, 20, 15))


def test_boxes_outside_or_too_many_are_refused(volume):
    with pytest.raises(InputError, match="reaches outside"):
        boxes_of(["0 0 0 100 5 5"], BoxUnit.mm, volume)
    with pytest.raises(InputError, match="six"):
        boxes_of(["1 2 3 4 5"], BoxUnit.voxels, volume)
    with pytest.raises(InputError, match="takes one --box, not 2"):
        single_prompt(["1 2 3 4 5 6"] * 2, [], [], None, BoxUnit.voxels, volume)


def test_points_stand_alone_or_beside_one_box(volume):
    points = {"points": ["4 5 2", "6,7,4"], "negative_points": ["20 15 3"], "unit": BoxUnit.voxels, "volume": volume}
    marks = (PromptPoint(4, 5, 2), PromptPoint(6, 7, 4), PromptPoint(20, 15, 3, positive=False))
    assert prompts_of([], slices=None, **points) == [Prompt(points=marks)]
    assert prompts_of([], slices="1 6", **points) == [Prompt(points=marks, span=(1, 6))]
    assert prompts_of(["1 1 1 25 18 5"], slices=None, **points) == [Prompt(Box3D(1, 1, 1, 25, 18, 5), marks)]


def test_points_in_millimetres_are_the_same_in_voxels(volume):
    place = volume.grid.to_patient([(4, 5, 2.2)])[0].tolist()
    ((point,),) = (each.points for each in prompts_of([], [" ".join(map(str, place))], [], None, BoxUnit.mm, volume))
    assert (point.x, point.y, point.z) == (pytest.approx(4), pytest.approx(5), 2)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (([], [], [], None), "Name what to segment"),
        (([], [], ["4 5 2"], None), "at least one positive point"),
        (([], ["4 5 2"], [], "3 6"), "lies on none of the slices 3 to 6"),
        (([], ["4 5 2"], [], "2 8"), "slices 2 to 8 are not in"),
        (([], ["40 5 2"], [], None), "lies outside"),
        (([], ["4 5 x"], [], None), "three numbers"),
        (([], ["4 5 1.5"], [], None), "whole z"),
        ((["1 1 1 9 9 2"], [], [], "1 2"), "a box has its own slices"),
        ((["1 1 1 9 9 2"] * 2, ["4 5 2"], [], None), "there are 2 boxes"),
    ],
)
def test_prompts_that_make_no_sense_are_refused(volume, given, told):
    with pytest.raises(InputError, match=told):
        prompts_of(*given, BoxUnit.voxels, volume)


def test_a_model_of_boxes_refuses_points_and_names_those_that_take_them(refused, ct, tmp_path):
    told = refused("segment", ct, "--model", "lite-medsam", "--point", 40, 40, 2, "--out", tmp_path / "m.nii")
    assert "LiteMedSAM was trained for boxes and takes no points; SAM ViT-B, SAM ViT-L, SAM ViT-H and MobileSAM" in told


@pytest.mark.slow
def test_several_boxes_make_one_label_map(run, ct, tmp_path):
    out = tmp_path / "m.nii.gz"
    boxes = ["--box", 20, 20, 2, 45, 60, 3, "--name", "left", "--box", 50, 20, 2, 90, 60, 3, "--name", "right"]
    status, _, error = run("segment", ct, "--model", "lite-medsam", *boxes, "--prompts", "same", "--out", out)
    assert status == 0, error
    assert set(np.unique(sitk.GetArrayFromImage(sitk.ReadImage(str(out))))) <= {0, 1, 2}
    record = json.loads((tmp_path / "m.json").read_text())
    assert [each["name"] for each in record["objects"]] == ["left", "right"]


def test_one_stem_holds_two_formats(tmp_path):
    assert sidecar(tmp_path / "a.nii.gz").name == sidecar(tmp_path / "a.dcm").name == "a.json"
    (tmp_path / "a.json").write_text(json.dumps({"file": {"kind": "NIfTI"}}))
    assert sidecar(tmp_path / "a.nii.gz").name == "a.json"
    assert sidecar(tmp_path / "a.dcm").name == "a.dcm.json"
    (tmp_path / "a.json").write_text("[]")
    assert sidecar(tmp_path / "a.dcm").name == "a.json"


@pytest.mark.slow
@pytest.mark.parametrize("settings", [{"PYTHONIOENCODING": "ascii"}, {"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0"}])
def test_every_help_and_the_facts_of_a_volume_come_in_ascii(tmp_path, settings, volume):
    path = tmp_path / "Bäuche × 2.nii"
    sitk.WriteImage(sitk.GetImageFromArray(volume.voxels), str(path))
    calls = [["--help"], *([name, "--help"] for name in SUMMARIES), ["series", str(tmp_path)]]
    # The name comes from the file system, as from a shell: it may hold bytes that the locale has no letters for.
    code = f"""
import pathlib
from pqcomq.cli import main
for call in [*{calls!r}, ["info", str(next(pathlib.Path({str(tmp_path)!r}).glob("*.nii")))]]:
    try:
        main(call)
    except SystemExit as end:
        print(end.code)
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "COLUMNS": "100", **settings}
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, env=environment, check=False)
    assert ended.returncode == 0, ended.stderr
    assert b"Traceback" not in ended.stderr
    assert b"30 x 20 x 8 voxels" in ended.stdout
