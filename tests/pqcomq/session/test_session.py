"""Sessions saved, opened, replayed; and what becomes of damaged ones."""

from __future__ import annotations

import base64
import io
import json
import re
import shutil
import xml.etree.ElementTree as ET
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from pqcomq.comparison.box_perturbation import BoxMovement
from pqcomq.comparison.compare import PromptedObject, compare_objects
from pqcomq.comparison.compared_model import ComparedModel
from pqcomq.comparison.gate import Tolerance
from pqcomq.comparison.model_result import Comparison
from pqcomq.errors import InputError
from pqcomq.object_colours import object_colour
from pqcomq.reader_study.blinded_study import BlindedReading
from pqcomq.reader_study.trials import items_of
from pqcomq.segmentation.box import Box3D
from pqcomq.segmentation.box_mask import BoxMask
from pqcomq.segmentation.prompt import Prompt
from pqcomq.segmentation.scribble import Scribble
from pqcomq.session.file_names import weights_names
from pqcomq.session.load import SavedSession
from pqcomq.session.replay import replay
from pqcomq.session.save import manifest, save_session, saving
from pqcomq.session.session import Session
from pqcomq.volumes.labels.label_maps import read_labels
from pqcomq.volumes.labels.label_writer import write_mask

BOX = Box3D(45, 25, 2, 76, 56, 3)
NAME = "Niere <rechts> & ../links"


@pytest.fixture(scope="module")
def session(phantom, lite_medsam, quantized, finish):
    """A real session: one object, 4 bits, ground truth, moved boxes, a blinded reading."""
    z, y, x = np.indices(phantom.voxels.shape)
    truth = (y - 40) ** 2 + (x - 60) ** 2 < (8 + z) ** 2
    full, low = ComparedModel.full(lite_medsam), ComparedModel.quantized(quantized)
    asked = [PromptedObject(NAME, BOX, truth, movement=BoxMovement(draws=2))]
    result = finish(compare_objects(phantom, asked, full, [low]))
    reading = BlindedReading.of(items_of(NAME, result.comparisons[0], 2), seed=5)
    while reading.current is not None:
        reading.answer("left", 1.25)
    return Session(result, Tolerance(0.9, 10, 0.7), reading)


@pytest.fixture(scope="module")
def folder(session, tmp_path_factory):
    """Its folder; tests that damage it take a copy."""
    folder = tmp_path_factory.mktemp("session") / "kept"
    save_session(session, folder)
    return folder


@pytest.fixture(scope="module")
def again(folder, phantom, lite_medsam):
    """Opens a session's folder."""

    def open_again(at=folder, volume=phantom):
        saved = SavedSession.at(at)
        return saved.opened(volume, saved.models(lite_medsam))

    return open_again


@pytest.fixture
def copied(folder, tmp_path):
    return shutil.copytree(folder, tmp_path / "copy")


def test_a_comparison_survives_json(session):
    comparison = session.objects[0].comparisons[0]
    content = json.loads(json.dumps(comparison.to_dict(), allow_nan=False))
    again = Comparison.from_dict(content, comparison.reference.mask, comparison.candidate.mask)
    assert again.to_dict() == comparison.to_dict()
    empty = replace(comparison.agreement, hd95_mm=float("inf"), volume_difference_percent=None)
    content = json.loads(json.dumps(replace(comparison, agreement=empty).to_dict(), allow_nan=False))
    assert Comparison.from_dict(content, comparison.reference.mask, comparison.candidate.mask).agreement == empty


def test_everything_comes_back(session, again):
    again = again()
    found, was = again.objects[0], session.objects[0]
    assert found.name == NAME
    assert np.array_equal(found.truth, was.truth)
    assert found.jitter == was.jitter
    for side in ("reference", "candidate"):
        one, other = getattr(found.comparisons[0], side).mask, getattr(was.comparisons[0], side).mask
        assert one.first == other.first
        assert np.array_equal(one.voxels, other.voxels)
    numbers = was.comparisons[0].to_dict()
    numbers["volume"]["name"] = "CT, 96 × 96 × 6 voxels"
    assert found.comparisons[0].to_dict() == numbers
    assert again.tolerance == session.tolerance
    assert again.reading.rows() == session.reading.rows()
    assert [each.sentence for each in again.verdicts] == [each.sentence for each in session.verdicts]
    assert again.models[0].segmenter.fingerprint == session.models[0].segmenter.fingerprint
    assert again.made == session.made


