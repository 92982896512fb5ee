"""The export panel and napari's File menu by real clicks; what they write is read back."""

from __future__ import annotations

import json
import threading

import numpy as np
import pydicom
import pytest
from napari.layers import Labels, Layer
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFileDialog, QMessageBox

from napari_pqcomq.io.writer import write_labels
from napari_pqcomq.jobs.models.triton_guard import keep_triton_out
from napari_pqcomq.layers.comparison_tag import mark_as_comparison
from napari_pqcomq.layers.mask_layers import NAMES_KEY, label_names, layer_masks, mask_metadata
from napari_pqcomq.layers.volume_layers import image_tuple, labels_tuple
from napari_pqcomq.results.held.result_store import ResultStore
from napari_pqcomq.results.masks.export_panel import ExportPanel
from napari_pqcomq.results.masks.result_export_panel import ResultExportPanel
from pqcomq.comparison.compare import PromptedObject, compare_objects
from pqcomq.comparison.compared_model import ComparedModel
from pqcomq.errors import InputError
from pqcomq.masks.file_formats import MaskKind
from pqcomq.masks.named_mask import NamedMask
from pqcomq.masks.read_masks import read_masks
from pqcomq.masks.write_masks import export_masks
from pqcomq.segmentation.box import Box3D
from pqcomq.volumes.volume_reader import read_volume

from ....pqcomq.dicom_masks.conftest import SECRETS, make_series

__all__ = ["make_series"]


@pytest.fixture
def scan(make_series):
    return read_volume(make_series("coronal"))


def labels_layer(volume, names=None, name="organs"):
    data = np.zeros(volume.grid.shape_zyx, np.uint8)
    data[1:3, 1:4, 2:5], data[3:, 4:, :2] = 2, 5
    layer = Layer.create(*labels_tuple(volume, data, name))
    layer.metadata = mask_metadata(volume, names)
    return layer


@pytest.fixture
def panel(viewer, scan, qtbot):
    viewer.add_layer(Layer.create(*image_tuple(scan)))
    viewer.add_layer(labels_layer(scan, {2: "liver"}))
    panel = ExportPanel(viewer)
    qtbot.addWidget(panel)
    yield panel
    panel.layers.release()


@pytest.fixture
def pressed(panel, qtbot, monkeypatch):
    """Presses Export, names the file in the dialog, and waits for the end."""

    def press(path, answer=QMessageBox.StandardButton.Yes):
        asked = []
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_a, **_k: (str(path), ""))
        monkeypatch.setattr(QMessageBox, "question", lambda *arguments, **_k: asked.append(arguments[2]) or answer)
        qtbot.mouseClick(panel.form.button, Qt.MouseButton.LeftButton)
        qtbot.waitUntil(panel.form.button.isEnabled, timeout=20000)
        return asked

    return press


@pytest.mark.parametrize("kind", [kind for kind in MaskKind if kind is not MaskKind.plain_nifti])
def test_every_kind_is_written_under_the_names_in_the_table(panel, pressed, scan, tmp_path, kind):
    panel.form.choose_kind(kind)
    assert panel.form.names.by_label() == {2: "liver", 5: "label 5"}
    panel.form.names.item(1, 1).setText("Right kidney")
    assert pressed(tmp_path / "mask") == []  # the ending is added
    described = json.loads((tmp_path / "mask.json").read_text())["objects"]
    assert [each["name"] for each in described] == ["liver", "Right kidney"]
    if kind.is_dicom:
        read = read_masks(tmp_path / f"mask{kind.value}", scan)
        assert list(read.names.values()) == ["liver", "Right kidney"]
        np.testing.assert_array_equal(read.mask(2), panel.layers.layer.data == 5)


def test_the_patient_is_left_out_unless_ticked(panel, pressed, tmp_path):
    panel.form.choose_kind(MaskKind.segmentation)
    pressed(tmp_path / "without.dcm")
    panel.form.choice["with_patient"].native.click()
    pressed(tmp_path / "with.dcm")
    assert pydicom.dcmread(tmp_path / "without.dcm").PatientName == ""
    assert str(pydicom.dcmread(tmp_path / "with.dcm").PatientName) == SECRETS["PatientName"]


def test_files_that_exist_are_asked_about_both_of_them(panel, pressed, tmp_path):
    mask, record = tmp_path / "mask.nii.gz", tmp_path / "mask.json"
    record.write_text("precious")
    assert pressed(mask, QMessageBox.StandardButton.No) == ["mask.json exists already. Replace?"]
    assert record.read_text() == "precious"
    assert not mask.exists()
    pressed(mask)
    assert mask.exists()
    assert pressed(mask) == ["mask.nii.gz and mask.json exist already. Replace?"]


