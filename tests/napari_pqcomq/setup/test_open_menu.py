"""Opening volumes from the dock, and what was open lately."""

from __future__ import annotations

import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
import shiboken6
import SimpleITK as sitk
from napari.utils.notifications import notification_manager
from qtpy.QtCore import QSettings

from napari_pqcomq.setup.calibration_panel import CalibrationPanel
from napari_pqcomq.setup.model_panel import ModelPanel
from napari_pqcomq.setup.open_menu import MOST_RECENT, OpenMenu
from pqcomq.errors import InputError

REAL_CT = "Sample: real abdominal CT (290 MB, downloaded once)"
_PLACE = (QSettings.Format.IniFormat, QSettings.Scope.UserScope, "napari-pqcomq", "napari-pqcomq")


@pytest.fixture
def menu(qtbot):
    opened = []
    viewer = SimpleNamespace(
        open=lambda path, plugin: opened.append((path, plugin)),
        open_sample=lambda plugin, sample: opened.append((sample, plugin)),
    )
    menu = OpenMenu(viewer)
    menu.opened = opened
    qtbot.addWidget(menu)
    return menu


def entry(menu, text):
    menu.entries.aboutToShow.emit()
    return next(action for action in menu.entries.actions() if action.text() == text)


def test_the_last_volumes_are_offered_first_and_those_that_are_gone_not_at_all(menu, tmp_path):
    paths = [tmp_path / f"{number}.nii.gz" for number in range(MOST_RECENT + 2)]
    for path in paths:
        path.touch()
        menu.note([path])
    menu.note([paths[4]])
    assert menu.recent == [paths[4], *[path for path in paths[:1:-1] if path != paths[4]]]
    paths[5].unlink()
    menu.entries.aboutToShow.emit()
    offered = [action.text() for action in menu.entries.actions() if action.text().endswith(".nii.gz")]
    assert offered == [path.name for path in menu.recent if path != paths[5]]
    entry(menu, "4.nii.gz").trigger()
    assert menu.opened == [(str(paths[4]), "napari-pqcomq")]


def test_files_of_one_name_are_told_apart_by_their_folders(menu, tmp_path):
    """As the cases of a data set are, and by the whole path when the mouse rests on them."""
    paths = [tmp_path / "case 1" / "image.nii.gz", tmp_path / "case & 2" / "image.nii.gz", tmp_path / "ct.nii.gz"]
    for path in paths:
        path.parent.mkdir(exist_ok=True)
        path.touch()
    menu.note(paths)
    menu.entries.aboutToShow.emit()
    offered = [action.text() for action in menu.entries.actions()][-3:]
    assert offered == [str(Path("case 1", "image.nii.gz")), str(Path("case && 2", "image.nii.gz")), "ct.nii.gz"]
    assert [action.toolTip() for action in menu.entries.actions()][-3:] == [str(path) for path in paths]
    assert menu.entries.toolTipsVisible()


def test_a_place_that_may_no_longer_be_looked_into_is_passed_over(menu, tmp_path, monkeypatch):
    """As a network's drive, of which this program has no rights any more."""
    here, locked = tmp_path / "here.nii.gz", tmp_path / "locked.nii.gz"
    here.touch()
    menu.note([locked, here])
    look = type(here).stat

    def stat(self, **options):
        if self.name == locked.name:
            raise PermissionError(13, "Permission denied")
        return look(self, **options)

    monkeypatch.setattr(type(here), "stat", stat)
    assert entry(menu, "here.nii.gz").isEnabled()
    assert "locked.nii.gz" not in [action.text() for action in menu.entries.actions()]
    model = ModelPanel(CalibrationPanel())
    model.restore({"checkpoint medsam": str(locked)})
    assert model.checkpoints == {}


def test_files_folders_and_the_sample_are_opened(menu, tmp_path, monkeypatch):
    dialog = "napari_pqcomq.setup.open_menu.QFileDialog"
    monkeypatch.setattr(f"{dialog}.getOpenFileName", lambda *asked: (str(tmp_path / "a.nii"), ""))
    monkeypatch.setattr(f"{dialog}.getExistingDirectory", lambda *asked: str(tmp_path))
    for text in ("File…", "DICOM folder…", "Sample: synthetic abdominal CT", "Sample: abdominal MR slice"):
        entry(menu, text).trigger()
    found = [what for what, _plugin in menu.opened]
    assert found == [str(tmp_path / "a.nii"), str(tmp_path), "synthetic_ct", "mr_slice"]


