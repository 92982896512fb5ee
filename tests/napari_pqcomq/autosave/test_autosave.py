"""Unfinished work in one process: written soon, offered for its volume alone, off and gone when asked."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from threading import Event

import numpy as np
import pytest
from napari.layers import Layer
from napari.utils.notifications import notification_manager
from qtpy.QtCore import QTimer

from napari_pqcomq.app.compare_widget import CompareWidget
from napari_pqcomq.layers.volume_layers import image_tuple, labels_tuple
from pqcomq.autosave.places import work_folder
from pqcomq.autosave.shelf import Place, Shelf
from pqcomq.progress import Progress
from pqcomq.segmentation.box import Box3D

PATIENCE_S = 300
LIVER, SPLEEN = Box3D(5, 5, 4, 17, 15, 5), Box3D(20, 6, 2, 30, 20, 7)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    folder = tmp_path / "kept"
    monkeypatch.setenv("PQCOMQ_AUTOSAVE", str(folder))
    return folder


@pytest.fixture
def new_dock(viewer, monkeypatch):
    """Makes docks, one after the other, and closes the one before; none looks for weights, which loads a model."""
    monkeypatch.setattr("napari_pqcomq.app.work.workflow.Workflow.recall_weights", lambda self: None)
    made = []

    def make():
        if made:
            made[-1].release()
        made.append(CompareWidget(viewer))
        return made[-1]

    yield make
    if made:
        made[-1].release()


def settled(qtbot, dock):
    """Until what was done is written, and what was looked for is found."""
    dock.autosave.recorder.write_now()
    dock.autosave.recorder.desk.wait()
    qtbot.wait(20)


def open_volume(viewer, volume):
    return viewer.add_layer(Layer.create(*image_tuple(volume)))


def close_all(viewer, image):
    """The volume first: whoever closes it has not taken its boxes away."""
    viewer.layers.remove(image)
    viewer.layers.clear()


def draw(dock, *boxes):
    for name, box in boxes:
        dock.panels.objects.add(box, name)
        dock.panels.objects.settle()


def drawn(dock):
    return [(each.name, each.box) for each in dock.panels.objects.objects]


def notices():
    return [notice.message for notice in notification_manager.records]


def test_it_is_written_within_seconds_without_being_asked(folder, new_dock, viewer, volume, qtbot):
    dock = new_dock()
    open_volume(viewer, volume)
    draw(dock, ("liver", LIVER))
    qtbot.waitUntil(lambda: bool(list(folder.glob("work/*/work.json"))))
    assert Shelf(folder).found() == [], "the window holds it"


def test_work_is_offered_for_its_own_volume_and_goes_on(folder, new_dock, viewer, volume, qtbot):
    dock = new_dock()
    image = open_volume(viewer, volume)
    draw(dock, ("liver", LIVER), ("spleen", SPLEEN))
    by_hand = viewer.add_layer(Layer.create(*labels_tuple(volume, np.zeros(volume.grid.shape_zyx, np.uint8), "mine")))
    by_hand.paint((4, 9, 9), 3)
    expected = np.array(by_hand.data)
    assert expected.any()
    close_all(viewer, image)
    settled(qtbot, dock)
    assert drawn(dock) == []
    other = open_volume(viewer, replace(volume, voxels=volume.voxels + 1))
    settled(qtbot, dock)
    assert not dock.panels.question.buttons, "it belongs to another volume"
    close_all(viewer, other)
    open_volume(viewer, replace(volume, voxels=volume.voxels.copy()))
    settled(qtbot, dock)
    assert "2 objects and 1 layer of masks" in dock.panels.question.text.text()
    draw(dock, ("drawn before the answer", Box3D(1, 1, 1, 9, 9, 2)))
    settled(qtbot, dock)
    dock.panels.question.buttons[0].click()
    qtbot.waitUntil(lambda: len(dock.panels.objects) == 3)
    assert drawn(dock)[:2] == [("liver", LIVER), ("spleen", SPLEEN)]
    assert np.array_equal(viewer.layers["mine"].data, expected)
    settled(qtbot, dock)
    assert len(list(work_folder(folder).iterdir())) == 1, "it goes on in one place"


def test_a_dock_closed_and_opened_again_asks_nothing(folder, new_dock, viewer, volume, qtbot):
    dock = new_dock()
    open_volume(viewer, volume)
    draw(dock, ("liver", LIVER))
    again = new_dock()
    settled(qtbot, again)
    assert drawn(again) == [("liver", LIVER)]
    assert not again.panels.question.buttons
    # What the new dock began meanwhile goes as soon as it goes on with what the other left.
    qtbot.waitUntil(lambda: len(list(work_folder(folder).iterdir())) == 1)


def test_what_is_discarded_or_taken_away_is_gone(folder, new_dock, viewer, volume, qtbot):
    dock = new_dock()
    image = open_volume(viewer, volume)
    draw(dock, ("liver", LIVER))
    close_all(viewer, image)
    image = open_volume(viewer, volume)
    settled(qtbot, dock)
    dock.panels.question.buttons[1].click()
    settled(qtbot, dock)
    assert list(work_folder(folder).iterdir()) == []
    draw(dock, ("spleen", SPLEEN))
    settled(qtbot, dock)
    assert len(list(work_folder(folder).iterdir())) == 1
    dock.panels.objects.remove(0)
    settled(qtbot, dock)
    assert list(work_folder(folder).iterdir()) == []


def test_an_earlier_session_is_offered_when_the_newest_is_discarded(folder, new_dock, viewer, volume, qtbot):
    dock = new_dock()
    for boxes in ((("liver", LIVER), ("aorta", SPLEEN)), (("spleen", SPLEEN),)):
        image = open_volume(viewer, volume)
        settled(qtbot, dock)
        draw(dock, *boxes)  # whatever the question is
        close_all(viewer, image)
        settled(qtbot, dock)
    open_volume(viewer, volume)
    settled(qtbot, dock)
    assert "with 1 object" in dock.panels.question.text.text()
    dock.panels.question.buttons[1].click()
    settled(qtbot, dock)
    assert "with 2 objects" in dock.panels.question.text.text()
    dock.panels.question.buttons[1].click()
    settled(qtbot, dock)
    assert not dock.panels.question.buttons


def test_closing_all_layers_takes_no_boxes_away(folder, new_dock, viewer, volume, qtbot):
    dock = new_dock()
    image = open_volume(viewer, volume)
    draw(dock, ("liver", LIVER), ("spleen", SPLEEN))
    settled(qtbot, dock)
    viewer.layers.remove("Boxes")  # as napari does it with all that are selected, one by one
    viewer.layers.remove(image)
    settled(qtbot, dock)
    open_volume(viewer, replace(volume, voxels=volume.voxels.copy()))
    settled(qtbot, dock)
    assert "2 objects" in dock.panels.question.text.text()


def test_damage_is_told_in_a_sentence(folder, new_dock, viewer, volume, qtbot):
    dock = new_dock()
    image = open_volume(viewer, volume)
    draw(dock, ("liver", LIVER))
    close_all(viewer, image)
    settled(qtbot, dock)
    (path,) = folder.rglob("work.json")
    path.write_bytes(path.read_bytes()[:-30])
    open_volume(viewer, volume)
    settled(qtbot, dock)
    assert not dock.panels.question.buttons
    assert "damaged" in notices()[-1] and "put aside" in notices()[-1]


def test_a_killed_session_whose_volume_has_gone_waits_for_it(folder, new_dock, viewer, volume, qtbot):
    dock = new_dock()
    open_volume(viewer, replace(volume, source=Path("/no/longer/here.nii.gz")))
    draw(dock, ("liver", LIVER))
    settled(qtbot, dock)
    place = dock.autosave.recorder.desk._place
    dock.autosave.recorder.desk._place = None  # as if the process had been killed: nothing says that it was closed
    place.release()
    viewer.layers.clear()
    again = new_dock()
    settled(qtbot, again)
    assert "unfinished" not in again.panels.question.text.text()
    assert "no longer at /no/longer/here.nii.gz" in notices()[-1]


def test_switched_off_nothing_is_written_and_all_can_be_deleted(folder, new_dock, viewer, volume, qtbot):
    dock = new_dock()
    open_volume(viewer, volume)
    draw(dock, ("liver", LIVER))
    settled(qtbot, dock)
    dock.panels.autosave.delete_requested.emit()
    settled(qtbot, dock)
    assert list(work_folder(folder).iterdir()) == []
    assert "Deleted" in notices()[-1]
    dock.panels.autosave.switch.setChecked(False)
    draw(dock, ("spleen", SPLEEN))
    qtbot.wait(900)
    assert not list(folder.rglob("work.json"))
    assert dock.workflow.kept.on_disk is None
    again = new_dock()
    assert not again.panels.autosave.switch.isChecked(), "the switch is remembered"


def test_the_environment_switches_it_off(monkeypatch, new_dock, tmp_path):
    monkeypatch.setenv("PQCOMQ_AUTOSAVE", "off")
    dock = new_dock()
    assert not dock.panels.autosave.switch.isEnabled()
    assert dock.autosave.recorder.desk is None


def test_a_disk_that_refuses_is_told_once(folder, new_dock, viewer, volume, qtbot):
    folder.write_text("a file is in the way")
    dock = new_dock()
    open_volume(viewer, volume)
    for name in ("one", "two"):
        draw(dock, (name, LIVER))
        settled(qtbot, dock)
    told = [each for each in notices() if "cannot be made" in each or "cannot be" in each]
    assert len(told) == len(set(told)) >= 1
    assert len(dock.panels.objects) == 2


def test_nothing_of_the_patient_is_kept_but_what_the_user_named(folder, new_dock, viewer, volume, qtbot):
    dock = new_dock()
    named = replace(volume, name="Mustermann^Max", source=Path("/data/ct.nii.gz"))
    open_volume(viewer, named)
    draw(dock, ("liver", LIVER))
    settled(qtbot, dock)
    written = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert b"liver" in written
    assert b"/data/ct.nii.gz" in written, "it says where the volume is to be opened from"
    assert b"Mustermann" not in written


def test_the_window_is_not_held_up(folder, new_dock, viewer, volume, qtbot, monkeypatch):
    """While the disk keeps the writer waiting, the event loop turns."""
    dock = new_dock()
    open_volume(viewer, volume)
    settled(qtbot, dock)
    made, goes_on, ticks = Shelf.new, Event(), []

    def slow(self):
        goes_on.wait(PATIENCE_S)
        return made(self)

    monkeypatch.setattr(Shelf, "new", slow)
    timer = QTimer()
    timer.timeout.connect(lambda: ticks.append(time.monotonic()))
    timer.start(5)
    draw(dock, ("liver", LIVER))
    dock.autosave.recorder.write_now()
    ticks.clear()
    qtbot.waitUntil(lambda: len(ticks) > 5)
    assert not list(folder.rglob("work.json"))
    goes_on.set()
    qtbot.waitUntil(lambda: bool(list(folder.glob("work/*/work.json"))))


def painted(viewer, volume, row):
    """A layer of the user's on a volume, painted by hand; the same name for each."""
    layer = viewer.add_layer(Layer.create(*labels_tuple(volume, np.zeros(volume.grid.shape_zyx, np.uint8), "mine")))
    layer.paint((4, row, 9), 3)
    return np.array(layer.data)