def test_layers_of_a_comparison_are_left_to_its_own_tab(viewer, scan, qtbot):
    viewer.add_layer(mark_as_comparison(labels_layer(scan, name="1: masks")))
    viewer.add_layer(labels_layer(scan, name="mine"))
    panel = ExportPanel(viewer)
    qtbot.addWidget(panel)
    assert [panel.layers.itemText(i) for i in range(panel.layers.count())] == ["mine"]
    panel.layers.release()


def test_dicom_is_offered_for_dicom_alone(viewer, volume, qtbot):
    layer = labels_layer(volume)
    viewer.add_layer(layer)
    panel = ExportPanel(viewer)
    qtbot.addWidget(panel)
    enabled = {kind: panel.form.choice["kind"].is_offered(kind) for kind in panel.form.choice["kind"].choices}
    assert not enabled[MaskKind.segmentation]
    assert not enabled[MaskKind.structure_set]
    assert enabled[MaskKind.nrrd]
    assert "not made of DICOM images" in panel.form.choice["kind"].reason(MaskKind.segmentation)
    assert not panel.form.reason.isHidden(), "the keyboard reaches no greyed choice, so the reason stands below them"
    assert "not made of DICOM images" in panel.form.reason.text()
    panel.layers.release()


def test_where_dicom_can_be_written_no_reason_stands_in_the_way(panel):
    assert panel.form.reason.isHidden()


def test_it_is_a_dock_widget_of_its_own_and_lets_go_of_the_viewer_when_closed(plugin, viewer, scan):
    viewer.add_layer(labels_layer(scan, {2: "liver"}))
    dock, panel = viewer.window.add_plugin_dock_widget("napari-pqcomq", "Export masks")
    assert panel.form.names.by_label() == {2: "liver", 5: "label 5"}
    viewer.window.remove_dock_widget(dock)
    viewer.layers.clear()
    assert panel.layers.count() == 1  # no longer kept up to date


@pytest.fixture(scope="session")
def no_triton():
    """Loading a model after a window was opened crashes otherwise (napari_pqcomq.jobs.models.triton_guard)."""
    keep_triton_out()


def test_a_comparison_is_exported_model_by_model_with_its_origin(
    no_triton, phantom, lite_medsam, eight_bits, finish, qtbot, tmp_path
):
    box = Box3D(45, 25, 1, 76, 56, 2)
    full, candidate = ComparedModel.full(lite_medsam), ComparedModel.quantized(eight_bits)
    asked = [PromptedObject("left kidney", box, number=2)]
    result = finish(compare_objects(phantom, asked, full, [candidate]))
    store = ResultStore()
    panel = ResultExportPanel(store)
    qtbot.addWidget(panel)
    assert not panel.form.button.isEnabled()
    store.set_result(result)
    for index, drawn in enumerate(result.objects[0].results):
        panel.models.setCurrentIndex(index)
        path = tmp_path / f"{index}.nii.gz"
        panel.form.export(path)
        qtbot.waitUntil(panel.form.button.isEnabled, timeout=20000)
        np.testing.assert_array_equal(read_masks(path, phantom).mask(2), drawn.mask_in(phantom.grid.shape_zyx))
        (described,) = json.loads((tmp_path / f"{index}.json").read_text())["objects"]
        assert (described["name"], described["edited_since"]) == ("left kidney", False)
        assert (described["origin"]["quantization"] is None) == (index == 0)
        assert described["origin"]["prompt"]["box_voxels_x0y0z0x1y1z1"] == [45, 25, 1, 76, 56, 2]


def test_without_a_layer_there_is_nothing_to_press(viewer, qtbot):
    panel = ExportPanel(viewer)
    qtbot.addWidget(panel)
    assert not panel.form.button.isEnabled()
    panel.layers.release()


def test_a_folder_that_is_gone_is_told(panel, qtbot, tmp_path, monkeypatch):
    told = []
    monkeypatch.setattr("napari_pqcomq.results.masks.export_form.show_error", told.append)
    panel.form.export(tmp_path / "gone" / "mask.nii.gz")
    qtbot.waitUntil(panel.form.button.isEnabled, timeout=20000)
    assert "there is no folder" in told[0]


