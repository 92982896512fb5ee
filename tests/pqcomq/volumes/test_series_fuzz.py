"""Random series with random defects: the true volume, a choice that contains it, or a refusal; never another volume.

A series is one or two stacks of slices. Every pixel's value and place is known; files, tags and identities are then
damaged as hospitals and archives damage them, and the oracle knows what was scanned.

``PQCOMQ_FUZZ_SERIES=20000 pytest tests/pqcomq/volumes/test_series_fuzz.py`` tries more of them, others every time.
"""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.tag import Tag
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, MRImageStorage

from pqcomq.errors import InputError
from pqcomq.volumes.dicom.series import SeriesChoiceNeeded
from pqcomq.volumes.volume import Volume
from pqcomq.volumes.volume_choice import PartChoiceNeeded
from pqcomq.volumes.volume_reader import read_volume

ROWS, COLUMNS = 2, 3
ORIENTATIONS = {
    "axial": (1, 0, 0, 0, 1, 0), "prone": (-1, 0, 0, 0, -1, 0), "sagittal": (0, 1, 0, 0, 0, -1),
    "coronal": (1, 0, 0, 0, 0, -1), "oblique": (0.8, 0.6, 0, -0.6, 0.8, 0),
}  # fmt: skip
SECONDS = ("none", "none", "none", "same places", "half", "third", "overlapping", "above")
"""Where a second stack lies relative to the first."""
IDENTITIES = (None, None, None, None, "patient", "study", "frame", "number")
"""What the second stack differs in beside its clues."""
CLUES = (
    "AcquisitionNumber", "EchoNumbers", "ConvolutionKernel", "SeriesDescription", "AcquisitionTime", "InstanceNumber",
)  # fmt: skip
FILE_DEFECTS = ("empty", "zeros", "cut", "missing", "copy", "other pixels")
ODD_TAGS = {"SeriesNumber": b"2A", "InstanceNumber": b"1/12", "SliceThickness": b"2 mm"}


@dataclass
class Slice:
    """One slice as it was scanned.

    Attributes:
        stack: 0 or 1.
        number: of the slice in its stack.
        place: along the stacks, in slices.
        position: LPS mm of its first pixel.
        values: (rows, columns) real numbers.
        lost: whether its file holds no image any more.
        gone: whether there is no file.
        copied: whether there are two.
    """

    stack: int
    number: int
    place: float
    position: np.ndarray
    values: np.ndarray
    lost: bool = False
    gone: bool = False
    copied: bool = False


@dataclass
class Scanned:
    """What was scanned, and what became of it.

    Attributes:
        slices: of all stacks.
        orientation: cosines along a row and down a column.
        second: where the second stack lies.
        identity: what it differs in beside its clues.
        clues: tags that tell the stacks apart.
        modality: ``"CT"`` or ``"MR"``.
        plan: everything that was drawn, for the message of a failure.
        doubled: whether two files disagree about one slice.
    """

    slices: list[Slice]
    orientation: tuple[float, ...]
    second: str
    identity: str | None
    clues: tuple[str, ...]
    modality: str
    plan: dict[str, Any] = field(default_factory=dict)
    doubled: bool = False

    @property
    def left(self) -> list[Slice]:
        """The slices whose images are there."""
        return [each for each in self.slices if not (each.lost or each.gone)]

    @property
    def is_union_true(self) -> bool:
        """Whether both stacks together are one volume as well: blocks of one scan, or MR's interleaved acquisition.

        What is left of two stacks that overlapped may fill one another's gaps, as one scan with two acquisition numbers
        does; it is then told that the slices differ.
        """
        weak = set(self.clues) <= {"AcquisitionTime", "InstanceNumber"}
        if self.identity is not None:
            return False
        if self.second == "above" or (self.second == "half" and self.modality == "MR" and weak):
            return True
        places = sorted(each.place for each in self.left)
        return self.second == "overlapping" and places == [places[0] + step for step in range(len(places))]

    @property
    def truths(self) -> list[list[Slice]]:
        """The volumes, without the slices whose images are lost."""
        stacks = [[each for each in self.left if each.stack == number] for number in (0, 1)]
        return [stack for stack in stacks if stack] + ([self.left] if self.is_union_true else [])


