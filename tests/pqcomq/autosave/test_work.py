"""Unfinished work on disk: as it was, held by one process, put aside when damaged, never too much of it."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from pqcomq.atomic_files import replacing
from pqcomq.autosave.places import FOLDER_VARIABLE, autosave_folder, damaged_folder, weights_folder, work_folder
from pqcomq.autosave.shelf import Shelf
from pqcomq.autosave.work import KeptLabels, KeptObject, UnfinishedWork, WorkWriter, _packed, read_work
from pqcomq.errors import InputError
from pqcomq.masks.origin import Origin, mask_sha256
from pqcomq.segmentation.box import Box3D
from pqcomq.segmentation.prompt import Prompt, PromptPoint
from pqcomq.segmentation.scribble import Scribble
from pqcomq.volumes.intensity_window import Window

KEY = "a" * 64


def blob(value=1, shape=(5, 20, 30)):
    labels = np.zeros(shape, np.uint8)
    labels[2, 3:9, 4:17] = value
    return labels


def origin(labels):
    return Origin(
        {"key": "lite-medsam", "layers": {"more": [1, 2.5, None]}},
        "4-bit COMQ",
        {"effective_bits": 4.5},
        Prompt(Box3D(1.5, 2, 0, 9, 9.25, 4)),
        "propagate",
        Window(40, 400),
        mask_sha256(labels == 1),
    )


@pytest.fixture
def work():
    labels = blob()
    return UnfinishedWork(
        key=KEY,
        modality="CT",
        path=Path("/data/ct.nii.gz"),
        objects=(
            KeptObject(1, "Leber “links”", Prompt(Box3D(1, 2, 0, 10.5, 12.25, 4)), True),
            KeptObject(
                3, "spleen", Prompt(points=(PromptPoint(3, 3.5, 1), PromptPoint(9, 9, 2, False)), span=(0, 3)), False
            ),
        ),
        current=1,
        layers=(KeptLabels("Masks of FP32", lambda: labels, {1: "Leber “links”"}, {1: origin(labels)}),),
        settings={"bits": "4, 8"},
        saved=datetime(2026, 3, 4, 14, 2, tzinfo=UTC),
    )


def same(found, work):
    """Whether all is as it was, voxels too."""
    fields = ("key", "modality", "path", "objects", "current", "settings", "is_closed", "saved")
    return all(getattr(found, name) == getattr(work, name) for name in fields) and all(
        (a.name, a.names, a.origins) == (b.name, b.names, b.origins)
        and a.voxels().dtype == b.voxels().dtype
        and np.array_equal(a.voxels(), b.voxels())
        for a, b in zip(found.layers, work.layers, strict=True)
    )


def test_everything_comes_back_as_it_was(tmp_path, work):
    WorkWriter(tmp_path).write(work)
    assert same(read_work(tmp_path), work)
    empty = replace(work, layers=(KeptLabels("empty", lambda: np.zeros((2, 3, 4), np.uint16)),), path=None)
    WorkWriter(tmp_path).write(empty)
    assert same(read_work(tmp_path), empty)


def test_a_scribble_comes_back_and_has_a_format_of_its_own(tmp_path, work):
    WorkWriter(tmp_path).write(work)
    assert '"format": 1,' in (tmp_path / "work.json").read_text(encoding="utf-8")
    drawn = Prompt(scribble=Scribble.of_runs([(1, 2, 3, 9), (2, 5, 5, 5)]), span=(0, 3))
    drawn_too = replace(work, objects=(*work.objects, KeptObject(4, "kidney", drawn, True)))
    WorkWriter(tmp_path).write(drawn_too)
    assert '"format": 2,' in (tmp_path / "work.json").read_text(encoding="utf-8")
    assert same(read_work(tmp_path), drawn_too)


def test_voxels_that_have_not_changed_are_not_written_again(tmp_path, work, monkeypatch):
    packed = []
    monkeypatch.setattr("pqcomq.autosave.work._packed", lambda voxels: packed.append(1) or _packed(voxels))
    writer = WorkWriter(tmp_path)
    for value in (1, 1, 2):
        writer.write(replace(work, layers=(KeptLabels("one", lambda value=value: blob(value)),)))
    assert len(packed) == 2
    assert len(list(tmp_path.glob("*.npz"))) == 1, "what no layer has any more is gone"


def test_what_is_damaged_is_put_aside_and_said_in_a_sentence(tmp_path, work):
    def keep():
        shelf = Shelf(tmp_path)
        place = shelf.new()
        place.write(work)
        place.release()
        return shelf, place.folder / "work.json"

    shelf, path = keep()
    whole = path.read_bytes()
    damaged = [
        b"",
        whole[:-20],
        whole.replace(b"spleen", b"spline"),
        b"[" * 100_000,
        whole.replace(b'"format": 1', b'"format": 9'),
        b'{"format": 1, "sha256": "", "work": {}}',
        bytes(range(256)),
    ]
    for content in damaged:
        path.write_bytes(content)
        assert shelf.found() == []
        (note,) = shelf.notes
        assert "put aside" in note and "\n" not in note and "Traceback" not in note
        assert (damaged_folder(tmp_path) / path.parent.name / "work.json").read_bytes() == content
        shelf, path = keep()
    (found,) = shelf.found()
    voxels = next(path.parent.glob("*.npz"))
    voxels.write_bytes(voxels.read_bytes()[:-9] + b"123456789")
    with pytest.raises(InputError, match="damaged"):
        found.work.layers[0].voxels()
    voxels.unlink()
    with pytest.raises(InputError, match="cannot be read"):
        found.work.layers[0].voxels()


HOLDING = """
import sys
from pathlib import Path
from pqcomq.autosave.shelf import Shelf
from pqcomq.autosave.work import KeptObject, UnfinishedWork
from pqcomq.segmentation.box import Box3D
from pqcomq.segmentation.prompt import Prompt
place = Shelf(Path(sys.argv[1])).new()
place.write(UnfinishedWork("b" * 64, "CT", None, (KeptObject(1, "held", Prompt(Box3D(0, 0, 0, 5, 5, 1)), True),), 0))
print("held", flush=True)
sys.stdin.read()
"""


def test_two_processes_do_not_fight(tmp_path, work):
    shelf = Shelf(tmp_path)
    with subprocess.Popen(
        [sys.executable, "-c", HOLDING, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
    ) as other:
        assert other.stdout.readline() == "held\n"
        place = shelf.new()
        place.write(work)
        assert shelf.found() == [], "one is the other's, and one our own"
        shelf.tidy(most_sessions=0, most_bytes=0)
        shelf.delete_all()
        assert len(list(work_folder(tmp_path).iterdir())) == 2, "neither is deleted while it is held"
        other.kill()
    (found,) = shelf.found()
    assert found.work.objects[0].name == "held", "what a killed process left is found"
    taken = shelf.take(found)
    assert shelf.take(found) is None
    taken.discard()
    assert shelf.found() == []
    place.release()
    assert same(shelf.found()[0].work, work)


def test_the_newest_comes_first_within_a_second_too(tmp_path, work):
    shelf = Shelf(tmp_path)
    keys = [f"{number:064x}" for number in range(6)]
    for key in keys:
        place = shelf.new()
        place.write(UnfinishedWork(key, "CT", None, work.objects))
        place.release()
        time.sleep(0.02)  # longer than a tick of any system's clock
    assert [each.work.key for each in shelf.found()] == keys[::-1]


def test_there_is_never_too_much(tmp_path, work):
    shelf = Shelf(tmp_path)
    for number in range(5):
        place = shelf.new()
        place.write(replace(work, current=number % 2, saved=datetime(2026, 1, 1 + number, tzinfo=UTC)))
        os.utime(place.folder / "work.json", (number, number))
        place.release()
    shelf.tidy(most_sessions=3)
    assert [each.work.saved.day for each in shelf.found()] == [5, 4, 3]
    weights = tmp_path / "weights"
    weights.mkdir()
    for name, age in (("old", 1), ("new", time.time() + 60)):
        (weights / f"{name}.safetensors").write_bytes(bytes(10_000))
        os.utime(weights / f"{name}.safetensors", (age, age))
    shelf.tidy(most_bytes=12_000)
    assert [each.name for each in weights.glob("*.safetensors")] == ["new.safetensors"]
    shelf.delete_all()
    assert shelf.found() == []
    assert not list(weights.glob("*.safetensors"))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_killed_at_any_moment_it_is_the_state_before_or_after(tmp_path, work):
    states = [replace(work, current=index, layers=(KeptLabels("x", lambda v=index + 1: blob(v)),)) for index in (0, 1)]
    draw = random.Random(3)
    for number in range(8):
        folder = tmp_path / str(number)
        folder.mkdir()
        WorkWriter(folder).write(states[0])
        process = os.fork()
        if process == 0:
            try:
                writer = WorkWriter(folder)
                while True:
                    for state in states[::-1]:
                        writer.write(state)
            finally:
                os._exit(1)
        time.sleep(draw.uniform(0.005, 0.08))
        os.kill(process, signal.SIGKILL)
        assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == -signal.SIGKILL
        found = read_work(folder)
        assert same(found, states[found.current])
        WorkWriter(folder).write(states[1])
        assert {each.suffix for each in folder.iterdir()} == {".json", ".npz"}, "nothing half-made is left"


def test_it_can_be_switched_off_and_sent_elsewhere(monkeypatch, tmp_path):
    monkeypatch.setenv(FOLDER_VARIABLE, "Off")
    assert autosave_folder() is None
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    assert autosave_folder() == tmp_path
    monkeypatch.delenv(FOLDER_VARIABLE)
    assert autosave_folder().name == "autosave"


def test_work_on_a_file_whose_name_is_no_text_is_kept(tmp_path, work):
    odd = replace(work, path=Path("/data") / os.fsdecode(b"ct\xff.nii"))
    WorkWriter(tmp_path).write(odd)
    found = read_work(tmp_path)
    assert found.objects == odd.objects
    assert found.path == Path("/data/ct?.nii")


def test_what_another_process_is_just_writing_is_not_deleted_and_no_lock_is_left(tmp_path):
    weights = weights_folder(tmp_path)
    weights.mkdir()
    (weights / "old.safetensors").write_bytes(b"old")
    with replacing(weights / "new.safetensors") as partial:
        partial.write_bytes(b"new")
        Shelf(tmp_path).tidy(most_bytes=1)
        Shelf(tmp_path).delete_all()
    assert [each.name for each in weights.iterdir()] == ["new.safetensors"]