def go_on(qtbot, dock):
    settled(qtbot, dock)
    dock.panels.question.buttons[0].click()
    qtbot.waitUntil(lambda: not dock.panels.jobs.is_running)
    settled(qtbot, dock)


def written_layers(folder):
    """How many layers of masks are kept of each work."""
    return sorted(len(json.loads(path.read_text())["work"]["layers"]) for path in folder.rglob("work.json"))


def test_masks_come_back_though_those_of_another_volume_have_their_name(folder, new_dock, viewer, volume, qtbot):
    dock, other = new_dock(), replace(volume, voxels=volume.voxels + 1)
    expected = []
    for each, row in ((volume, 9), (other, 20)):
        image = open_volume(viewer, each)
        expected.append(painted(viewer, each, row))
        settled(qtbot, dock)
        close_all(viewer, image)
        settled(qtbot, dock)
    for each in (volume, other):
        dock.panels.volume.layers.choose(open_volume(viewer, each))
        go_on(qtbot, dock)
    found = [layer.data for layer in viewer.layers if layer.name.startswith("mine")]
    assert [any(np.array_equal(data, each) for data in found) for each in expected] == [True, True]
    assert written_layers(folder) == [1, 1], "nor does the disk lose them"


def test_masks_come_back_beside_newer_ones_of_their_name(folder, new_dock, viewer, volume, qtbot):
    dock = new_dock()
    image = open_volume(viewer, volume)
    expected = painted(viewer, volume, 9)
    close_all(viewer, image)
    settled(qtbot, dock)
    open_volume(viewer, volume)
    settled(qtbot, dock)
    newer = painted(viewer, volume, 20)  # whatever the question is
    go_on(qtbot, dock)
    found = [layer.data for layer in viewer.layers if layer.name.startswith("mine")]
    assert len(found) == 2
    assert np.array_equal(found[0], newer) and np.array_equal(found[1], expected)
    assert written_layers(folder) == [2]


