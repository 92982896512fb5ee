"""Opening ground truth: what the user is asked, and what becomes of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from napari.components import ViewerModel
from napari.layers import Layer
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication, QMessageBox

from napari_pqcomq.io.sample_data import synthetic_ct_sample
from napari_pqcomq.layers.volume_layers import labels_tuple, volume_of
from napari_pqcomq.prompts.objects.drawn_object import DrawnObject
from napari_pqcomq.setup.ground_truth_panel import GroundTruthPanel
from napari_pqcomq.widgets.dock.import_questions import PartsDialog
from pqcomq.errors import InputError
from pqcomq.segmentation.box import Box3D


@pytest.fixture
def panel(volume, qtbot):
    panel = GroundTruthPanel(ViewerModel())
    panel.set_volume(volume)
    qtbot.addWidget(panel)
    return panel


@pytest.fixture
def two_volumes(block, tmp_path):
    """Writes a file of two label maps, the second with twice the labels, at an origin."""

    def write(origin):
        image = block()
        image.SetOrigin(origin)
        labels = sitk.Cast(image > 100, sitk.sitkUInt8)
        sitk.WriteImage(sitk.JoinSeries([labels, labels * 2]), str(tmp_path / "two.nii.gz"))
        return tmp_path / "two.nii.gz"

    return write


def answer(*answers):
    """Answer dialogs as they come: each a kind of dialog, and what to do to it."""
    (kind, act), *others = answers

    def look():
        dialog = QApplication.activeModalWidget()
        if not isinstance(dialog, kind):
            QTimer.singleShot(50, look)
            return
        if others:
            answer(*others)
        act(dialog)

    QTimer.singleShot(50, look)


def test_labels_a_little_beside_the_volume_are_moved_onto_it_when_told(panel, volume, two_volumes):
    asked = []

    def second(dialog):
        dialog.list.item(1).setSelected(True)
        assert dialog.chosen == [2]
        dialog.accept()

    def resample(box):
        asked.append(box.text())
        next(button for button in box.buttons() if "esample" in button.text()).click()

    answer((PartsDialog, second), (QMessageBox, resample))
    panel.open_labels(two_volumes((-19.5, 10.0, 300.0)))  # a third of a voxel
    assert "do not lie on the voxels" in asked[0]
    layer = panel.layers.layer
    assert set(np.unique(layer.data)) == {0, 2}
    assert layer.data.shape == volume.grid.shape_zyx


@pytest.mark.parametrize("kind", [PartsDialog, QMessageBox])
def test_cancelling_a_question_opens_none(panel, two_volumes, kind):
    def second(dialog):
        dialog.list.item(1).setSelected(True)
        dialog.accept()

    answers = [(PartsDialog, second)] if kind is QMessageBox else []
    answer(*answers, (kind, lambda dialog: dialog.reject()))
    panel.open_labels(two_volumes((-19.5, 10.0, 300.0)))
    assert panel.layers.layer is None


def test_labels_of_another_place_are_refused_without_a_question(panel, block, tmp_path):
    elsewhere = block()
    elsewhere.SetOrigin((500.0, 0.0, 0.0))
    sitk.WriteImage(sitk.Cast(elsewhere > 100, sitk.sitkUInt8), str(tmp_path / "e.nii.gz"))
    with pytest.raises(InputError, match=r"^The labels lie wholly outside of the volume \("):
        panel.open_labels(tmp_path / "e.nii.gz")


def test_a_slicer_segmentation_keeps_its_names_and_colours(panel, block, tmp_path):
    image = sitk.Cast(block() > 100, sitk.sitkUInt8)
    fields = {"Segment0_LabelValue": "1", "Segment0_Name": "cube", "Segment0_Color": "0.5 0.25 1"}
    for key, value in fields.items():
        image.SetMetaData(key, value)
    sitk.WriteImage(image, str(tmp_path / "s.seg.nrrd"))
    panel.open_labels(tmp_path / "s.seg.nrrd")
    layer = panel.layers.layer
    assert layer.metadata["pqcomq_names"] == {1: "cube"}
    np.testing.assert_allclose(layer.get_color(1), [0.5, 0.25, 1, 1])


def test_labels_of_a_volume_made_by_code_are_its_truth_at_once(qtbot):
    image, labels, _boxes = synthetic_ct_sample()
    viewer = ViewerModel()
    panel = GroundTruthPanel(viewer)
    qtbot.addWidget(panel)
    panel.set_volume(volume_of(Layer.create(*image)))
    viewer.add_layer(Layer.create(labels[0].copy(), {**labels[1], "metadata": {}}, "labels"))
    assert panel.layers.layer is None, "labels that nobody vouches for are not chosen"
    viewer.add_layer(Layer.create(*labels))
    assert panel.layers.layer is viewer.layers[-1]
    panel.layers.setCurrentIndex(0)
    viewer.add_layer(Layer.create(*image))
    assert panel.layers.layer is None, "the user has chosen none"
    panel.set_volume(panel.volume.with_modality("MR"))
    assert panel.layers.layer is None
    panel.release()


def test_each_object_has_a_label_of_its_own(panel, volume):
    labels = np.zeros(volume.grid.shape_zyx, np.uint8)
    labels[2:4, 5:10, 5:10], labels[2:4, 15:20, 20:30] = 3, 7
    first, second, bare = Box3D(5, 5, 2, 10, 10, 3), Box3D(20, 15, 2, 30, 20, 3), Box3D(0, 0, 8, 4, 4, 9)
    layer = panel._viewer.add_layer(Layer.create(*labels_tuple(volume, labels, "truth")))
    panel.choose_layer(layer)
    panel.suggest(first, 1)
    assert panel.label.value() == 3
    panel.suggest(second, 2)
    assert panel.label.value() == 7
    panel.label.setValue(3)  # by the user
    panel.suggest(Box3D(21, 15, 2, 30, 20, 3), 2)
    assert panel.label.value() == 3, "the box was moved, and the user had set another"
    assert np.array_equal(panel.truth_in(second, 2), labels == 3)
    assert np.array_equal(panel.truth_in(first, 1), labels == 3)
    panel.suggest(bare, 3)
    assert panel.label.text() == "none"
    assert panel.truth() is None and panel.truth_in(bare, 3) is None, "not that of the object before"
    panel.label.setValue(9)
    with pytest.raises(InputError, match="no voxel of label 9"):
        panel.truth_in(bare, 3)
    assert panel.labels_set == {2: 3, 3: 9}
    one, two, three = (DrawnObject(number, "object", box) for number, box in ((1, first), (2, second), (3, bare)))
    panel.keep_to((one, two, three))
    panel.keep_to((one, three))
    assert panel.labels_set == {3: 9}, "number 2 may be another object by now"
    panel.keep_to((one, replace(two), three))
    assert panel.labels_set == {3: 9}, "as here"
    panel.keep_to((one, two, three))
    assert panel.labels_set == {2: 3, 3: 9}, "this is the one that was removed"
    panel.keep_to((one, three))
    panel.layers.setCurrentIndex(0)
    panel.choose_layer(layer)
    panel.suggest(second, 2)
    assert panel.label.value() == 7
    panel.set_labels({1: 7, 2: 3})
    assert panel.label.value() == 3
    assert np.array_equal(panel.truth_in(first, 1), labels == 7)


def test_labels_of_one_patient_are_not_held_against_another_s_of_the_same_shape(panel, volume):
    labels = np.ones(volume.grid.shape_zyx, np.uint8)
    layer = panel._viewer.add_layer(Layer.create(*labels_tuple(volume, labels, "truth")))
    panel.choose_layer(layer)
    panel.label.setValue(1)
    panel.set_volume(volume.with_modality("MR"))
    assert panel.layers.layer is layer, "the same voxels"
    other = replace(volume, voxels=volume.voxels + 1)
    panel.set_volume(other)
    assert panel.layers.layer is None
    assert panel.truth() is None
    panel.choose_layer(layer)  # on the same grid the user may choose them
    panel.label.setValue(1)
    assert panel.truth().all()
    panel.set_volume(volume)
    assert panel.layers.layer is layer, "they are this one's own"
    panel.set_volume(replace(other, grid=replace(other.grid, origin=(0.0, 0.0, 0.0))))
    panel.choose_layer(layer)
    panel.label.setValue(1)
    with pytest.raises(InputError, match="another volume's grid"):
        panel.truth()


def test_labels_that_come_when_another_volume_is_chosen_are_no_truth_about_it(panel, volume, monkeypatch):
    def reading(_path, read_on):
        panel.set_volume(replace(volume, voxels=volume.voxels + 1))  # of the same grid, by a job that has ended
        return [labels_tuple(read_on, np.ones(volume.grid.shape_zyx, np.uint8), "labels")]

    monkeypatch.setattr("napari_pqcomq.setup.ground_truth_panel.labels_as_chosen", reading)
    panel.open_labels(Path("labels.nii.gz"))
    assert panel.layers.count() == 2
    assert panel.layers.layer is None
    assert not panel.layers.itemData(1).visible


def test_what_is_odd_about_a_file_of_labels_is_told(panel, block, tmp_path, monkeypatch):
    told = []
    monkeypatch.setattr("napari_pqcomq.layers.mask_layers.show_warning", told.append)
    image = block()
    labels = sitk.Cast(image > 100, sitk.sitkUInt8)
    sitk.WriteImage(labels, str(tmp_path / "there.nii.gz"))
    panel.open_labels(tmp_path / "there.nii.gz")
    assert told == []
    labels.SetOrigin([place + 0.04 * step for place, step in zip(image.GetOrigin(), image.GetSpacing(), strict=True)])
    sitk.WriteImage(labels, str(tmp_path / "beside.nii.gz"))
    panel.open_labels(tmp_path / "beside.nii.gz")
    assert len(told) == 1
    assert told[0].startswith("beside.nii.gz: The labels lie up to ")
