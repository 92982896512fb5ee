"""A model is fetched from the window: by real clicks, from a server on this machine."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import replace

import pytest
from napari.utils.notifications import notification_manager
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QMessageBox

from napari_pqcomq.setup.calibration_panel import CalibrationPanel
from napari_pqcomq.setup.model_facts import NOTE_ROLE, note_of
from napari_pqcomq.setup.model_fetch import ModelFetch
from napari_pqcomq.setup.model_panel import ModelPanel
from pqcomq.models.catalogue import fetching
from pqcomq.models.catalogue.entries import ENTRIES, entry_of
from pqcomq.models.catalogue.model_store import record_of

from ...pqcomq.conftest import nobody, server, servers

__all__ = ["nobody", "server", "servers"]

KEY = "mobile-sam"
PATIENCE_MS = 60_000


@pytest.fixture
def panel(qtbot, server, monkeypatch, tmp_path):
    """The panel on an empty folder of weights; the server has MobileSAM's, a megabyte for once."""
    monkeypatch.setenv("PQCOMQ_MODELS", str(tmp_path / "models"))
    monkeypatch.setattr(fetching, "PATIENCE", (5.0, 5.0))
    checksum = f"sha256:{server.sha256}"
    entry = replace(entry_of(KEY), urls=(server.url,), size=len(server.content), checksum=checksum)
    monkeypatch.setitem(ENTRIES, KEY, entry)
    panel = ModelPanel(CalibrationPanel())
    qtbot.addWidget(panel)
    panel.show()
    yield panel
    panel.release()
    qtbot.waitUntil(lambda: not panel.fetching.is_running, timeout=PATIENCE_MS)


def press(qtbot, button):
    assert button.isVisible()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def ended(qtbot, panel):
    qtbot.waitUntil(lambda: not panel.fetching.is_running, timeout=PATIENCE_MS)


def test_the_list_tells_size_licence_and_what_is_here(panel):
    models = panel.form["key"].native
    notes = [models.itemData(place, NOTE_ROLE) for place in range(models.count())]
    assert notes == [note_of(entry) for entry in ENTRIES.values()]
    assert notes[0] == "39 MB · Apache-2.0 · here"
    assert notes[4] == "2.6 GB · Apache-2.0"
    told = dict(zip(ENTRIES, (models.itemData(place, Qt.ItemDataRole.ToolTipRole) for place in range(7)), strict=True))
    assert all(entry.preprocessing in told[key] and entry.citation in told[key] for key, entry in ENTRIES.items())
    assert "takes boxes and points." in told["sam-vit-b"]
    assert "takes boxes." in told["medsam"]
    assert "takes scribbles." in told["lite-medsam-scribble"]


def test_a_model_that_is_not_here_shows_its_licence_and_is_fetched_with_one_click(panel, server, qtbot):
    assert not panel.fetching.isVisible()
    panel.choose_model(KEY)
    assert "Licence of its weights: Apache-2.0" in panel.fetching.facts.text()
    assert panel.fetching.fetch_button.text() == "Accept licence, fetch 1 MB"
    assert not server.asked, "nothing before the licence is accepted"
    with qtbot.waitSignal(panel.changed, timeout=PATIENCE_MS):
        press(qtbot, panel.fetching.fetch_button)
    assert record_of(KEY).licence == "Apache-2.0"
    assert not panel.lacks_checkpoint
    assert not panel.fetching.isVisible()
    assert panel.form["key"].native.itemData(5, NOTE_ROLE).endswith("here")
    panel.choose_model("lite-medsam")
    panel.choose_model(KEY)
    assert not panel.fetching.isVisible(), "the licence is accepted once"


def test_cancel_keeps_what_came_and_the_next_click_goes_on_from_there(panel, server, qtbot):
    server.stall = 1.0
    panel.choose_model(KEY)
    press(qtbot, panel.fetching.fetch_button)
    qtbot.waitUntil(lambda: panel.fetching.bar.maximum() == 1000, timeout=PATIENCE_MS)
    assert "of 1 MB" in panel.fetching.bar.text()
    panel.choose_model("medsam")
    assert not panel.fetching.fetch_button.isEnabled()
    assert panel.fetching.problem.text().startswith("MobileSAM is on its way")
    panel.choose_model(KEY)
    assert not panel.fetching.problem.isVisible()
    press(qtbot, panel.fetching.cancel_button)
    ended(qtbot, panel)
    assert panel.lacks_checkpoint
    assert "Go on fetching (" in panel.fetching.fetch_button.text()
    server.stall = 0.0
    with qtbot.waitSignal(panel.changed, timeout=PATIENCE_MS):
        press(qtbot, panel.fetching.fetch_button)
    assert server.asked[-1].startswith("bytes="), "it was continued"
    assert record_of(KEY).sha256 == hashlib.sha256(server.content).hexdigest()


def test_offline_one_sentence_tells_the_way_by_hand(panel, monkeypatch, nobody, qtbot):
    monkeypatch.setitem(ENTRIES, KEY, replace(ENTRIES[KEY], urls=(nobody,)))
    panel.choose_model(KEY)
    press(qtbot, panel.fetching.fetch_button)
    ended(qtbot, panel)
    told = panel.fetching.problem.text()
    assert "there is no connection to 127.0.0.1" in told
    assert "By hand: get mobile_sam.pt" in told
    assert told.endswith("Here: “Take over a file…”.")
    assert notification_manager.records[-1].message == told
    panel.choose_model("medsam")
    assert not panel.fetching.problem.isVisible(), "that was of another model"