def test_what_became_of_an_export_is_told_though_the_dock_was_closed(panel, qtbot, tmp_path, monkeypatch):
    go_on, told = threading.Event(), []

    def slow(*given, **options):
        go_on.wait(60)
        return export_masks(*given, **options)

    def tell(sentence):
        told.append((sentence, threading.current_thread() is threading.main_thread()))

    monkeypatch.setattr("napari_pqcomq.results.masks.export_form.export_masks", slow)
    monkeypatch.setattr("napari_pqcomq.results.masks.export_form.show_error", tell)
    panel.form.export(tmp_path / "gone" / "mask.nii.gz")
    with qtbot.waitSignal(panel.form.destroyed):
        panel.form.deleteLater()
    go_on.set()
    qtbot.waitUntil(lambda: told != [])
    ((sentence, in_the_window),) = told
    assert "there is no folder" in sentence
    assert in_the_window


def test_masks_are_made_beside_the_window_of_the_labels_as_they_were_when_it_was_pressed(
    panel, qtbot, scan, tmp_path, monkeypatch
):
    threads, may_begin = [], threading.Event()

    def late(*arguments):
        threads.append(threading.current_thread())
        may_begin.wait(20)
        return layer_masks(*arguments)

    monkeypatch.setattr("napari_pqcomq.results.masks.export_panel.layer_masks", late)
    layer = panel.layers.layer
    before = layer.data.copy()
    panel.form.export(tmp_path / "m.nii.gz")
    layer.data[0] = 7
    may_begin.set()
    qtbot.waitUntil(panel.form.button.isEnabled, timeout=20000)
    assert threading.main_thread() not in threads
    read = read_masks(tmp_path / "m.nii.gz", scan)
    assert sorted(read.names) == [2, 5]
    np.testing.assert_array_equal(read.mask(2), before == 2)


def test_names_come_from_the_layer_where_labels_have_none(volume):
    data = np.array([[[0, 3]]])
    assert label_names(data, {}, "spleen") == {3: "spleen"}
    assert label_names(data, {NAMES_KEY: {3: "liver"}}, "spleen") == {3: "liver"}
    assert label_names(np.array([[[1, 3]]]), {NAMES_KEY: {3: "liver"}}, "x") == {1: "label 1", 3: "liver"}


@pytest.mark.parametrize("ending", [".nrrd", ".dcm", ".rtstruct.dcm"])
def test_napari_s_own_menu_saves_and_opens_the_same_kinds(plugin, viewer, scan, tmp_path, ending):
    viewer.add_layer(Layer.create(*image_tuple(scan)))
    layer = labels_layer(scan, {2: "liver", 5: "spleen"})
    path = tmp_path / f"mask{ending}"
    assert layer.save(str(path), plugin="napari-pqcomq") == [str(path), str(tmp_path / "mask.json")]
    if path.suffix == ".dcm":
        (opened,) = viewer.open(str(path), plugin="napari-pqcomq")
        assert isinstance(opened, Labels)
        np.testing.assert_array_equal(opened.data, np.where(layer.data == 5, 2, layer.data > 0))
        np.testing.assert_allclose(opened.scale, scan.grid.spacing_zyx)
        assert opened.metadata[NAMES_KEY] == {1: "liver", 2: "spleen"}
    (tmp_path / "other.json").write_text("precious")
    with pytest.raises(InputError, match=r"exists already.*other\.json"):
        write_labels(str(tmp_path / f"other{ending}"), layer.data, layer.as_layer_data_tuple()[1])


def test_a_dicom_object_needs_its_volume_open(plugin, viewer, scan, volume, tmp_path):
    layer = labels_layer(scan)
    layer.save(str(tmp_path / "mask.dcm"), plugin="napari-pqcomq")
    with pytest.raises(InputError, match=r"labels a volume; open that volume first.*mask\.dcm"):
        viewer.open(str(tmp_path / "mask.dcm"), plugin="napari-pqcomq")
    viewer.add_layer(Layer.create(*image_tuple(volume)))
    with pytest.raises(InputError, match=r"does not lie on the voxels of block.*mask\.dcm"):
        viewer.open(str(tmp_path / "mask.dcm"), plugin="napari-pqcomq")


def test_overlapping_objects_open_as_layers_of_their_own(plugin, viewer, scan, tmp_path):
    viewer.add_layer(Layer.create(*image_tuple(scan)))
    whole = np.ones(scan.grid.shape_zyx, bool)
    export_masks(
        tmp_path / "m.dcm", {1: NamedMask("body", whole), 2: NamedMask("liver", labels_layer(scan).data > 0)}, scan
    )
    first, second = viewer.open(str(tmp_path / "m.dcm"), plugin="napari-pqcomq")
    assert (first.metadata[NAMES_KEY], second.metadata[NAMES_KEY]) == ({1: "body"}, {2: "liver"})