def test_a_session_opened_and_kept_again_is_the_same_to_the_letter(folder, again):
    assert json.loads(json.dumps(manifest(again()))) == json.loads((folder / "session.json").read_text())


def test_voxels_outside_the_box_are_no_part_of_a_result(copied, again, phantom):
    path = copied / "masks" / "1-niere-rechts-links-quantized-1.nii.gz"
    mask = read_labels(path, phantom)
    mask[0, 0, 0] = 1
    write_mask(path, mask.astype(np.uint8), phantom, overwrite=True)
    with pytest.raises(InputError, match=r"damaged.*outside the slices 2 to 3"):
        again(copied)


def test_weights_without_which_nothing_can_run_again_are_asked_for(session):
    bare = tuple(replace(each, weights=None) for each in session.result.candidates)
    with pytest.raises(InputError, match="one of the models compared has none"):
        replace(session, result=replace(session.result, candidates=bare))


def test_a_replay_gives_the_same_numbers_to_the_last_voxel(again, finish):
    outcome = finish(replay(again()))
    assert outcome.differences == ()
    assert outcome.is_same
    assert outcome.checked > 40
    assert outcome.elsewhere == ()


def test_a_replay_names_what_is_different(session, finish):
    found = session.objects[0]
    recorded = found.comparisons[0]
    mask = BoxMask(recorded.candidate.mask.voxels.copy(), BOX.z0)
    mask.on_slice(2)[0, :3] = True
    changed = replace(
        recorded,
        candidate=replace(recorded.candidate, mask=mask),
        agreement=replace(recorded.agreement, dice=0.5),
        environment=replace(recorded.environment, machine="abacus"),
    )
    result = replace(session.result, objects=(replace(found, comparisons=(changed,), jitter=None),))
    outcome = finish(replay(replace(session, result=result)))
    assert not outcome.is_same
    told = [str(each) for each in outcome.differences]
    assert len(told) == 2
    assert any("voxels that differ was 0, is now 3" in line for line in told)
    assert any("agreement between the models, dice was 0.5" in line for line in told)
    assert [(each.what, each.recorded) for each in outcome.elsewhere] == [("machine", "abacus")]


def test_a_replay_holds_all_that_is_told_of_moved_boxes(session, finish):
    found = session.objects[0]
    first, *others = found.jitter.moved
    moved = replace(found.jitter, moved=(replace(first, accuracy=0.25), *others))
    changed = replace(session.result, objects=(replace(found, jitter=moved),))
    (told,) = map(str, finish(replay(replace(session, result=changed))).differences)
    assert "moved boxes: Dice against ground truth of box 1 was 0.25" in told


def test_weights_that_are_alike_but_for_their_calibration_have_a_file_each(quantized):
    """Rounded to nearest they are, and the ranges of their inputs are not."""
    names = weights_names([quantized, quantized, quantized])
    assert len(set(names)) == 3
    assert all(name.endswith(".safetensors") for name in names)
    assert weights_names([quantized]) == names[:1], "as ever where there is one"


def test_an_object_of_a_long_name_is_kept(session, tmp_path, again):
    name = "左腎" * 200
    result = replace(session.result, objects=(replace(session.objects[0], name=name),))
    save_session(replace(session, result=result, reading=None), tmp_path / "long")
    assert again(tmp_path / "long").objects[0].name == name


