"""Labels asked for that no case can have are told before any work."""

from __future__ import annotations

import json
import shutil

import pytest
import SimpleITK as sitk

from pqcomq.cohort.cases import asked_labels
from pqcomq.cohort.cases.find_cases import find_cases, synthetic_cases
from pqcomq.errors import InputError
from pqcomq.volumes.labels.slicer_segmentation import segment_fields


def asked_of(make, *labels):
    """What is told where none can have the last label, and nothing where the others are asked for alone."""
    make(labels[:-1])
    with pytest.raises(InputError) as told:
        make(labels)
    return str(told.value)


def test_a_mistyped_label_is_told_before_any_work(phantoms, tmp_path):
    told = asked_of(lambda labels: find_cases(phantoms, labels), "BLOB", "1", "blub")
    assert told == "No case has a label 'blub'; there are blob."
    told = asked_of(lambda labels: synthetic_cases(500, labels), "liver", "5", "spelen")
    assert told.startswith("No case has a label 'spelen'; there are spleen, ") and told.count(",") == 4
    assert "'6'" in asked_of(lambda labels: synthetic_cases(2, labels), "1", "6")
    table = tmp_path / "cases.csv"

    def listed(numbers):
        files = (phantoms / "anna" / f"{each}.nii.gz" for each in ("image", "labels"))
        table.write_text("case,image,labels,label_numbers\n" + ",".join(["anna", *map(str, files), numbers]) + "\n")
        return lambda labels: find_cases(table, labels)

    assert "there are spot, liver" in asked_of(listed("1=spot; 2=liver"), "1", "Liver", "7")
    told = asked_of(listed(""), "1", "liver")
    assert told == "No label has a name, so that 'liver' cannot be found; ask for labels by number."


def test_a_mistyped_number_is_looked_for_in_the_voxels_before_any_work(phantoms, tmp_path, monkeypatch):
    read, numbers_in = [], asked_labels.numbers_in
    monkeypatch.setattr(asked_labels, "numbers_in", lambda path: read.append(path.parent.name) or numbers_in(path))
    told = asked_of(lambda labels: find_cases(phantoms, labels), "1", "7", "label 7", "8")
    assert told == "No case has a label '8'; there are label 7, blob."
    assert read == ["anna", "anna", "bert", "carl"], "no more than are needed to find it, and none for what is named"
    shutil.copytree(phantoms, tmp_path / "data")
    (tmp_path / "data" / "labels.json").unlink()
    assert "there are label 7, label 1." in asked_of(lambda labels: find_cases(tmp_path / "data", labels), "1", "70")
    for name in ("anna", "bert", "carl"):
        labels = tmp_path / "data" / name / "labels.nii.gz"
        labels.write_bytes(labels.read_bytes()[:-40])
        found = find_cases(tmp_path / "data", ["70"])
        assert len(found.cases) == 3, "it may be in one that is cut off, which is told case by case"
    assert "there are label 7" in asked_of(lambda labels: find_cases(phantoms, labels), "1", "70")
    monkeypatch.setattr(asked_labels, "_MOST_READ", 2)
    assert len(find_cases(phantoms, ["70"]).cases) == 3, "it may be in one that was not looked through"


def test_of_many_labels_the_closest_are_named(phantoms, tmp_path):
    shutil.copytree(phantoms, tmp_path / "data")
    names = {str(number): f"vertebra {number}" for number in range(1, 60)} | {"60": "gallbladder"}
    (tmp_path / "data" / "labels.json").write_text(json.dumps(names))
    told = asked_of(lambda labels: find_cases(tmp_path / "data", labels), "gallbladder", "gall bladder")
    assert told.startswith("No case has a label 'gall bladder'; there are gallbladder, ")
    assert told.endswith(", and 48 more.")


def test_labels_that_a_slicer_segmentation_names_itself_are_known(phantoms, tmp_path):
    shutil.copytree(phantoms / "anna", tmp_path / "anna")
    labels = sitk.ReadImage(str(tmp_path / "anna" / "labels.nii.gz"))
    for field, text in segment_fields({1: ("tumour", (255, 0, 0)), 7: ("spot", (0, 255, 0))}, labels.GetSize()).items():
        labels.SetMetaData(field, text)
    (tmp_path / "anna" / "labels.nii.gz").unlink()
    sitk.WriteImage(labels, str(tmp_path / "anna" / "labels.seg.nrrd"))
    assert "there are tumour, spot" in asked_of(lambda asked: find_cases(tmp_path, asked), "tumour", "2", "tumor")
