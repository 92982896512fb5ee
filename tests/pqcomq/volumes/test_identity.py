"""Which images belong together: by all that they say of patient, study and series, never by one UID alone."""

from __future__ import annotations

import numpy as np
import pydicom
import pytest

from pqcomq.dicom_masks.mask_object import MaskObject
from pqcomq.dicom_masks.referenced_series import dicom_obstacle
from pqcomq.dicom_masks.seg_writer import segmentation
from pqcomq.errors import InputError
from pqcomq.volumes.dicom.headers import MARKS
from pqcomq.volumes.dicom.series import SeriesChoiceNeeded, list_series
from pqcomq.volumes.dicom.stacking import repetitions
from pqcomq.volumes.dicom.stacking.even_spacing import is_stack
from pqcomq.volumes.import_issues import RemedyNeeded
from pqcomq.volumes.volume_choice import PartChoiceNeeded
from pqcomq.volumes.volume_reader import read_volume

OTHERS = {
    "PatientID": "4712", "PatientName": "Roe^Richard", "PatientBirthDate": "19500101", "StudyInstanceUID": "1.2.9",
    "FrameOfReferenceUID": "1.2.8", "SeriesNumber": 5, "Modality": "MR",
}  # fmt: skip


def column(volume) -> list[int]:
    """The value of each slice, from the feet up."""
    return volume.voxels[:, 0, 0].tolist()


@pytest.mark.parametrize("uid", ["1.2.3.4", None], ids=["shared", "removed"])
@pytest.mark.parametrize("keyword", OTHERS)
def test_slices_of_two_identities_are_never_one_volume(make_series, uid, keyword):
    """Every second slice is of another patient, study, frame of reference, series number or modality."""

    def change(index, dataset):
        if index % 2:
            setattr(dataset, keyword, OTHERS[keyword])

    tags = {"SeriesInstanceUID": uid, "StudyInstanceUID": "1.2.3", "FrameOfReferenceUID": "1.2.7"}
    folder = make_series(range(0, 16, 2), change=change, **tags)
    with pytest.raises(SeriesChoiceNeeded, match="There are 2 series") as question:
        read_volume(folder)
    infos = question.value.series
    assert len({info.uid for info in infos}) == len(infos) == 2
    assert "Doe" not in "".join(f"{info}{info.problem}" for info in infos)
    assert all(info.problem.startswith("2 series of different ") for info in infos)
    found = {tuple(column(read_volume(folder, series=info.uid))) for info in infos}
    assert found == {(0, 20, 40, 60), (10, 30, 50, 70)}


def test_names_of_one_patient_are_spelled_in_several_ways(make_series):
    def change(index, dataset):
        dataset.PatientName = ["Doe^Jane", "DOE^JANE^", "Doe Jane"][index % 3]
        if index == 1:
            del dataset.SeriesNumber

    assert len(read_volume(make_series(range(0, 12, 2), change=change)).voxels) == 6


def test_a_series_uid_for_each_slice_is_offered_as_one_volume(make_series):
    def change(index, dataset):
        dataset.SeriesInstanceUID = f"1.2.392.9.{index}"

    folder = make_series(range(0, 40, 2), change=change, Modality="MR")
    with pytest.raises(
        SeriesChoiceNeeded, match=r"20 series; choose one: 'joined-1': 'Abdomen' MR, 20 slices"
    ) as asked:
        read_volume(folder)
    assert asked.value.series[0].joined == 20
    volume = read_volume(folder, series="joined-1")
    assert column(volume) == list(range(0, 200, 10))
    assert any("20 series that fit together were joined" in note for note in volume.notes)
    assert len(read_volume(folder, series="1.2.392.9.7").voxels) == 1


@pytest.mark.parametrize(("keyword", "values"), [("PatientID", ["1", "2"]), ("StudyInstanceUID", ["1.1", "1.2"])])
def test_slices_of_several_patients_or_studies_are_not_even_offered_together(make_series, keyword, values):
    def change(index, dataset):
        dataset.SeriesInstanceUID = f"1.2.392.9.{index}"
        setattr(dataset, keyword, values[index % 2])

    folder = make_series(range(0, 24, 2), change=change)
    joined = [info for info in list_series(folder) if info.joined > 1]
    assert [info.slices for info in joined] == [6, 6]
    for info in joined:
        assert set(np.diff(column(read_volume(folder, series=info.uid)))) == {20}


def test_series_that_do_not_make_up_a_stack_are_not_offered_as_one(make_series):
    def change(index, dataset):
        dataset.SeriesInstanceUID = f"1.2.392.9.{index}"

    assert all(info.joined == 1 for info in list_series(make_series([0, 2, 4, 9, 11], change=change)))