class _Links(HTMLParser):
    """Everything a page would load, its texts, and whether its tags close."""

    def __init__(self):
        super().__init__()
        self.images, self.tags, self.open, self.words = [], set(), [], []

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        given = dict(attributes)
        assert not {"href", "onclick", "onload"} & set(given)
        if tag == "img":
            assert given["alt"]
            self.images.append(given["src"])
        if tag not in ("img", "meta"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def test_the_page_stands_by_itself_and_tells_everything(session, folder):
    text = (folder / "report.html").read_text(encoding="utf-8")
    page = _Links()
    page.feed(text)
    assert page.open == []
    assert not {"script", "link", "iframe", "rechts"} & page.tags, "a name must not become markup"
    for source in page.images:
        kind, _, content = source.partition(";base64,")
        if kind == "data:image/png":
            assert Image.open(io.BytesIO(base64.b64decode(content))).width == 1280
        else:
            assert kind == "data:image/svg+xml"
            ET.fromstring(base64.b64decode(content))
    comparison = session.objects[0].comparisons[0]
    pictures = 1 + (comparison.worst_slice != comparison.box.middle)
    assert len(page.images) == pictures + 6, "side by side; five plots of the object and one of the layers"
    words = re.sub(r"\s+", " ", "".join(page.words))
    for expected in (
        "Research use only",
        NAME,
        session.verdicts[0].reasons[0],
        "Dice vs full precision",
        "Dice vs ground truth",
        session.objects[0].jitter.sentence(session.objects[0].comparisons),
        session.reading.preference.sentence,
        session.volume.sha256,
        session.models[0].segmenter.checkpoint_sha256,
        "simulated",
        "Apache-2.0",
        "pqcomq replay",
    ):
        assert expected in words, expected


def test_no_file_name_leaves_the_folder_and_no_path_is_told(session, folder, tmp_path):
    names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    assert names[0] == "gate.csv"
    assert [name for name in names if name.startswith("masks/")] == [
        f"masks/1-niere-rechts-links-{what}.nii.gz" for what in ("full", "quantized-1", "truth")
    ]
    text = (folder / "session.json").read_text()
    for told in (text, (folder / "report.html").read_text(encoding="utf-8")):
        assert str(tmp_path.parent) not in told
        assert "phantom" not in told, "a file's or a series' name may be the patient's"


def test_files_are_never_replaced_unless_told(session, copied):
    before = {path: path.read_bytes() for path in copied.rglob("*") if path.is_file()}
    with pytest.raises(InputError, match="exists already"):
        save_session(session, copied)
    assert {path: path.read_bytes() for path in copied.rglob("*") if path.is_file()} == before
    save_session(session, copied, overwrite=True)
    (copied / "session.json").unlink()
    (copied / "report.html").unlink()
    (copied / "gate.csv").unlink()
    (copied / "slices.csv").unlink()
    (copied / "reading.csv").unlink()
    with pytest.raises(InputError, match="exists already"):
        save_session(session, copied)


def test_another_volume_is_refused(again, phantom):
    other = replace(phantom, voxels=phantom.voxels + 1, name="other")
    with pytest.raises(InputError, match="other is not the volume of the session"):
        again(volume=other)


def _damage(folder, change):
    content = json.loads((folder / "session.json").read_text())
    change(content)
    (folder / "session.json").write_text(json.dumps(content))


def _first(content):
    return content["objects"][0]["comparisons"][0]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda c: c.update(format=99), "does not know"),
        (lambda c: c.update(objects=[]), "objects: expected array of length >= 1"),
        (lambda c: c.pop("objects"), "damaged"),
        (lambda c: c.update(volume="x"), "damaged"),
        (lambda c: c.update(weights="x"), "damaged"),
        (lambda c: c.update(weights=["../w.safetensors"]), "outside"),
        (lambda c: c.update(weights=["/etc/hostname"]), "outside"),
        (lambda c: c.update(weights=[7]), r"weights\[0\]: expected str, got int"),
        (lambda c: _first(c).update(reference_mask="masks/none.nii.gz"), "missing"),
        (lambda c: _first(c).update(candidate_mask="../../secret.nii.gz"), "outside"),
        (lambda c: _first(c)["found"].pop("agreement_between_models"), "damaged"),
        (
            lambda c: _first(c)["found"].update(box_x0y0z0x1y1z1=[1, 2]),
            "box_x0y0z0x1y1z1: expected array of length >= 6",
        ),
        (lambda c: _first(c)["found"]["slices"][0].update(surprise=1), "damaged"),
        (lambda c: c["gate"].update(least_dice_between_models=7), "gate"),
        (lambda c: c["reading"]["rows"][0].update(choice="up"), "damaged"),
        (lambda c: c["objects"][0].update(comparisons=[_first(c)] * 2), "other comparisons than there are weights"),
        (lambda c: _first(c)["found"]["reference"].update(volume_ml=-1), "volume_ml: expected float >= 0"),
        (lambda c: _first(c)["found"]["agreement_between_models"].update(hd95_mm=None), "neither given nor infinite"),
        (lambda c: _first(c)["found"]["slices"].clear(), "length >= 1"),
    ],
)
def test_damaged_sessions_are_told_in_one_sentence(copied, again, change, words):
    _damage(copied, change)
    with pytest.raises(InputError, match=words) as told:
        again(copied)
    assert "\n" not in str(told.value)