def test_the_real_ct_is_fetched_in_the_background_and_without_a_network_said_plainly(menu, volume, qtbot, monkeypatch):
    added, go_on, said = [], threading.Event(), []
    menu._viewer.add_layer = added.append

    def fetch(progress):
        progress.total = 290e6
        progress.update(12e6)
        go_on.wait(60)
        return volume

    monkeypatch.setattr("pqcomq.samples.real_ct.real_ct", fetch)
    entry(menu, REAL_CT).trigger()
    qtbot.waitUntil(lambda: menu.text() == "12 of 290 MB")
    assert not entry(menu, REAL_CT).isEnabled(), "once is enough"
    go_on.set()
    qtbot.waitUntil(lambda: menu.text() == "Open…")
    assert [layer.name for layer in added] == ["block"]

    def offline(progress):
        raise InputError("CTLiver.nrrd could not be downloaded: there is no connection.")

    monkeypatch.setattr("pqcomq.samples.real_ct.real_ct", offline)
    entry(menu, REAL_CT).trigger()
    qtbot.waitUntil(lambda: menu.text() == "Open…")
    said = [notice.message for notice in notification_manager.records]
    assert said[-1] == "CTLiver.nrrd could not be downloaded: there is no connection."
    assert len(added) == 1


def test_a_download_outlives_its_button_and_ends_with_napari(qtbot, volume, monkeypatch):
    menu, told, go_on = OpenMenu(SimpleNamespace()), [], threading.Event()

    def fetch(progress):
        progress.total = 290e6
        progress.update(12e6)
        go_on.wait(60)
        try:
            progress.update(1e6)  # to a button that is gone
            told.append("on")
            menu_worker.quit()  # as napari does with every worker when it quits
            progress.update(1e6)
        except BaseException as stopped:
            told.append(type(stopped).__name__)
            raise
        return volume

    monkeypatch.setattr("pqcomq.samples.real_ct.real_ct", fetch)
    entry(menu, REAL_CT).trigger()
    menu_worker = menu._worker
    qtbot.waitUntil(lambda: menu.text() == "12 of 290 MB")
    shiboken6.delete(menu)
    go_on.set()
    qtbot.waitUntil(lambda: len(told) == 2)
    assert told == ["on", "CancelledError"]


@pytest.mark.parametrize("is_online", [True, False])
def test_what_becomes_of_a_download_is_told_though_its_button_is_gone(qtbot, volume, monkeypatch, is_online):
    added, go_on = [], threading.Event()
    menu = OpenMenu(SimpleNamespace(add_layer=added.append))

    def fetch(progress):
        go_on.wait(60)
        if not is_online:
            raise InputError("CTLiver.nrrd could not be downloaded: there is no connection.")
        return volume

    monkeypatch.setattr("pqcomq.samples.real_ct.real_ct", fetch)
    entry(menu, REAL_CT).trigger()
    before = len(notification_manager.records)
    shiboken6.delete(menu)
    go_on.set()
    if is_online:
        qtbot.waitUntil(lambda: [layer.name for layer in added] == ["block"])
    else:
        qtbot.waitUntil(lambda: len(notification_manager.records) > before)
        assert notification_manager.records[-1].message.startswith("CTLiver.nrrd could not be downloaded")


def test_a_file_is_opened_and_remembered_and_a_bad_one_told_in_a_sentence(plugin, shown_viewer, block, tmp_path, qtbot):
    good, bad = tmp_path / "good.nii.gz", tmp_path / "bad.nii.gz"
    sitk.WriteImage(block(), str(good))
    bad.write_bytes(b"no volume")
    _wrapper, dock = shown_viewer.window.add_plugin_dock_widget("napari-pqcomq")
    qtbot.waitUntil(lambda: dock.parts is not None)
    panel = dock.parts.panels.volume
    panel.open_menu.open(good)
    assert panel.volume is not None
    assert panel.open_menu.recent == [good]
    assert QSettings(*_PLACE).value("recent") in (str(good), [str(good)]), "kept at once, not only at the end"
    panel.open_menu.open(bad)
    assert any("bad.nii.gz" in notice.message for notice in notification_manager.records)
    assert panel.open_menu.recent == [good]


def test_a_sample_that_was_cancelled_is_no_error(viewer, plugin, qtbot, monkeypatch):
    """napari itself takes it for one: a sample that it gets no layers from."""
    monkeypatch.setattr("napari_pqcomq.io.sample_data.awaited", lambda *_args: None)
    menu = OpenMenu(viewer)
    qtbot.addWidget(menu)
    menu.open_sample("mr_slice")
    assert not len(viewer.layers)
    with pytest.raises(KeyError):
        menu.open_sample("none of them")