def test_one_instance_uid_for_all_slices_loses_none(make_series):
    uids = {"SOPInstanceUID": "1.2.77", "StudyInstanceUID": "1.2", "FrameOfReferenceUID": "1.3"}
    folder = make_series(range(0, 40, 2), **uids)
    volume = read_volume(folder)
    assert column(volume) == list(range(0, 200, 10))
    assert any("20 different images share UIDs" in note for note in volume.notes)
    mask = MaskObject("liver", volume.voxels == 50)
    with pytest.raises(InputError, match="share a SOPInstanceUID"):
        segmentation([mask], volume, keep_identity=False)
    assert "share a SOPInstanceUID" in dicom_obstacle(volume)


@pytest.mark.parametrize("keyword", ["SOPClassUID", "StudyInstanceUID", "FrameOfReferenceUID"])
def test_why_no_dicom_object_can_be_made_is_known_beforehand(make_series, keyword):
    uids = {"StudyInstanceUID": "1.2", "FrameOfReferenceUID": "1.3"}
    assert dicom_obstacle(read_volume(make_series([0, 2, 4], **uids))) == ""

    def change(_index, dataset):
        if keyword in dataset:
            delattr(dataset, keyword)

    lacking = read_volume(make_series([0, 2, 4], change=change, **uids))
    told = dicom_obstacle(lacking)
    assert told.startswith(f"There is no {keyword} in ")
    assert told.endswith("export as NIfTI, NRRD or MHA.")
    with pytest.raises(InputError, match=f"no {keyword}"):
        segmentation([MaskObject("all", lacking.voxels == lacking.voxels)], lacking, keep_identity=False)


@pytest.mark.parametrize("keyword", ["PixelData", "InstanceNumber", "RescaleIntercept"])
def test_the_same_uid_and_place_with_other_content_is_no_copy(make_series, keyword):
    folder = make_series([0, 2, 4, 6], InstanceNumber=1)
    first = next(p for p in sorted(folder.rglob("*")) if p.is_file())
    dataset = pydicom.dcmread(first)
    value = {"PixelData": np.full((4, 3), 777, np.int16).tobytes(), "InstanceNumber": 9, "RescaleIntercept": -5}
    setattr(dataset, keyword, value[keyword])
    dataset.save_as(folder / "other", enforce_file_format=True)
    with pytest.raises(RemedyNeeded, match="1 slice at the place of another"):
        read_volume(folder)


# Passes and repetitions -------------------------------------------------------------------------------------------


def asked(folder) -> list[str]:
    with pytest.raises(PartChoiceNeeded) as question:
        read_volume(folder)
    return question.value.parts


def two_passes(first, second, changes):
    """Positions of two passes, and what marks their slices: ``changes[keyword](pass, number in it)``."""
    places = [(0, i, z) for i, z in enumerate(first)] + [(1, i, z) for i, z in enumerate(second)]

    def change(index, dataset):
        turn, number, _z = places[index]
        for keyword, value in changes.items():
            setattr(dataset, keyword, value(turn, number))

    return [z for _t, _n, z in places], change


def number_on(turn, number, first=10):
    return first * turn + number + 1


STRONG = {
    "acquisition": {"AcquisitionNumber": lambda turn, _n: turn + 1, "InstanceNumber": lambda _t, n: n + 1},
    "image type": {"ImageType": lambda turn, _n: ["ORIGINAL", "PRIMARY", "AB"[turn]]},
    "kernel": {"ConvolutionKernel": lambda turn, _n: ["B30f", "B60f"][turn]},
    "description": {"SeriesDescription": lambda turn, _n: ["arterial", "venous"][turn]},
    "tube voltage": {"KVP": lambda turn, _n: [80, 140][turn]},
    "acquisition time": {"AcquisitionTime": lambda turn, _n: ["101500", "101600"][turn]},
}
ORDERED = {
    "repetition": {"InstanceNumber": lambda turn, number: number_on(turn, number, first=6)},
    "pass by acquisition time": {"AcquisitionTime": lambda turn, n: f"1015{20 * turn + n:02d}.5"},
    "pass by image time": {"ContentTime": lambda turn, n: f"1015{20 * turn + n:02d}"},
}
SIX, TEN = list(range(0, 12, 2)), list(range(0, 20, 2))