def test_what_was_painted_by_hand_stays_kept_after_it_was_brought_back(folder, new_dock, viewer, volume, qtbot):
    dock = new_dock()
    image = open_volume(viewer, volume)
    expected = painted(viewer, volume, 9)
    for _time in range(2):
        close_all(viewer, image)
        settled(qtbot, dock)
        image = open_volume(viewer, volume)
        go_on(qtbot, dock)
        assert written_layers(folder) == [1]
        assert np.array_equal(viewer.layers["mine"].data, expected)
    again = new_dock()
    settled(qtbot, again)
    again.autosave.recorder.note()
    settled(qtbot, again)
    assert written_layers(folder) == [1], "nor is it forgotten by a dock that is opened again"


def test_a_session_whose_volume_is_opened_beside_another_goes_on(folder, new_dock, viewer, volume, tmp_path, qtbot):
    file = tmp_path / "ct.nii.gz"
    file.touch()
    dock = new_dock()
    open_volume(viewer, replace(volume, source=file))
    draw(dock, ("liver", LIVER))
    settled(qtbot, dock)
    place = dock.autosave.recorder.desk._place
    dock.autosave.recorder.desk._place = None  # as if the process had been killed
    place.release()
    viewer.layers.clear()
    again = new_dock()
    settled(qtbot, again)
    assert again.panels.question.buttons
    open_volume(viewer, replace(volume, voxels=volume.voxels + 1))
    settled(qtbot, again)
    again.autosave.offer._open_path = lambda _path: open_volume(viewer, replace(volume, source=file))
    before = len(notices())
    again.panels.question.buttons[0].click()
    qtbot.waitUntil(lambda: drawn(again) == [("liver", LIVER)])
    assert not any("is not the volume" in told for told in notices()[before:])