def test_a_file_of_one_s_own_is_taken_over_and_a_wrong_one_refused(panel, monkeypatch, tmp_path, qtbot):
    taken = []

    def take(key, file):
        if file.name == "wrong.pt":
            raise fetching.InputError("The file is no checkpoint.", file)
        taken.append((key, file))
        (tmp_path / "models" / "mobile_sam.pt").write_bytes(b"weights")
        fetching.keep_record(key, fetching.Record("mobile_sam.pt", "ab" * 32, "a file", ""))

    (tmp_path / "models").mkdir()
    monkeypatch.setattr(fetching, "import_model", take)
    dialog = "napari_pqcomq.setup.model_fetch.QFileDialog.getOpenFileName"
    panel.choose_model(KEY)
    monkeypatch.setattr(dialog, lambda *asked: (str(tmp_path / "wrong.pt"), ""))
    press(qtbot, panel.fetching.import_button)
    ended(qtbot, panel)
    assert "The file is no checkpoint" in panel.fetching.problem.text()
    monkeypatch.setattr(dialog, lambda *asked: (str(tmp_path / "own.pt"), ""))
    with qtbot.waitSignal(panel.changed, timeout=PATIENCE_MS):
        press(qtbot, panel.fetching.import_button)
    assert taken == [(KEY, tmp_path / "own.pt")]
    assert not panel.lacks_checkpoint


def test_kept_weights_are_verified_and_removed_in_the_window(panel, server, monkeypatch, tmp_path, qtbot):
    panel.choose_model(KEY)
    assert not panel.kept.isVisible()
    with qtbot.waitSignal(panel.changed, timeout=PATIENCE_MS):
        press(qtbot, panel.fetching.fetch_button)
    assert panel.kept.kept.text() == "1 MB here"
    assert panel.kept.kept.toolTip().endswith("mobile_sam.pt")
    assert not panel.kept.told.isVisible()
    press(qtbot, panel.kept.check_button)
    qtbot.waitUntil(lambda: "has the published checksum" in panel.kept.told.text(), timeout=PATIENCE_MS)
    (tmp_path / "models" / "mobile_sam.pt").write_bytes(b"something else")
    press(qtbot, panel.kept.check_button)
    qtbot.waitUntil(lambda: "is not what it was when it came" in panel.kept.told.text(), timeout=PATIENCE_MS)
    answers = iter([QMessageBox.StandardButton.No, QMessageBox.StandardButton.Yes])
    monkeypatch.setattr(QMessageBox, "question", lambda *_asked: next(answers))
    press(qtbot, panel.kept.remove_button)
    assert not panel.lacks_checkpoint
    with qtbot.waitSignal(panel.kept.removed) as removed:
        press(qtbot, panel.kept.remove_button)
    assert removed.args == [KEY]
    assert panel.lacks_checkpoint
    assert panel.fetching.isVisible()
    assert not panel.kept.isVisible()
    panel.choose_model("lite-medsam")
    assert not panel.kept.isVisible()


def test_the_model_asked_about_is_removed_though_another_is_shown_meanwhile(panel, server, monkeypatch, qtbot):
    panel.choose_model(KEY)
    with qtbot.waitSignal(panel.changed, timeout=PATIENCE_MS):
        press(qtbot, panel.fetching.fetch_button)

    def question(*_asked):
        panel.choose_model("lite-medsam")  # as a session does that has been read by now
        return QMessageBox.StandardButton.Yes

    monkeypatch.setattr(QMessageBox, "question", question)
    press(qtbot, panel.kept.remove_button)
    assert record_of(KEY) is None


def test_what_became_of_a_file_is_told_though_the_dock_was_closed_and_it_goes_to_the_model_asked_about(
    panel, monkeypatch, tmp_path, qtbot
):
    fetch, go_on, taken, told = ModelFetch(), threading.Event(), [], []
    fetch.show_model(KEY, missing=True)

    def take(key, file):
        taken.append(key)
        go_on.wait(60)
        raise fetching.InputError("The file is no checkpoint.", file)

    def tell(sentence):
        told.append((sentence, threading.current_thread() is threading.main_thread()))

    def dialog(*_asked):
        fetch.show_model("sam-vit-b", missing=True)  # as a weights file does that has been read by now
        return str(tmp_path / "own.pt"), ""

    monkeypatch.setattr(fetching, "import_model", take)
    monkeypatch.setattr("napari_pqcomq.setup.model_fetch.show_error", tell)
    monkeypatch.setattr("napari_pqcomq.setup.model_fetch.QFileDialog.getOpenFileName", dialog)
    fetch.import_button.click()
    with qtbot.waitSignal(fetch.destroyed):
        fetch.deleteLater()
    go_on.set()
    qtbot.waitUntil(lambda: told != [])
    ((sentence, in_the_window),) = told
    assert taken == [KEY]
    assert "The file is no checkpoint" in sentence
    assert in_the_window
