"""Data sets of every layout, and what is told of those that are none."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from pydicom.uid import DeflatedExplicitVRLittleEndian

from pqcomq.cohort.cases.case import Case
from pqcomq.cohort.cases.case_checks import without_paths
from pqcomq.cohort.cases.case_files import files_sha256
from pqcomq.cohort.cases.find_cases import find_cases, synthetic_cases
from pqcomq.cohort.cases.layouts import case_folders
from pqcomq.cohort.cases.read_case import opened, volume_of
from pqcomq.cohort.settings import CohortSettings
from pqcomq.dicom_masks.mask_object import MaskObject
from pqcomq.errors import InputError
from pqcomq.volumes.import_issues import ImportIssue, RemedyNeeded
from pqcomq.volumes.intensity_window import Window
from pqcomq.volumes.volume_reader import read_volume

from ..dicom_objects import write_segmentation, write_structure_set

ANY = CohortSettings("lite-medsam", "", "", (), "torch")


def test_case_folders_with_names_of_labels(phantoms, cases):
    assert [case.name for case in cases.cases] == ["anna", "bert", "carl"]
    assert cases.not_scored == ()
    assert cases.cases[0].label_title(1) == "blob"
    assert cases.cases[0].label_title(7) == "label 7"
    assert cases.cases[0].image == phantoms / "anna" / "image.nii.gz"
    assert [Case.from_dict(case.to_dict()) for case in cases.cases] == list(cases.cases)


def test_labels_by_name_or_number(phantoms):
    for asked in (["Blob"], ["1"]):
        case, volume, labels = opened(find_cases(phantoms, asked).cases[0], ANY)
        assert case.only == (1,)
        assert labels.mask(1).shape == volume.voxels.shape
    with pytest.raises(InputError, match="none of the labels asked for"):
        opened(replace(case, asked=("9",)), ANY)


@pytest.mark.parametrize("version", [1, 2])
def test_nnunet(phantoms, tmp_path, version):
    named = {"1": "blob"} if version == 1 else {"background": 0, "blob": 1}
    channels = {"modality": {"0": "CT"}} if version == 1 else {"channel_names": {"0": "CT"}}
    (tmp_path / "dataset.json").write_text(json.dumps({"labels": named, **channels}))
    for folder in ("imagesTr", "labelsTr"):
        (tmp_path / folder).mkdir()
    for name in ("anna", "bert"):
        shutil.copy(phantoms / name / "image.nii.gz", tmp_path / "imagesTr" / f"{name}_0000.nii.gz")
    shutil.copy(phantoms / "anna" / "labels.nii.gz", tmp_path / "labelsTr" / "anna.nii.gz")
    found = find_cases(tmp_path)
    assert [(case.name, case.modality, case.label_title(1)) for case in found.cases] == [("anna", "CT", "blob")]
    assert [(each.case, each.reason) for each in found.not_scored] == [
        ("bert", "there is no label file of this name in labelsTr")
    ]


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_manifest(phantoms, tmp_path, kind):
    pd = pytest.importorskip("pandas")
    rows = [
        {
            "case": name,
            "image": str(phantoms / name / "image.nii.gz"),
            "labels": str(phantoms / name / "labels.nii.gz"),
            "modality": "ct",
            "window": "60,300" if name == "anna" else "",
            "patient": "P1",
            "label_numbers": "1=left thing; 7",
        }
        for name in ("bert", "anna")
    ]
    path = tmp_path / f"cases.{kind}"
    table = pd.DataFrame(rows)
    table.to_csv(path, index=False) if kind == "csv" else table.to_parquet(path)
    first, second = find_cases(path).cases
    assert (first.name, first.window, first.modality, first.unit) == ("anna", Window(60, 300), "CT", "P1")
    assert (second.window, second.only, second.label_title(1)) == (None, (1, 7), "left thing")


def test_a_patient_called_na_is_no_missing_one(phantoms, tmp_path):
    pytest.importorskip("pandas")
    lines = [
        f"{name},{phantoms / name / 'image.nii.gz'},{phantoms / name / 'labels.nii.gz'},NA" for name in ("anna", "bert")
    ]
    (tmp_path / "cases.csv").write_text("\n".join(["case,image,labels,patient", *lines]))
    assert {case.unit for case in find_cases(tmp_path / "cases.csv").cases} == {"NA"}


@pytest.mark.parametrize(
    ("head", "row", "told"),
    [
        ("case,image", "a,b", "has no column 'labels'"),
        ("case,image,labels,age", "a,b,c,40", "column 'age' is unknown"),
        ("case,image,labels,modality", "a,b,c,X-ray", "There is no modality 'X-ray'.*row 1"),
        ("case,image,labels,window", "a,b,c,bright", "There is no window 'bright'.*row 1"),
        ("case,image,labels,label_numbers", "a,b,c,spleen", "'spleen' is no label number.*row 1"),
        ("case,image,labels", ",b,c", "'case' is empty .*row 1"),
        ("case,image,labels", "a,,c", r"manifest holds no case that can be scored \(a: its row names no image\) \("),
        ("case,image,labels", "a,b,c,d", "'d' stands in no column .*row 1"),
        ("case,image,labels,case", "a,b,c,d", "has the column 'case' twice"),
        ("case,image,labels,window", 'a,b,c,"60,-3"', "There is no window '60,-3'.*row 1"),
        ("case,image,labels", "", "lists no case"),
        ("case,image,labels", "a,gone.nii,gone.nii", "its image is not there"),
    ],
)
def test_a_manifest_that_is_wrong_is_told_in_one_sentence(tmp_path, head, row, told):
    pytest.importorskip("pandas")
    path = tmp_path / "cases.csv"
    path.write_text(f"{head}\n{row}\n")
    with pytest.raises(InputError, match=told):
        find_cases(path)


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("case;image;labels;window\na;i.nii.gz;l.nii.gz;60,300\n;;;\n", "utf-8-sig"),  # as many spreadsheets save it
        ("Case\tImage\tLabels\tWindow\na\ti.nii.gz\tl.nii.gz\t60,300\n", "utf-8"),
        ('case, image , labels,window,\r\na , i.nii.gz,l.nii.gz ,"60,300",\r\n\r\n', "utf-8"),
    ],
)
def test_a_manifest_as_spreadsheets_save_it(phantoms, tmp_path, text, encoding):
    for name, source in (("i", "image"), ("l", "labels")):
        shutil.copy(phantoms / "anna" / f"{source}.nii.gz", tmp_path / f"{name}.nii.gz")
    (tmp_path / "cases.csv").write_bytes(text.encode(encoding))
    found = find_cases(tmp_path / "cases.csv")
    assert [(case.name, case.image, case.window) for case in found.cases] == [
        ("a", tmp_path / "i.nii.gz", Window(60, 300))
    ]
    assert found.not_scored == ()
    (tmp_path / "cases.csv").write_bytes("case,image,labels\nMüller,i.nii.gz,l.nii.gz\n".encode("latin-1"))
    with pytest.raises(InputError, match="is not written in UTF-8"):
        find_cases(tmp_path / "cases.csv")


def test_a_row_without_labels_is_told_and_the_rest_goes_on(phantoms, tmp_path):
    pd = pytest.importorskip("pandas")
    place = phantoms / "anna"
    table = pd.DataFrame(
        {
            "case": [1, 2],
            "image": [str(place / "image.nii.gz")] * 2,
            "labels": [str(place / "labels.nii.gz"), None],
            "patient": [7, None],  # pandas makes 7.0 of it
            "label_numbers": [1, None],
        }
    )
    table[table["case"] > 0].to_parquet(tmp_path / "cases.parquet")
    found = find_cases(tmp_path / "cases.parquet")
    assert [(case.name, case.only, case.unit) for case in found.cases] == [("1", (1,), "7")]
    assert [(each.case, each.reason) for each in found.not_scored] == [("2", "its row names no labels")]


def test_two_cases_of_one_name(phantoms, tmp_path):
    pytest.importorskip("pandas")
    line = f"anna,{phantoms / 'anna' / 'image.nii.gz'},{phantoms / 'anna' / 'labels.nii.gz'}\n"
    (tmp_path / "cases.csv").write_text("case,image,labels\n" + line * 2)
    with pytest.raises(InputError, match="Two cases have one name, 'anna'"):
        find_cases(tmp_path / "cases.csv")


def test_what_cannot_be_scored_is_listed_and_the_rest_goes_on(phantoms, tmp_path):
    for name in ("anna", "without labels", "two images", "other grid", "cut off", "text"):
        shutil.copytree(phantoms / "anna", tmp_path / name)
    (tmp_path / "without labels" / "labels.nii.gz").unlink()
    shutil.copy(phantoms / "anna" / "image.nii.gz", tmp_path / "two images" / "image.nii.gz")
    sitk.WriteImage(sitk.ReadImage(str(phantoms / "anna" / "image.nii.gz")), str(tmp_path / "two images" / "image.mha"))
    small = sitk.GetImageFromArray(np.ones((3, 20, 20), np.uint8))
    sitk.WriteImage(small, str(tmp_path / "other grid" / "labels.nii.gz"))
    whole = (tmp_path / "cut off" / "image.nii.gz").read_bytes()
    (tmp_path / "cut off" / "image.nii.gz").write_bytes(whole[:100])
    (tmp_path / "text" / "labels.nii.gz").unlink()
    (tmp_path / "text" / "labels.txt").write_text("no")
    found = find_cases(tmp_path)
    assert [case.name for case in found.cases] == ["anna"]
    told = {each.case: each.reason for each in found.not_scored}
    assert told["without labels"] == "there is no label file in its folder"
    assert told["two images"] == "there are several images"
    assert told["other grid"] == "its labels lie on another grid, of 20 × 20 × 3 voxels and not 96 × 96 × 6"
    assert told["cut off"] == "its image is damaged or cut off"
    assert "NIfTI, NRRD, MetaImage, DICOM SEG or RTSTRUCT" in told["text"]
    assert str(tmp_path) not in str(told)
    shutil.rmtree(tmp_path / "anna")
    shutil.copytree(tmp_path / "other grid", tmp_path / "alone" / "other grid")
    with pytest.raises(InputError) as refused:
        find_cases(tmp_path / "alone")
    assert "not 96 × 96 × 6) (" in str(refused.value), "how data sets are laid out says nothing about a grid"


def nnunet(phantoms, folder, images, labels):
    """An nnU-Net data set of files with these names."""
    for inside, names, source in (("imagesTr", images, "image"), ("labelsTr", labels, "labels")):
        (folder / inside).mkdir(parents=True)
        for name in names:
            shutil.copy(phantoms / "anna" / f"{source}.nii.gz", folder / inside / name)
    (folder / "dataset.json").write_text('{"labels": {"background": 0, "blob": 1}}')
    return folder


def test_files_of_a_mixed_nnunet_data_set_are_told(phantoms, tmp_path):
    images = ["a_0000.nii.gz", "a_0001.nii.gz", "b.nii.gz", "c.nii.gz"]
    found = find_cases(nnunet(phantoms, tmp_path, images, ["a.nii.gz", "b.nii.gz", "d.nii.gz"]))
    assert [case.name for case in found.cases] == ["a"]
    no_number = "its image lacks the channel's number _0000, which others have"
    assert [(each.case, each.reason) for each in found.not_scored] == [
        ("b", no_number),
        ("c", no_number),
        ("d", "there is no image of this name in imagesTr"),
    ]


@pytest.mark.parametrize("ending", [".nrrd", ".mha", ".nii"])
def test_an_nnunet_data_set_of_several_channels_in_files_of_any_ending(phantoms, tmp_path, ending):
    for inside, names in (("imagesTr", ["a.1_0000", "a.1_0001"]), ("labelsTr", ["a.1"])):
        (tmp_path / inside).mkdir()
        for name in names:
            picture = sitk.ReadImage(str(phantoms / "anna" / f"{'labels' if inside == 'labelsTr' else 'image'}.nii.gz"))
            sitk.WriteImage(picture, str(tmp_path / inside / f"{name}{ending}"))
    described = {"channel_names": {"0": "T2w", "1": "ADC"}, "labels": {"background": 0, "blob": 1, "all": [1, 7]}}
    (tmp_path / "dataset.json").write_text(json.dumps({**described, "file_ending": ending}))
    found = find_cases(tmp_path)
    assert [(case.name, case.image.name, case.modality, dict(case.label_names)) for case in found.cases] == [
        ("a.1", f"a.1_0000{ending}", "MR", {1: "blob"})
    ]
    assert opened(found.cases[0], ANY)[0].only == (1, 7)
    (tmp_path / "dataset.json").unlink()
    assert [(case.name, dict(case.label_names)) for case in find_cases(tmp_path).cases] == [("a.1", {})]
    (tmp_path / "dataset.json").write_text('{"labels": ["background", "blob"]}')
    with pytest.raises(InputError, match=r"cannot be read as JSON .*labels"):
        find_cases(tmp_path)


def test_an_nnunet_data_set_of_pictures_and_one_of_several_volumes_a_file(phantoms, tmp_path):
    folder = nnunet(phantoms, tmp_path / "pictures", [], [])
    (folder / "imagesTr" / "a_0000.png").write_bytes(b"no volume")
    with pytest.raises(InputError, match="imagesTr holds no NIfTI, NRRD or MetaImage file"):
        find_cases(folder)
    folder = nnunet(phantoms, tmp_path / "several", [], ["a.nii.gz"])
    image = sitk.ReadImage(str(phantoms / "anna" / "image.nii.gz"))
    sitk.WriteImage(sitk.JoinSeries([image, image]), str(folder / "imagesTr" / "a.nii.gz"))
    with pytest.raises(InputError, match=r"a: its image holds several volumes \(96 × 96 × 6 × 2\); each case") as told:
        find_cases(folder)
    assert "must be" not in str(told.value)  # the layout was seen


def test_two_files_of_one_nnunet_case(phantoms, tmp_path):
    with pytest.raises(InputError, match=r"Two files are of one case, 'a': a_0000\.nii and a_0000\.nii\.gz"):
        find_cases(nnunet(phantoms, tmp_path / "one", ["a_0000.nii.gz", "a_0000.nii"], ["a.nii.gz"]))
    with pytest.raises(InputError, match=r"Two files are of one case, 'a': a\.nii and a\.nii\.gz"):
        find_cases(nnunet(phantoms, tmp_path / "other", ["a_0000.nii.gz"], ["a.nii.gz", "a.nii"]))


def test_volumes_beside_the_cases_folders_are_told(phantoms, tmp_path):
    shutil.copytree(phantoms / "anna", tmp_path / "anna")
    shutil.copy(phantoms / "bert" / "image.nii.gz", tmp_path / "bert.nii.gz")
    (tmp_path / "notes.txt").write_text("hello")
    found = find_cases(tmp_path)
    assert [case.name for case in found.cases] == ["anna"]
    assert [(each.case, each.reason) for each in found.not_scored] == [
        ("bert.nii.gz", "it lies beside the cases' folders, and not in one of its own")
    ]


def test_places_that_are_no_data_set(tmp_path):
    with pytest.raises(InputError, match="is empty, or holds no folder for each case"):
        find_cases(tmp_path)
    with pytest.raises(InputError, match="There is no such file"):
        find_cases(tmp_path / "nothing")
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(InputError, match="is no data set"):
        find_cases(tmp_path / "notes.txt")


@pytest.mark.parametrize("write", [write_segmentation, write_structure_set])
def test_a_dicom_series_with_a_segmentation_or_a_structure_set(ct_series, tmp_path, write):
    volume = read_volume(ct_series)
    mask = np.zeros(volume.voxels.shape, bool)
    mask[1, 4:12, 4:12] = True
    shutil.copytree(ct_series, tmp_path / "cohort" / "anna" / "series")
    write(tmp_path / "cohort" / "anna" / "masks.dcm", [MaskObject("left kidney", mask)], volume)
    found = find_cases(tmp_path / "cohort", ["left kidney"])
    with pytest.raises(InputError, match="No case has a label 'left kydney'; there are left kidney"):
        find_cases(tmp_path / "cohort", ["left kydney"])
    case, read, labels = opened(found.cases[0], ANY)
    assert (case.name, read.modality, case.label_title(1)) == ("anna", "CT", "left kidney")
    assert np.array_equal(labels.mask(1), mask)
    shutil.copytree(tmp_path / "cohort" / "anna", tmp_path / "cohort" / "anna again")
    assert len({each.unit for each in find_cases(tmp_path / "cohort").cases}) == 1
    assert {each.unit for each in find_cases(tmp_path / "cohort").cases} == {"anna"}  # nothing made of the ID


def test_a_reason_tells_neither_a_place_nor_a_file_named_after_a_patient(tmp_path):
    place = tmp_path / "all of the studies" / "of a year" / "Moore, Ann" / "imagesTr" / "ann_moore_0000.nii.gz"
    case = Case("ann_moore", place, place.with_name("ann_moore.nii.gz"))
    for problem in (
        InputError("The file was cut off.", place),
        InputError("The labels lie wholly outside of the volume.", f"{case.labels} on ann_moore_0000"),
        InputError(
            "The file does not lie on the voxels of ann_moore_0000: it reaches outside the volume.", case.labels
        ),
        RemedyNeeded(str(place), ImportIssue("shear", "The axes are 4° off right angles.", ("resample",))),
        OSError(f"cannot open {place}"),
    ):
        told = without_paths(problem, case)
        assert "oore" not in told and str(tmp_path) not in told and "imagesTr" not in told
    numbered = Case("a", tmp_path / "471108.nii.gz", tmp_path / "3.nii.gz")
    told = without_paths(InputError("The labels of 471108 lie wholly outside, by 3 slices."), numbered)
    assert told == "The labels of the image lie wholly outside, by 3 slices."


def test_a_damaged_image_in_a_case_s_folder_is_told_without_its_place(ct_series, tmp_path):
    folder = tmp_path / "cohort" / "anna"
    shutil.copytree(ct_series, folder)
    image = pydicom.dcmread(folder / "0.dcm")
    image.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    image.save_as(folder / "0.dcm", enforce_file_format=True)
    begin = 144 + image.file_meta.FileMetaInformationGroupLength  # of what is deflated
    (folder / "0.dcm").write_bytes((folder / "0.dcm").read_bytes()[: begin + 20] + b"\xff" * 300)
    found = case_folders(tmp_path / "cohort")
    assert (found.cases, [each.reason for each in found.not_scored]) == ((), ["The file is a damaged DICOM object."])


@pytest.mark.parametrize("ending", ["mhd", "nhdr", "mha"])
def test_voxels_beside_a_header_belong_to_a_case_s_files(tmp_path, ending):
    image, labels = tmp_path / f"image.{ending}", tmp_path / "labels.nii.gz"
    labels.write_bytes(b"labels")
    case, found = Case("anna", image, labels), []
    for value in (1, 2):
        sitk.WriteImage(sitk.GetImageFromArray(np.full((2, 3, 4), value, np.int16)), str(image))
        found.append(files_sha256(case))
        assert files_sha256(case) == found[-1]
    assert found[0] != found[1]
    image.write_bytes(b"no header")
    assert files_sha256(case) not in found


def test_a_folder_of_dicom_is_told_from_another_one_and_not_from_itself_elsewhere(ct_series, tmp_path):
    labels = tmp_path / "labels.nii.gz"
    labels.write_bytes(b"labels")
    known = files_sha256(Case("anna", ct_series, labels))
    shutil.copytree(ct_series, tmp_path / "moved")
    (tmp_path / "moved" / ".DS_Store").write_bytes(b"looked at")
    assert files_sha256(Case("anna", tmp_path / "moved", labels)) == known
    image = pydicom.dcmread(tmp_path / "moved" / "1.dcm")
    image.PixelData = image.PixelData[::-1]
    image.save_as(tmp_path / "moved" / "1.dcm", enforce_file_format=True)
    assert files_sha256(Case("anna", tmp_path / "moved", labels)) != known


def test_what_nobody_labelled_is_no_object(phantoms, tmp_path):
    (tmp_path / "dataset.json").write_text(json.dumps({"labels": {"background": 0, "blob": 1, "ignore": 7}}))
    for name in ("imagesTr", "labelsTr"):
        (tmp_path / name).mkdir()
    shutil.copy(phantoms / "anna" / "image.nii.gz", tmp_path / "imagesTr" / "anna_0000.nii.gz")
    shutil.copy(phantoms / "anna" / "labels.nii.gz", tmp_path / "labelsTr" / "anna.nii.gz")
    for hidden in ("imagesTr/._anna_0000.nii.gz", "labelsTr/._anna.nii.gz"):  # as macOS leaves them
        (tmp_path / hidden).write_bytes(b"\0\5\26\7")
    found = find_cases(tmp_path)
    assert found.not_scored == ()
    case, _volume, _labels = opened(found.cases[0], ANY)
    assert case.only == (1,)


@pytest.mark.slow
def test_a_cohorts_modality_holds_for_files_that_do_not_tell_theirs(cases, ct_series):
    guessed = cases.cases[0]
    assert volume_of(guessed, None).modality == "CT"
    assert volume_of(guessed, "MR").modality == "MR"
    assert volume_of(replace(guessed, modality="CT"), "MR").modality == "CT"
    assert volume_of(replace(guessed, modality="other"), "MR").modality == "other"
    told = replace(guessed, image=ct_series)
    assert volume_of(told, "MR").modality == "CT"
    assert volume_of(replace(told, modality="MR"), None).modality == "MR"


@pytest.mark.slow
def test_synthetic_patients_differ_and_come_out_the_same_again():
    first, second = synthetic_cases(2).cases
    _, one, labels = opened(first, ANY)
    again = opened(first, ANY)[1]
    other = opened(second, ANY)[1]
    assert np.array_equal(one.voxels, again.voxels)
    assert not np.array_equal(one.voxels, other.voxels)
    assert sorted(labels.names.values()) == ["left kidney", "liver", "pancreas", "right kidney", "spleen"]
    assert all(labels.mask(number).any() for number in labels.names)
    third = opened(synthetic_cases(3).cases[2], ANY)[1]
    assert (one.modality, third.modality) == ("CT", "MR")


def test_a_missing_package_is_told_with_the_line_that_installs_it(phantoms, monkeypatch):
    from pqcomq.cohort import packages

    found = packages.find_spec
    monkeypatch.setattr(packages, "find_spec", lambda name: None if name == "statsmodels" else found(name))
    with pytest.raises(InputError, match=r'needs statsmodels.*pip install "napari-pqcomq\[cohort\]"'):
        packages.check_installed()