def test_a_failure_that_nobody_expected_is_told_too(folder, new_dock, viewer, volume, qtbot, monkeypatch):
    def fails(_self, _work):
        raise ValueError("cannot be packed")

    monkeypatch.setattr(Place, "write", fails)
    dock = new_dock()
    open_volume(viewer, volume)
    draw(dock, ("liver", LIVER))
    settled(qtbot, dock)
    assert any("could not be kept" in told and "cannot be packed" in told for told in notices())


def test_who_says_go_on_while_a_job_runs_is_asked_again(folder, new_dock, viewer, volume, qtbot):
    dock, end = new_dock(), Event()
    image = open_volume(viewer, volume)
    draw(dock, ("liver", LIVER))
    close_all(viewer, image)
    settled(qtbot, dock)
    open_volume(viewer, volume)
    settled(qtbot, dock)

    def steps():
        yield Progress(0, 1, "at it")
        end.wait(PATIENCE_S)

    dock.panels.jobs.start(steps, lambda _result: None, "at it")
    dock.panels.question.buttons[0].click()
    assert notices()[-1] == "Wait for what is running now, or cancel it."
    end.set()
    qtbot.waitUntil(lambda: not dock.panels.jobs.is_running)
    assert dock.panels.question.isVisibleTo(dock)
    go_on(qtbot, dock)
    assert drawn(dock) == [("liver", LIVER)]
