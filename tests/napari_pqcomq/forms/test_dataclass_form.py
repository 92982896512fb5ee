"""Forms from dataclasses: a widget for each field by its type, and the dataclass back from the widgets."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDoubleSpinBox, QFileDialog, QFormLayout, QWidget

from napari_pqcomq.forms.bit_widths_edit import ALL_BITS, BitWidthsEdit
from napari_pqcomq.forms.dataclass_form import DataclassForm, Row
from napari_pqcomq.forms.mask_kind_edit import MaskKindEdit
from napari_pqcomq.forms.runtime_edit import RuntimeEdit
from napari_pqcomq.forms.value_types import BitWidths, VolumeFiles
from napari_pqcomq.forms.volume_files_edit import VolumeFilesEdit
from pqcomq.backends.runtime import Runtime
from pqcomq.masks.file_formats import MaskKind


@dataclass(frozen=True)
class Wishes:
    """One field of every type that the project has a widget for, and plain ones."""

    widths: BitWidths = (4,)
    runtime: Runtime = Runtime.torch
    kind: MaskKind = MaskKind.nifti
    files: VolumeFiles = ()
    limit: float = 0.5
    ticked: bool = False
    hidden: str = "kept"


ROWS = {
    "widths": Row("Quantize to", "How many bits."),
    "runtime": Row("Runs on"),
    "kind": Row("File"),
    "files": Row("Calibrate on"),
    "limit": Row("At least", "A limit.", suffix=" %", decimals=1, options={"min": 0, "max": 1, "step": 0.1}),
    "ticked": Row("Tick me"),
}


@pytest.fixture
def form(qtbot):
    panel = QWidget()
    form = DataclassForm(Wishes(), ROWS, panel)
    form.add_rows(QFormLayout(panel))
    qtbot.addWidget(panel)
    panel.show()
    form.panel = panel
    return form


def test_each_type_gets_its_own_widget(form):
    made = {name: type(form[name]) for name in ("widths", "runtime", "kind", "files")}
    assert made == {"widths": BitWidthsEdit, "runtime": RuntimeEdit, "kind": MaskKindEdit, "files": VolumeFilesEdit}
    assert isinstance(form["limit"].native, QDoubleSpinBox)
    assert form["limit"].native.text() == "0.5 %"
    assert form["widths"].tooltip == "How many bits."
    assert form["ticked"].native.text() == "Tick me"


def test_the_dataclass_comes_back_as_it_was_given(form):
    wishes = Wishes(ALL_BITS, Runtime.openvino_int8, MaskKind.structure_set, VolumeFiles(()), 0.7, True, "this too")
    changes = []
    form.changed.connect(lambda: changes.append(form.value))
    form.set_value(wishes)
    assert form.value == wishes
    assert type(form.value.runtime) is Runtime
    assert type(form.value.kind) is MaskKind
    assert type(form.value.widths) is tuple
    assert changes == [wishes], "told once, with all of it"
    form.set_value(wishes)
    assert len(changes) == 1


def test_the_keyboard_and_the_mouse_change_the_dataclass(form, qtbot):
    with qtbot.waitSignal(form.changed):
        qtbot.keyClick(form["widths"].native, Qt.Key.Key_Down)
    assert form.value.widths == (8,)
    with qtbot.waitSignal(form.changed):
        form["ticked"].native.click()
    assert form.value.ticked
    with qtbot.waitSignal(form.changed):
        qtbot.keyClick(form["limit"].native, Qt.Key.Key_Up)
    assert form.value.limit == 0.6


def test_a_field_is_hidden_with_its_label(form):
    labels = form.panel.layout()
    label = labels.labelForField(form["kind"].native)
    form.set_visible("kind", False)
    assert not form["kind"].native.isVisible()
    assert not label.isVisible()
    form.set_visible("kind", True)
    assert label.isVisible()
    assert label.buddy() is form["kind"].native


def test_numbers_beyond_the_limits_become_the_limits(form):
    form.set_value(Wishes(limit=7.0))
    assert form.value.limit == 1


def test_a_row_for_no_field_is_refused():
    with pytest.raises(ValueError, match="Wishes has no field colour"):
        DataclassForm(Wishes(), {"colour": Row("Colour")})


def test_dicom_is_offered_only_for_dicom_images(form):
    kinds = form["kind"]
    kinds.offer_dicom("")
    kinds.value = MaskKind.segmentation
    kinds.offer_dicom("The volume is not made of DICOM images.")
    assert kinds.value is MaskKind.nifti
    assert not kinds.is_offered(MaskKind.structure_set)
    assert kinds.is_offered(MaskKind.metaimage)
    assert "not made of DICOM images" in kinds.reason(MaskKind.segmentation)
    kinds.offer_dicom("")
    assert kinds.is_offered(MaskKind.structure_set)
    assert kinds.reason(MaskKind.segmentation) == ""


def chosen_by_dialog(form, monkeypatch, names):
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *_a, **_k: (names, ""))
    box = form["files"].native
    box.setCurrentIndex(box.count() - 1)
    box.activated.emit(box.count() - 1)


def test_the_dialog_shows_every_kind_of_volume_that_can_be_read(form, monkeypatch):
    shown = []
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *args, **_k: shown.append(args[-1]) or ([], ""))
    box = form["files"].native
    box.setCurrentIndex(box.count() - 1)
    box.activated.emit(box.count() - 1)
    assert all(f"*{suffix}" in shown[0] for suffix in (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd", ".dcm"))
    assert "(*)" in shown[0], "DICOM files may have no ending"


def test_other_volumes_come_from_a_dialog_and_stay_in_the_list(form, monkeypatch):
    changes = []
    form.changed.connect(lambda: changes.append(form.value.files))
    chosen_by_dialog(form, monkeypatch, ["/data/a.nii.gz", "/data/b.nii"])
    files = (Path("/data/a.nii.gz"), Path("/data/b.nii"))
    assert form.value.files == files
    assert form["files"].native.currentText() == "a.nii.gz, b.nii"
    form["files"].value = ()
    assert form.value.files == ()
    form["files"].value = files
    assert changes == [files, (), files]


def test_a_cancelled_dialog_leaves_what_was_chosen(form, monkeypatch):
    chosen_by_dialog(form, monkeypatch, ["/data/a.nii.gz"])
    chosen_by_dialog(form, monkeypatch, [])
    assert form.value.files == (Path("/data/a.nii.gz"),)


def test_a_number_with_more_places_than_a_row_shows_is_not_rounded(form):
    told = []
    form.changed.connect(lambda: told.append(form.value.limit))
    form.update(limit=0.98765)
    assert form.value.limit == 0.98765
    assert form["limit"].native.text() == "0.98765 %"
    form.update(limit=0.5)
    assert form["limit"].native.text() == "0.5 %"
    assert told == [0.98765, 0.5]


def test_widths_that_are_no_choice_of_their_own_can_be_held(form):
    with pytest.raises(ValueError, match="8, 4"):
        form.update(widths=BitWidths((8, 4)))
    form["widths"].hold(BitWidths((8, 4)))
    form["widths"].hold(BitWidths((8, 4)))
    form.update(widths=BitWidths((8, 4)))
    assert form.value.widths == (8, 4)
    shown = [form["widths"].native.itemText(place) for place in range(form["widths"].native.count())]
    assert shown == ["2 bits", "4 bits", "8 bits", "8, 4 and 2 bits", "8 and 4 bits"]
