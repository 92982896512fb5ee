from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from napari.layers import Layer
from napari_pqcomq.series_dialog import SeriesDialog
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication, QDialogButtonBox, QListWidget

from napari_pqcomq.layers import labels_tuple, volume_of
from napari_pqcomq.readers import get_reader, read_layers
from napari_pqcomq.writers import write_labels
from pqcomq.errors import InputError
from pqcomq.volumes.dicom.series import SeriesChoiceNeeded, list_series


def write_series(folder, series: int, slices: int = 4, patient: str = "1.2.826.0.1.3680043.2.1125.1"):
    """A small DICOM CT series, written slice by slice."""
    voxels = np.full((slices, 16, 20), 40 + series, np.int16)
    for z, plane in enumerate(voxels):
        flat = sitk.GetImageFromArray(plane)
        flat = sitk.JoinSeries(flat)
        flat.SetSpacing((2.0, 2.0, 3.0))
        tags = {
            "0008|0060": "CT",
            "0008|0016": "1.2.840.10008.5.1.4.1.1.2",
            "0008|103e": f"Series {series}",
            "0020|000d": patient,
            "0020|000e": f"{patient}.{series}",
            "0020|0011": str(series),
            "0020|0013": str(z + 1),
            "0020|0032": f"0\\0\\{3.0 * z}",
            "0020|0037": "1\\0\\0\\0\\1\\0",
            "0008|0018": f"{patient}.{series}.{z + 1}",
        }
        for tag, value in tags.items():
            flat.SetMetaData(tag, value)
        writer = sitk.ImageFileWriter()
        writer.KeepOriginalImageUIDOn()
        writer.SetFileName(str(folder / f"s{series}_{z}.dcm"))
        writer.Execute(flat)


def press_in_dialog(row: int | None, button: QDialogButtonBox.StandardButton):
    """Choose a row and press a button in the series dialog as soon as it is there."""

    def press():
        dialog = QApplication.activeModalWidget()
        try:
            assert isinstance(dialog, SeriesDialog)
            opener = dialog.findChild(QDialogButtonBox).button(QDialogButtonBox.StandardButton.Open)
            assert not opener.isEnabled(), "a series is chosen before the user chose"
            if row is not None:
                dialog.findChild(QListWidget).setCurrentRow(row)
            dialog.findChild(QDialogButtonBox).button(button).click()
        finally:
            if dialog.isVisible():  # a dialog that stays open would hold up the tests for ever
                dialog.reject()

    QTimer.singleShot(200, press)


@pytest.mark.parametrize("direction", ["LPS", "RAS", "LAI"])
def test_a_nifti_file_opens_upright_whatever_its_axes(plugin, viewer, block, tmp_path, direction):
    path = tmp_path / "scan.nii.gz"
    sitk.WriteImage(block(direction=direction), str(path))
    (layer,) = viewer.open(str(path), plugin="napari-pqcomq")
    rows, columns = np.nonzero(layer.data[5] == 200)
    assert rows.max() < layer.data.shape[1] / 2, "the front of the patient is not at the top"
    assert columns.max() < layer.data.shape[2] / 2, "the patient's right is not on the left"
    assert layer.name == "scan"
    np.testing.assert_allclose(layer.scale, (4.0, 2.0, 1.5))
    np.testing.assert_allclose(layer.translate, (300.0, 10.0, -20.0), atol=1e-4)


def test_a_dicom_folder_with_one_series_opens_without_a_question(plugin, viewer, tmp_path):
    write_series(tmp_path, 1)
    (layer,) = viewer.open(str(tmp_path), plugin="napari-pqcomq")
    assert layer.data.shape == (4, 16, 20)
    assert volume_of(layer).modality == "CT"


def test_the_user_chooses_among_series(plugin, viewer, tmp_path):
    write_series(tmp_path, 1)
    write_series(tmp_path, 2)
    press_in_dialog(1, QDialogButtonBox.StandardButton.Open)
    (layer,) = viewer.open(str(tmp_path), plugin="napari-pqcomq")
    assert layer.data.flat[0] == 42


def test_cancelling_the_choice_opens_nothing(plugin, viewer, tmp_path):
    write_series(tmp_path, 1)
    write_series(tmp_path, 2)
    press_in_dialog(None, QDialogButtonBox.StandardButton.Cancel)
    assert viewer.open(str(tmp_path), plugin="napari-pqcomq") == []
    assert len(viewer.layers) == 0


def test_without_a_screen_the_question_is_raised(monkeypatch, tmp_path):
    write_series(tmp_path, 1)
    write_series(tmp_path, 2)
    monkeypatch.setattr("napari_pqcomq.readers._has_screen", lambda: False)
    with pytest.raises(SeriesChoiceNeeded) as question:
        read_layers(str(tmp_path))
    assert [one.number for one in question.value.series] == [1, 2]
    assert len(list_series(tmp_path)) == 2


def test_files_of_other_kinds_and_stacks_are_left_to_other_readers(tmp_path):
    assert get_reader("picture.tif") is None
    assert get_reader(["a.nii", "b.nii"]) is None
    assert get_reader("SCAN.NII.GZ") is not None
    assert get_reader(str(tmp_path)) is not None


def test_a_file_that_is_no_volume_is_refused_in_one_sentence(tmp_path):
    path = tmp_path / "broken.nii.gz"
    path.write_bytes(b"not a volume")
    with pytest.raises(InputError, match=r"broken\.nii\.gz"):
        read_layers(str(path))


@pytest.mark.parametrize("direction", ["LPS", "RAS", "PIR"])
def test_a_mask_is_saved_on_the_grid_of_the_file_it_belongs_to(plugin, viewer, block, tmp_path, direction):
    source, target = tmp_path / "scan.nii.gz", tmp_path / "mask.nii.gz"
    sitk.WriteImage(block(direction=direction), str(source))
    (layer,) = viewer.open(str(source), plugin="napari-pqcomq")
    volume = volume_of(layer)
    mask = Layer.create(*labels_tuple(volume, (volume.voxels == 200).astype(np.uint8) * 7, "mask"))
    assert mask.save(str(target), plugin="napari-pqcomq") == [str(target), str(tmp_path / "mask.json")]
    saved, original = sitk.ReadImage(str(target)), sitk.ReadImage(str(source))
    assert saved.GetSize() == original.GetSize()
    np.testing.assert_allclose(saved.GetOrigin(), original.GetOrigin())
    np.testing.assert_allclose(saved.GetDirection(), original.GetDirection())
    np.testing.assert_array_equal(sitk.GetArrayFromImage(saved) == 7, sitk.GetArrayFromImage(original) == 200)


def test_a_mask_of_no_known_volume_is_not_saved(tmp_path):
    path = tmp_path / "mask.nii.gz"
    with pytest.raises(InputError, match="'Labels' belongs to no volume"):
        write_labels(str(path), np.zeros((2, 3, 4), np.uint8), {"name": "Labels", "metadata": {}})
    assert not path.exists()


def test_a_real_ct_opens_in_the_abdomen_window(plugin, viewer, real_data):
    (layer,) = viewer.open(str(real_data / "abdomen_ct.nii.gz"), plugin="napari-pqcomq")
    assert layer.data.shape == (112, 101, 122)
    assert layer.contrast_limits == [-160, 240]
    assert volume_of(layer).modality == "CT"