@pytest.mark.parametrize("clue", [*STRONG, *ORDERED])
@pytest.mark.parametrize(
    "second", [SIX, [z + 1 for z in SIX], [z + 0.7 for z in SIX], [z + 6 for z in SIX], [z + 7 for z in SIX]],
    ids=["same places", "half a slice higher", "a third higher", "overlapping", "overlapping between"],
)  # fmt: skip
def test_two_passes_are_told_apart_by_any_clue(make_series, clue, second):
    positions, change = two_passes(SIX, second, (STRONG | ORDERED)[clue])
    folder = make_series(positions, change=change)
    parts = asked(folder)
    assert [part.split(",")[0].rpartition(" ")[0] for part in parts[:2]] == [clue] * 2 or parts[0].startswith(clue)
    assert column(read_volume(folder, part=1)) == list(range(0, 60, 10))
    assert column(read_volume(folder, part=2)) == list(range(60, 120, 10))
    assert column(read_volume(folder, remedies=["largest"])) in (list(range(0, 60, 10)), list(range(60, 120, 10)))
    if len(parts) == 3:
        mixed = read_volume(folder, part=3)
        assert "all together" in parts[2]
        assert len(mixed.voxels) == 12


def test_two_phases_numbered_from_one_without_any_clue_are_asked_about(make_series):
    positions, change = two_passes(TEN, TEN, {"InstanceNumber": lambda _t, n: n + 1})
    with pytest.raises(RemedyNeeded, match=r"10 slices at the place of another, and nothing tells which belong"):
        read_volume(make_series(positions, change=change))


def test_a_clue_that_makes_no_even_stacks_is_named_and_not_believed(make_series):
    changes = {
        "InstanceNumber": lambda _t, n: n + 1,
        "AcquisitionNumber": lambda t, n: 1 + (t + (n == 3)) % 2 * (n > 1),
    }
    positions, change = two_passes(TEN, TEN, changes)
    with pytest.raises(RemedyNeeded, match=r"what differs \(acquisition\) sorts them into no evenly spaced stacks"):
        read_volume(make_series(positions, change=change))


def test_headers_in_which_each_mark_differs_once_take_no_forever(make_series, monkeypatch):
    tried = []
    monkeypatch.setattr(repetitions, "is_stack", lambda planes: tried.append(planes) or is_stack(planes))

    def change(index, dataset):
        for place, keyword in enumerate(MARKS):
            value = 2 if index == place else 1
            setattr(dataset, keyword, float(value) if keyword == "DiffusionBValue" else f"0{value}")

    with pytest.raises(RemedyNeeded, match="at the place of another"):
        read_volume(make_series([2 * (index // 2) for index in range(40)], change=change))
    assert 1000 < len(tried) < 5000


def test_numbers_that_begin_twice_in_an_even_stack_are_asked_about(make_series):
    positions, change = two_passes(TEN, [z + 1 for z in TEN], {"InstanceNumber": lambda _t, n: n + 1})
    folder = make_series(positions, change=change)
    assert [part.split(",")[0] for part in asked(folder)] == ["every second slice"] * 2 + ["all together"]
    assert column(read_volume(folder, part=2)) == list(range(100, 200, 10))


def test_a_second_pass_upside_down(make_series):
    positions, change = two_passes(TEN, [z + 10 for z in TEN[::-1]], {"InstanceNumber": number_on})
    folder = make_series(positions, change=change)
    asked(folder)
    assert column(read_volume(folder, part=1)) == list(range(0, 100, 10))
    assert column(read_volume(folder, part=2)) == list(range(190, 90, -10))


def test_blocks_of_one_scan_stay_one_volume_and_are_told(make_series):
    """Acquisitions one above the other: a long scan in two ranges."""
    changes = {"AcquisitionNumber": lambda turn, _n: turn + 1, "InstanceNumber": number_on}
    positions, change = two_passes(TEN, [z + 20 for z in TEN], changes)
    volume = read_volume(make_series(positions, change=change))
    assert column(volume) == list(range(0, 200, 10))
    assert any("differ in acquisition (1, 2)" in note for note in volume.notes)


def test_interleaved_acquisition_of_mr_is_one_volume(make_series):
    """Odd slices first, then even ones: times and numbers say so, and nothing else does."""
    changes = {"InstanceNumber": number_on, "AcquisitionTime": lambda turn, _n: ["101500", "101600"][turn]}
    positions, change = two_passes(TEN, [z + 1 for z in TEN], changes)
    assert len(read_volume(make_series(positions, change=change, Modality="MR")).voxels) == 20


def test_times_in_three_passes_that_overlap_in_part(make_series):
    places = [(turn, z) for turn in range(3) for z in range(10 * turn, 10 * turn + 20, 2)]

    def change(index, dataset):
        dataset.AcquisitionNumber, dataset.InstanceNumber = places[index][0] + 1, 1 + index % 10

    folder = make_series([z for _turn, z in places], change=change)
    assert len(asked(folder)) == 3
    for part in (1, 2, 3):
        assert column(read_volume(folder, part=part)) == list(range(100 * part - 100, 100 * part, 10))