def test_folders_that_are_no_session_are_told(tmp_path, folder, copied, again):
    with pytest.raises(InputError, match="holds no session"):
        SavedSession.at(tmp_path)
    (copied / "session.json").write_text("{ half")
    with pytest.raises(InputError, match="cannot be read as a session"):
        SavedSession.at(copied)
    shutil.copy(folder / "session.json", copied)
    mask = copied / "masks" / "1-niere-rechts-links-full.nii.gz"
    mask.write_bytes(mask.read_bytes()[:60])
    with pytest.raises(InputError, match="1-niere-rechts-links-full"):
        again(copied)


def test_two_objects_of_one_name_are_refused(session):
    with pytest.raises(InputError, match="same name"):
        replace(session, result=replace(session.result, objects=session.objects * 2))


def test_a_saving_that_is_stopped_leaves_nothing(session, tmp_path):
    work = saving(session, tmp_path / "half")
    texts = []
    for progress in work:
        texts.append(progress.text)
        if progress.text.endswith(".nii.gz"):
            break
    assert any(tmp_path.rglob("*.safetensors")), "it was stopped half-way"
    work.close()
    assert list(tmp_path.iterdir()) == []
    assert texts[0].endswith("drawn")


def test_an_object_keeps_its_number_and_with_it_its_colour(session, folder):
    third = replace(session.objects[0], number=3)
    content = manifest(replace(session, result=replace(session.result, objects=(third,))))
    assert content["objects"][0]["colour"] == object_colour(3)
    assert [each.number for each in SavedSession(folder, content).numbers()] == [3]
    del content["objects"][0]["number"], content["objects"][0]["colour"]
    assert [each.number for each in SavedSession(folder, content).numbers()] == [1], "its place, as in format 1"


def test_a_session_of_format_1_is_read(copied, again):
    path = copied / "session.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    content["format"] = 1
    for each in content["objects"]:
        del each["number"], each["colour"]
        for comparison in each["comparisons"]:
            del comparison["found"]["points"], comparison["found"]["slices_of_points"]
    path.write_text(json.dumps(content), encoding="utf-8")
    assert again(copied).objects[0].prompt.box == BOX


def test_a_session_with_a_scribble_is_of_format_3_and_comes_back(session, folder):
    assert manifest(session)["format"] == 2
    prompt = Prompt(scribble=Scribble.of_runs([(BOX.z0, 30, 40, 60)]), span=(BOX.z0, BOX.z1))
    drawn = tuple(replace(each, prompt=prompt) for each in session.objects[0].comparisons)
    found = replace(session.objects[0], comparisons=drawn, jitter=None)
    content = manifest(replace(session, result=replace(session.result, objects=(found,))))
    assert content["format"] == 3
    (again,) = SavedSession(folder, json.loads(json.dumps(content))).numbers()
    assert (again.prompt.scribble, again.prompt.slices) == (prompt.scribble, prompt.slices)