@st.composite
def plans(draw: st.DrawFn) -> dict[str, Any]:
    """What to scan and what to break."""
    identity = draw(st.sampled_from(IDENTITIES))
    count = draw(st.integers(4, 7))
    # Without any difference nobody could tell two stacks apart.
    clues = draw(st.lists(st.sampled_from(CLUES), min_size=int(identity is None), max_size=3, unique=True))
    apart = {*clues, "SeriesNumber"} if identity == "number" else set(clues)
    return {
        "count": count,
        "spacing": draw(st.sampled_from([1.0, 2.0, 3.5])),
        "orientation": draw(st.sampled_from(sorted(ORIENTATIONS))),
        "modality": draw(st.sampled_from(["CT", "MR"])),
        "second": draw(st.sampled_from(SECONDS)),
        "identity": identity,
        "clues": tuple(sorted(clues)),
        "numbers": draw(st.sampled_from(["go on", "restart", "none", "downwards"])),
        "series_uid": draw(st.sampled_from(["one", "one", "removed", "each stack"])),
        "instance_uid": draw(st.sampled_from(["each", "one for all", "removed"])),
        "slope": draw(st.sampled_from([1, 2, 0.5, 0, None])),
        "intercept": draw(st.sampled_from([0, -1024])),
        "upper_bits": draw(st.booleans()),
        # What cannot be read sets no stacks apart.
        "odd_tag": draw(st.sampled_from([None, None, *sorted(ODD_TAGS.keys() - apart)])),
        "defects": draw(st.lists(st.tuples(st.sampled_from(FILE_DEFECTS), st.integers(0, 2 * count - 1)), max_size=2)),
        "cut": draw(st.floats(0, 0.999)),
        "names": draw(st.permutations(range(2 * count))),
    }


def written(plan: dict[str, Any], folder: Path) -> Scanned:
    """Scan and break a series as a plan says; its files lie in ``folder``."""
    scanned = _scanned(plan)
    for name, each in zip(plan["names"], scanned.slices, strict=False):
        _dataset(plan, scanned, each).save_as(folder / f"IM{name:03d}", enforce_file_format=True)
        if plan["odd_tag"]:
            _spoil(folder / f"IM{name:03d}", plan["odd_tag"])
    for kind, number in plan["defects"]:
        if number < len(scanned.slices):
            _break(kind, scanned, number, folder, plan)
    return scanned


