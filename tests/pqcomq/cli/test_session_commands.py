"""``pqcomq report``, ``replay`` and ``gate`` as a user types them."""

from __future__ import annotations

import json
import re

import SimpleITK as sitk

BOX = ["45", "25", "2", "76", "56", "2"]


def test_report_then_gate_then_replay(run, ct, truth, saved, tmp_path, phantom):
    out = tmp_path / "session"
    asked = ["--labels", truth, "--label", 1, "--name", "disc", "--box", *BOX, "--no-jitter", "--dice", 0.5]
    asked += ["--volume-percent", 50]  # what 4 bits of a phantom come to is another test's matter
    status, text, _ = run("report", "--volume", ct, "--weights", saved, *asked, "--out", out)
    assert status == 0
    assert re.search(r"disc, 4-bit Permutation-COMQ(, OpenVINO \w+( widened)?)?: PASS", text)
    assert (out / "report.html").stat().st_size > 100_000
    assert json.loads((out / "session.json").read_text())["gate"]["least_dice_between_models"] == 0.5

    status, text, _ = run("gate", out, "--dice", 0.5, "--volume-percent", 50)
    assert (status, text.splitlines()[-1]) == (0, "All together: PASS.")
    status, text, _ = run("gate", out, "--dice", 1, "--volume-percent", 0, "--json")
    assert status == 1
    assert json.loads(text)["outcome"] == "fail"

    status, text, _ = run("replay", out, "--volume", ct)
    assert status == 0, text
    assert "The same: all" in text
    content = json.loads((out / "session.json").read_text())
    content["objects"][0]["comparisons"][0]["found"]["agreement_between_models"]["dice"] = 0.123
    (out / "session.json").write_text(json.dumps(content))
    status, text, _ = run("replay", out, "--volume", ct)
    assert status == 1
    assert "agreement between the models, dice was 0.123" in text

    other = tmp_path / "other.nii.gz"
    sitk.WriteImage(phantom.to_file_grid(phantom.voxels + 1), str(other))
    status, _, err = run("replay", out, "--volume", other)
    assert status == 2
    assert "is not the volume of the session" in err


def test_report_takes_one_volume_of_a_label_file_and_moves_it_onto_the_grid_when_told(
    run, refused, ct, truth, saved, tmp_path
):
    labels = sitk.ReadImage(str(truth))
    empty = labels * 0
    several = sitk.JoinSeries([empty, labels])
    origin, spacing = several.GetOrigin(), several.GetSpacing()
    several.SetOrigin((origin[0] + 0.3 * spacing[0], *origin[1:]))
    sitk.WriteImage(several, str(tmp_path / "several.nii.gz"))
    asked = ["report", "--volume", ct, "--weights", saved, "--labels", tmp_path / "several.nii.gz", "--label", 1]
    asked += ["--box", *BOX, "--no-jitter", "--out", tmp_path / "session"]
    assert "holds 2 volumes" in refused(*asked)
    assert "does not occur" in refused(*asked, "--labels-part", 1, "--remedy", "resample")
    assert "resample" in refused(*asked, "--labels-part", 2)
    assert run(*asked, "--labels-part", 2, "--remedy", "resample")[0] == 0
    made = json.loads((tmp_path / "session" / "session.json").read_text())
    assert [each["name"] for each in made["objects"]] == ["label 1"]


def test_what_does_not_go_together_is_refused(refused, ct, truth, saved, tmp_path):
    report = ["report", "--volume", ct, "--weights", saved, "--out", tmp_path / "session"]
    assert "Name what to segment" in refused(*report)
    assert "go together" in refused(*report, "--label", 1)
    assert "of one object" in refused(*report, "--labels", truth, "--label", 1, 1, "--box", *BOX)
    assert "2 names for 1 object: give one each" in refused(*report, "--box", *BOX, "--name", "a", "b")
    assert "same name: a, a" in refused(*report, "--box", *BOX, "--box", *BOX, "--name", "a", "a")
    assert "same name: label 1, label 1" in refused(*report, "--labels", truth, "--label", 1, 1)
    assert "Label 5 does not occur" in refused(*report, "--labels", truth, "--label", 5)
    assert "least Dice" in refused(*report, "--box", *BOX, "--dice", 98)
    assert "0 % or more" in refused(*report, "--box", *BOX, "--volume-percent", -1)
    (tmp_path / "session").mkdir()
    (tmp_path / "session" / "report.html").write_text("precious")
    assert "exists already" in refused(*report, "--box", *BOX)


def test_folders_that_are_no_sessions_are_refused(refused, ct, tmp_path):
    assert "holds no session" in refused("gate", tmp_path)
    assert "holds no session" in refused("replay", tmp_path / "nowhere", "--volume", ct)
