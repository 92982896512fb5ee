"""The forms of model, method and calibration: what they offer, and what is chosen by them."""

from __future__ import annotations

from pathlib import Path

import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel

from napari_pqcomq.forms.bit_widths_edit import ALL_BITS
from napari_pqcomq.jobs.models.choices import CalibrationChoice, ModelChoice
from napari_pqcomq.setup.calibration_panel import CalibrationPanel
from napari_pqcomq.setup.model_panel import ModelPanel
from pqcomq.backends.runtime import Runtime
from pqcomq.models.catalogue.entries import ENTRIES
from pqcomq.models.catalogue.model_store import Record, keep_record
from pqcomq.quantization.planning.presets import default_config


@pytest.fixture
def panel(qtbot):
    panel = ModelPanel(CalibrationPanel())
    qtbot.addWidget(panel)
    panel.show()
    return panel


def labels_in_sight(panel):
    return {label.text() for label in panel.findChildren(QLabel) if label.isVisible()}


def test_at_first_the_shipped_model_at_four_bits(panel):
    assert panel.choices == (ModelChoice("lite-medsam", None, default_config("lite-medsam", 4)),)
    assert not panel.lacks_checkpoint
    assert labels_in_sight(panel) >= {"Model", "Quantize to", "Runs on"}
    assert "Checkpoint" not in labels_in_sight(panel)


def test_every_bit_width_is_one_choice_of_several_models(panel, qtbot):
    with qtbot.waitSignal(panel.changed):
        panel.choose_bits(*ALL_BITS)
    assert [choice.settings.bits for choice in panel.choices] == [8, 4, 2]
    assert panel.preferences()["bits"] == "8 4 2"
    assert panel.choice == panel.choices[0]


def test_a_model_without_shipped_weights_asks_for_a_file(panel, tmp_path, qtbot):
    with qtbot.waitSignal(panel.changed):
        panel.choose_model("medsam")
    assert panel.lacks_checkpoint
    assert "Checkpoint" in labels_in_sight(panel)
    panel.set_checkpoint(tmp_path / "medsam.pth")
    assert panel.checkpoint == panel.choice.checkpoint == tmp_path / "medsam.pth"
    assert panel.form["file"].line_edit.native.text().endswith("medsam.pth")
    panel.choose_model("lite-medsam")
    assert panel.checkpoint is None
    assert "Checkpoint" not in labels_in_sight(panel)


def test_a_checkpoint_stays_with_its_model(panel, tmp_path, monkeypatch, qtbot):
    monkeypatch.setenv("PQCOMQ_MODELS", str(tmp_path))
    panel.choose_model("medsam")
    panel.set_checkpoint(tmp_path / "medsam.pth")
    panel.choose_model("sam-vit-b")
    assert panel.checkpoint is None, "MedSAM's weights fit into SAM, and would have passed for its own"
    assert panel.lacks_checkpoint
    with qtbot.waitSignal(panel.changed):
        panel.choose_model("medsam")
    assert panel.checkpoint == tmp_path / "medsam.pth"


def test_a_remembered_checkpoint_comes_back_for_its_own_model_alone(panel, tmp_path, monkeypatch, qtbot):
    monkeypatch.setenv("PQCOMQ_MODELS", str(tmp_path))
    (tmp_path / "medsam.pth").touch()
    panel.choose_model("medsam")
    panel.set_checkpoint(tmp_path / "medsam.pth")
    before = panel.preferences()
    panel.choose_model("sam-vit-b")
    kept = before | panel.preferences()  # as in the settings file, where nothing is taken away
    other = ModelPanel(CalibrationPanel())
    qtbot.addWidget(other)
    other.restore(kept)
    assert (other.settings.key, other.checkpoint) == ("sam-vit-b", None)
    other.choose_model("medsam")
    assert other.checkpoint == tmp_path / "medsam.pth"