def _scanned(plan: dict[str, Any]) -> Scanned:
    orientation = ORIENTATIONS[plan["orientation"]]
    normal = np.cross(orientation[:3], orientation[3:])
    count, spacing, second = plan["count"], plan["spacing"], plan["second"]
    shift = {"half": 0.5, "third": 0.3, "overlapping": count // 2, "above": count}.get(second, 0)
    slope = {None: 1, 0: 1}.get(plan["slope"], plan["slope"])
    slices = []
    for stack in range(1 if second == "none" else 2):
        for number in range(count):
            place = number + stack * shift
            position = np.array([-5.0, 7.0, 11.0]) + place * spacing * normal
            values = _stored(stack, number) * slope + plan["intercept"]
            slices.append(Slice(stack, number, place, position, values))
    identity = None if second == "none" else plan["identity"]
    return Scanned(slices, orientation, second, identity, plan["clues"], plan["modality"], plan)


def _stored(stack: int, number: int) -> np.ndarray:
    return 100 + 200 * stack + 20 * number + np.arange(ROWS * COLUMNS).reshape(ROWS, COLUMNS)


def _dataset(plan: dict[str, Any], scanned: Scanned, each: Slice) -> Dataset:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    number = each.number if plan["numbers"] != "downwards" else -each.number
    instance = number + 100 + (0 if plan["numbers"] == "restart" else 50 * each.stack)
    shift = 4 if plan["upper_bits"] else 0
    tags: dict[str, Any] = {
        "SOPClassUID": CTImageStorage if plan["modality"] == "CT" else MRImageStorage,
        "SOPInstanceUID": f"1.2.3.{1 + each.stack}.{1 + each.number}" if plan["instance_uid"] == "each" else "1.2.3",
        "SeriesInstanceUID": {"one": "1.2.4", "removed": None}.get(plan["series_uid"], f"1.2.4.{each.stack + 1}"),
        "StudyInstanceUID": "1.2.5", "FrameOfReferenceUID": "1.2.6", "PatientID": "1", "PatientName": "A^B",
        "SeriesNumber": 3, "Modality": plan["modality"], "Rows": ROWS, "Columns": COLUMNS, "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2", "BitsAllocated": 16, "BitsStored": 12 if shift else 16,
        "HighBit": 15, "PixelRepresentation": 0, "PixelSpacing": [1.25, 0.75], "SliceThickness": 2,
        "ImageOrientationPatient": list(scanned.orientation), "ImagePositionPatient": each.position.round(6).tolist(),
        "RescaleSlope": plan["slope"], "RescaleIntercept": plan["intercept"],
        "InstanceNumber": None if plan["numbers"] == "none" else instance,
        "PixelData": (_stored(each.stack, each.number) << shift).astype(np.uint16).tobytes(),
    }  # fmt: skip
    clues = {
        "AcquisitionNumber": each.stack + 1, "EchoNumbers": each.stack + 1, "ConvolutionKernel": f"B{each.stack}",
        "SeriesDescription": f"phase {each.stack}", "AcquisitionTime": f"10{each.stack}000",
        "InstanceNumber": each.number + 100 + 50 * each.stack,
    }  # fmt: skip
    tags |= {clue: clues[clue] for clue in scanned.clues}
    identities = {
        "patient": {"PatientID": "2", "PatientName": "C^D"}, "study": {"StudyInstanceUID": "1.2.9"},
        "frame": {"FrameOfReferenceUID": "1.2.8"}, "number": {"SeriesNumber": 4},
    }  # fmt: skip
    if each.stack == 1:
        tags |= identities.get(scanned.identity or "", {})
    for keyword, value in tags.items():
        if value is not None and not (keyword == "SOPInstanceUID" and plan["instance_uid"] == "removed"):
            setattr(dataset, keyword, value)
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    return dataset


def _spoil(path: Path, keyword: str) -> None:
    """Put a text that is no number into a tag."""
    raw, tag = path.read_bytes(), Tag(keyword)
    at = raw.find(tag.group.to_bytes(2, "little") + tag.element.to_bytes(2, "little"), 132)
    if at < 0:
        return
    count = int.from_bytes(raw[at + 6 : at + 8], "little")
    value = ODD_TAGS[keyword] + b" " * (len(ODD_TAGS[keyword]) % 2)
    path.write_bytes(raw[: at + 6] + len(value).to_bytes(2, "little") + value + raw[at + 8 + count :])


def _break(kind: str, scanned: Scanned, number: int, folder: Path, plan: dict[str, Any]) -> None:
    each = scanned.slices[number]
    path = folder / f"IM{plan['names'][number]:03d}"
    if each.gone or each.copied:
        return
    if kind in ("empty", "zeros", "cut"):
        content = path.read_bytes()
        each.lost = True
        content = {"empty": b"", "zeros": bytes(len(content))}.get(kind, content[: int(plan["cut"] * len(content))])
        path.write_bytes(content)
    elif kind == "missing":
        each.gone = True
        path.unlink()
    elif kind == "copy":
        each.copied = True
        (folder / f"copy{number}").write_bytes(path.read_bytes())
    elif not each.lost:
        scanned.doubled = each.copied = True
        content = bytearray(path.read_bytes())
        content[-2] ^= 0x10
        (folder / f"other{number}").write_bytes(content)


MORE = os.environ.get("PQCOMQ_FUZZ_SERIES")
OUTCOMES: Counter[str] = Counter()


def slices_in(volume: Volume, scanned: Scanned) -> list[Slice]:
    """The scanned slices whose pixels all lie in a volume where they were scanned, with their values.

    Raises:
        AssertionError: the volume holds something else, too.
    """
    row, column = np.array(scanned.orientation[:3]), np.array(scanned.orientation[3:])
    found = []
    for each in scanned.slices:
        r, c = np.indices(each.values.shape)
        places = each.position + c[..., None] * 0.75 * row + r[..., None] * 1.25 * column
        voxels = volume.grid.to_voxels(places)
        index = np.rint(voxels).astype(int)
        inside = (index >= 0).all() and (index < np.array(volume.grid.size)).all()
        if inside and np.abs(voxels - index).max() < 0.05:
            x, y, z = np.moveaxis(index, -1, 0)
            if np.array_equal(volume.voxels[z, y, x], each.values):
                found.append(each)
    assert volume.voxels.size == sum(each.values.size for each in found), "pixels that were never scanned there"
    return found


def same(one: list[Slice], other: list[Slice]) -> bool:
    return {id(each) for each in one} == {id(each) for each in other}


def check_opened(volume: Volume, scanned: Scanned) -> None:
    """A volume that opened without a question is the true one, and says what is lost."""
    found = slices_in(volume, scanned)
    assert any(same(found, truth) for truth in scanned.truths), "not one of the volumes that were scanned"
    if scanned.second == "overlapping" and len({each.stack for each in found}) > 1:
        told = {finding.kind for finding in volume.findings}
        assert "mixed" in told or set(scanned.clues) <= {"AcquisitionTime", "InstanceNumber"}, "mixed without a word"
    if len(scanned.truths) > 1:
        assert scanned.is_union_true, "one of several volumes was taken without a question"
    if any(each.lost and not each.gone for each in scanned.slices):
        assert any(finding.kind == "damaged" for finding in volume.findings), "slices were lost without a word"


def check_choice(folder: Path, scanned: Scanned, options: list[dict]) -> None:
    """One option at least is a true volume or is refused in turn, and none mixes what is not said to be mixed."""
    good = False
    for option in options:
        label = option.pop("label")
        try:
            volume = read_volume(folder, **option)
        except (SeriesChoiceNeeded, PartChoiceNeeded) as question:
            if option.get("part") is None:
                parts = getattr(question, "parts", [])
                deeper = [{**option, "part": number, "label": part} for number, part in enumerate(parts, start=1)]
                if deeper:
                    check_choice(folder, scanned, deeper)
            good = True
        except InputError:
            good = True
        else:
            found = slices_in(volume, scanned)
            good |= any(same(found, truth) for truth in scanned.truths)
            is_mixed = len({each.stack for each in found}) > 1
            assert not (is_mixed and scanned.identity in ("patient", "study")), "patients or studies were mixed"
            assert not is_mixed or scanned.is_union_true or "together" in label or "joined" in label, "mixed: " + label
    assert good, "no option is what was scanned"


def check(plan: dict) -> None:
    """Write, read, compare."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        scanned = written(plan, folder)
        try:
            volume = read_volume(folder)
        except SeriesChoiceNeeded as question:
            OUTCOMES["choice of series"] += 1
            check_choice(folder, scanned, [{"series": each.uid, "label": each.name} for each in question.series])
        except PartChoiceNeeded as question:
            OUTCOMES["choice of parts"] += 1
            options = [{"part": number, "label": part} for number, part in enumerate(question.parts, start=1)]
            check_choice(folder, scanned, options)
        except InputError as error:
            OUTCOMES["refused"] += 1
            assert "\n" not in str(error)
            harmless = scanned.second == "none" and not plan["defects"]
            assert not harmless, f"a whole series was refused: {error}"
        else:
            OUTCOMES["opened"] += 1
            check_opened(volume, scanned)


@pytest.mark.slow
@settings(
    max_examples=int(MORE or 300), derandomize=MORE is None, deadline=None, database=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
@given(plan=plans())
def test_a_damaged_series_never_becomes_another_volume(plan):
    check(plan)


def test_all_kinds_of_outcomes_were_met():
    if not OUTCOMES:
        pytest.skip("the series were not tried in this run")
    assert min(OUTCOMES[each] for each in ("opened", "refused", "choice of series", "choice of parts")) > 5, OUTCOMES
