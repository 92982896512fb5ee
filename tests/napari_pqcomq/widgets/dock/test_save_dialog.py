"""Where something is to be saved: the ending that is lacking, what is there already, and what refuses."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from napari.utils.notifications import notification_manager
from qtpy.QtWidgets import QMessageBox, QWidget

from napari_pqcomq.widgets.dock import save_dialog
from napari_pqcomq.widgets.dock.save_dialog import ask_and_save, ask_for_file
from pqcomq.csv_table import write_table


@pytest.fixture
def asked(qtbot, monkeypatch):
    """Asks for a file, with the name that the user types and their answer to what is there already."""
    parent, questions = QWidget(), []
    qtbot.addWidget(parent)

    def ask(typed, proposed="gate.csv", *, replaces=True, **more):
        answer = QMessageBox.StandardButton.Yes if replaces else QMessageBox.StandardButton.No
        monkeypatch.setattr(save_dialog.QFileDialog, "getSaveFileName", lambda *_given: (str(typed), ""))
        monkeypatch.setattr(QMessageBox, "question", lambda *given: questions.append(given[2]) or answer)
        return ask_for_file(parent, "Save", proposed, "Table", **more)

    return SimpleNamespace(parent=parent, questions=questions, ask=ask)


@pytest.mark.parametrize(
    ("typed", "proposed", "written"),
    [
        ("gate", "gate.csv", "gate.csv"),
        ("gate.csv", "gate.csv", "gate.csv"),
        ("GATE.CSV", "gate.csv", "GATE.csv"),
        ("gate of 3.10", "gate.csv", "gate of 3.10.csv"),
        ("gate.txt", "gate.csv", "gate.txt.csv"),
        ("lite", "weights.safetensors", "lite.safetensors"),
        ("mask", "mask.rtstruct.dcm", "mask.rtstruct.dcm"),
        ("mask.dcm", "mask.rtstruct.dcm", "mask.dcm.rtstruct.dcm"),
    ],
)
def test_a_name_gets_the_ending_that_it_lacks(asked, tmp_path, typed, proposed, written):
    assert asked.ask(tmp_path / typed, proposed) == tmp_path / written
    assert asked.questions == []


def test_an_ending_of_another_kind_that_can_be_written_is_taken(asked, tmp_path):
    others = [".nii", ".nrrd"]
    for typed in ("liver.nii", "liver.nrrd", "liver.nii.gz"):
        assert asked.ask(tmp_path / typed, "mask.nii.gz", others=others) == tmp_path / typed
    assert asked.ask(tmp_path / "liver", "mask.nii.gz", others=others) == tmp_path / "liver.nii.gz"


def test_whatever_is_replaced_is_asked_about_by_its_whole_name(asked, tmp_path):
    (tmp_path / "gate.csv").touch()
    (tmp_path / "gate.md").touch()
    assert asked.ask(tmp_path / "gate", replaces=False) is None, "Qt's dialog knows of no gate without an ending"
    assert asked.ask(tmp_path / "gate", beside=lambda file: [file.with_suffix(".md")]) == tmp_path / "gate.csv"
    assert asked.questions == ["gate.csv exists already. Replace?", "gate.csv and gate.md exist already. Replace?"]


def test_a_cancelled_dialog_saves_nothing(asked):
    assert asked.ask("") is None


def test_a_place_that_cannot_be_written_is_told_and_a_table_that_was_saved_too(asked, tmp_path):
    asked.ask(tmp_path / "gone" / "gate")
    ask_and_save(asked.parent, "Save", "gate.csv", lambda path: write_table([{"a": 1}], path, overwrite=True))
    assert "there is no folder" in notification_manager.records[-1].message
    asked.ask(tmp_path / "gate")
    ask_and_save(asked.parent, "Save", "gate.csv", lambda path: write_table([{"a": 1}], path, overwrite=True))
    assert notification_manager.records[-1].message == "Saved gate.csv."
    assert (tmp_path / "gate.csv").read_text().split() == ["a", "1"]