def test_the_catalogue_s_models_are_offered_and_weights_at_hand_need_no_file(panel, tmp_path, monkeypatch):
    monkeypatch.setenv("PQCOMQ_MODELS", str(tmp_path))
    titles = [panel.form["key"].native.itemText(place) for place in range(panel.form["key"].native.count())]
    assert titles == [entry.title for entry in ENTRIES.values()]
    panel.choose_model("mobile-sam")
    assert panel.lacks_checkpoint
    assert "no medical images" in panel.form["key"].native.toolTip()
    (tmp_path / "mobile_sam.pt").write_bytes(b"weights")
    keep_record("mobile-sam", Record("mobile_sam.pt", "ab" * 32, "a file", ""))
    assert not panel.lacks_checkpoint
    assert panel.checkpoint is None, "the engine finds them by the model's name"


def test_integer_products_need_weights_of_their_own(panel):
    panel.choose_bits(8)
    assert panel.runtime is Runtime.auto, "the fastest that this machine has"
    assert panel.choice.settings == default_config("lite-medsam", 8, "pcomq")
    panel.choose_runtime(Runtime.openvino_int8)
    assert panel.choice.settings == default_config("lite-medsam", 8, integers=True)
    assert not panel.form["method"].enabled
    assert "Integer products need COMQ" in panel.form["method"].tooltip
    panel.choose_runtime(Runtime.torch)
    assert panel.form["method"].enabled


def test_what_a_weights_file_holds_is_shown_at_once(panel, qtbot):
    changes = []
    panel.changed.connect(lambda: changes.append(panel.choice))
    panel.show_loaded("lite-medsam", default_config("lite-medsam", 2, "rtn"))
    assert changes == [ModelChoice("lite-medsam", None, default_config("lite-medsam", 2, "rtn"))]


def test_what_is_kept_comes_back_whatever_the_language(panel, qtbot):
    panel.choose_bits(*ALL_BITS)
    panel.choose_runtime(Runtime.openvino_bf16)
    panel.choose_method("rtn")
    kept = panel.preferences()
    assert kept == {"model": "lite-medsam", "bits": "8 4 2", "method": "rtn", "runtime": "openvino-bf16"}
    other = ModelPanel(CalibrationPanel())
    qtbot.addWidget(other)
    for name in ("key", "widths", "method", "runtime"):  # as in another language
        for place in range(other.form[name].native.count()):
            other.form[name].native.setItemText(place, f"Eintrag {place}")
    other.restore(kept)
    assert other.settings == panel.settings


def test_what_0_1_0_kept_by_the_words_in_sight_comes_back(panel, qtbot):
    panel.restore({"model": "LiteMedSAM", "bits": "2 bits", "method": "Round to nearest", "runtime": "Gone"})
    assert panel.choice.settings == default_config("lite-medsam", 2, "rtn")
    assert panel.runtime is Runtime.auto
    other = ModelPanel(CalibrationPanel())
    qtbot.addWidget(other)
    other.restore(panel.preferences())
    assert other.settings == panel.settings


def test_calibration_is_a_number_of_slices_of_some_volumes(qtbot):
    panel = CalibrationPanel()
    qtbot.addWidget(panel)
    assert panel.choice == CalibrationChoice(8)
    assert str(panel.choice) == "8 slices of the open volume"
    with qtbot.waitSignal(panel.changed):
        qtbot.keyClick(panel.form["slices"].native, Qt.Key.Key_Up)
    assert panel.choice.slices == 9
    with qtbot.waitSignal(panel.changed):
        panel.set_files((Path("/data/other.nii.gz"),))
    assert str(panel.choice) == "9 slices of other.nii.gz"
    panel.choose_slices(500)
    assert panel.choice.slices == 64


def test_weights_of_two_widths_are_shown_as_a_choice(panel):
    panel.show_loaded("lite-medsam", default_config("lite-medsam", 8), default_config("lite-medsam", 4))
    assert [choice.settings.bits for choice in panel.choices] == [8, 4]
    assert panel.form["widths"].native.currentText() == "8 and 4 bits"
    assert panel.preferences()["bits"] == "8 4"
    panel.restore({"bits": "8 4"})
