from __future__ import annotations

import shutil
import threading

import numpy as np
import pytest
import SimpleITK as sitk
from napari.layers import Layer
from qtpy.QtCore import QEventLoop, Qt, QTimer
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QDialogButtonBox, QMessageBox

from napari_pqcomq.io.import_dialog import ImportDialog
from napari_pqcomq.io.reader import get_reader, read_layers
from napari_pqcomq.io.writer import write_labels
from napari_pqcomq.layers.volume_layers import labels_tuple, volume_of
from napari_pqcomq.setup.volume_panel import VolumePanel
from napari_pqcomq.widgets.dock.import_questions import PartsDialog
from pqcomq.errors import InputError
from pqcomq.volumes.dicom.series import SeriesChoiceNeeded, list_series
from pqcomq.volumes.volume_reader import reading_volume


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


_looking: list[QTimer] = []
"""What waits for a dialog; a test whose dialog never comes must not act on the next one's."""


@pytest.fixture(autouse=True)
def _nobody_looks_any_more():
    yield
    while _looking:
        _looking.pop().stop()


def when_asked(kind, act):
    """Act on a dialog of a kind as soon as it waits for the user; a dialog that stays open is closed after that."""
    timer = QTimer()
    timer.setInterval(50)

    def look():
        dialog = QApplication.activeModalWidget()
        if not isinstance(dialog, kind) or (isinstance(dialog, ImportDialog) and not dialog.tree.topLevelItemCount()):
            return
        timer.stop()
        timer.timeout.disconnect(look)  # or what was looked at would be held, and with it the window
        _looking.remove(timer)
        try:
            act(dialog)
        except BaseException:
            dialog.reject()  # it would hold up the tests for ever
            raise

    timer.timeout.connect(look)
    timer.start()
    _looking.append(timer)


def rows(tree, *titles):
    """Rows of the series list by the beginning of their text."""
    found = [tree.findItems(title, Qt.MatchFlag.MatchStartsWith | Qt.MatchFlag.MatchRecursive) for title in titles]
    assert all(len(items) == 1 for items in found), titles
    return [items[0] for items in found]


def choose(*titles, button=QDialogButtonBox.StandardButton.Open):
    """Choose rows by clicks and press a button."""

    def act(dialog):
        assert not dialog.opener.isEnabled(), "a series is chosen before the user chose"
        for number, item in enumerate(rows(dialog.tree, *titles)):
            place = dialog.tree.visualItemRect(item).center()
            held = Qt.KeyboardModifier.ControlModifier if number else Qt.KeyboardModifier.NoModifier
            QTest.mouseClick(dialog.tree.viewport(), Qt.MouseButton.LeftButton, held, place)
        pressed = dialog.buttons.button(button)
        assert pressed.isEnabled()
        QTest.mouseClick(pressed, Qt.MouseButton.LeftButton)

    when_asked(ImportDialog, act)


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


def test_a_file_is_read_in_a_thread_while_the_window_is_awake(plugin, viewer, block, tmp_path, monkeypatch):
    sitk.WriteImage(block(), str(tmp_path / "scan.nii.gz"))
    awake, threads = threading.Event(), []

    def reading(path, **choices):
        threads.append(threading.current_thread())
        assert awake.wait(60), "the window sleeps while the file is read"
        return (yield from reading_volume(path, **choices))

    monkeypatch.setattr("napari_pqcomq.io.reader.reading_volume", reading)
    QTimer.singleShot(0, awake.set)
    (layer,) = viewer.open(str(tmp_path / "scan.nii.gz"), plugin="napari-pqcomq")
    assert threads[0] is not threading.main_thread()
    assert layer.data.shape == (12, 30, 40)


def test_a_dicom_folder_with_one_series_opens_without_a_question(plugin, viewer, tmp_path):
    write_series(tmp_path, 1)
    (layer,) = viewer.open(str(tmp_path), plugin="napari-pqcomq")
    assert layer.data.shape == (4, 16, 20)
    assert volume_of(layer).modality == "CT"


def test_the_user_chooses_among_series(plugin, viewer, tmp_path):
    write_series(tmp_path, 1)
    write_series(tmp_path, 2)
    choose("Series 2")
    (layer,) = viewer.open(str(tmp_path), plugin="napari-pqcomq")
    assert layer.data.flat[0] == 42


def test_several_series_become_several_volumes(plugin, viewer, tmp_path):
    for number in (1, 2, 3):
        write_series(tmp_path, number)
    choose("Series 1", "Series 3")
    layers = viewer.open(str(tmp_path), plugin="napari-pqcomq")
    assert [layer.data.flat[0] for layer in layers] == [41, 43]
    assert all(volume_of(layer).modality == "CT" for layer in layers)


def test_an_archive_opens_like_the_folder(plugin, viewer, tmp_path):
    (tmp_path / "study").mkdir()
    write_series(tmp_path / "study", 1)
    shutil.make_archive(str(tmp_path / "study"), "zip", tmp_path / "study")
    (layer,) = viewer.open(str(tmp_path / "study.zip"), plugin="napari-pqcomq")
    assert layer.data.shape == (4, 16, 20)


@pytest.fixture
def gap(tmp_path):
    """A series of six slices of which the third is lost."""
    write_series(tmp_path, 1, slices=6)
    (tmp_path / "s1_2.dcm").unlink()
    return tmp_path


def press(text):
    """Press the button of a question that begins with a text."""

    def act(box):
        assert "1 missing slice" in box.text()
        (button,) = [button for button in box.buttons() if button.text().replace("&", "").startswith(text)]
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)

    when_asked(QMessageBox, act)


@pytest.mark.parametrize(("button", "slices"), [("Resample", 6), ("Take the largest", 3)])
def test_a_harmful_geometry_is_asked_about_and_the_answer_is_shown(plugin, viewer, gap, button, slices):
    press(button)
    (layer,) = viewer.open(str(gap), plugin="napari-pqcomq")
    assert len(layer.data) == slices
    panel = VolumePanel(viewer)
    assert "1 missing slice" in panel.facts.text()
    assert "the remedy chosen was" in panel.facts.text()
    assert "axes to LPS" in panel.facts.toolTip()
    panel.layers.release()
    panel.deleteLater()


def test_declining_every_remedy_opens_nothing(plugin, viewer, gap):
    press("Cancel")
    assert viewer.open(str(gap), plugin="napari-pqcomq") == []


def test_the_user_chooses_among_the_volumes_of_a_file(plugin, viewer, tmp_path):
    path = tmp_path / "four.nii.gz"
    values = np.zeros((3, 4, 5, 6), np.int16) + np.arange(3, dtype=np.int16)[:, None, None, None]
    sitk.WriteImage(sitk.JoinSeries([sitk.GetImageFromArray(volume) for volume in values]), str(path))

    def act(dialog):
        for row in (0, 2):
            dialog.list.item(row).setSelected(True)
        QTest.mouseClick(dialog.buttons.button(QDialogButtonBox.StandardButton.Open), Qt.MouseButton.LeftButton)

    when_asked(PartsDialog, act)
    layers = viewer.open(str(path), plugin="napari-pqcomq")
    assert [layer.data.max() for layer in layers] == [0, 2]


@pytest.mark.parametrize("ending", [".nrrd", ".mha", ".nii"])
def test_other_formats_open_upright_too(plugin, viewer, block, tmp_path, ending):
    path = tmp_path / f"scan{ending}"
    sitk.WriteImage(block(direction="RAS"), str(path))
    (layer,) = viewer.open(str(path), plugin="napari-pqcomq")
    np.testing.assert_array_equal(layer.data, sitk.GetArrayFromImage(block()))


def test_cancelling_the_choice_opens_nothing(plugin, viewer, tmp_path):
    write_series(tmp_path, 1)
    write_series(tmp_path, 2)
    choose(button=QDialogButtonBox.StandardButton.Cancel)
    assert viewer.open(str(tmp_path), plugin="napari-pqcomq") == []
    assert len(viewer.layers) == 0


def test_the_choice_belongs_to_the_window_also_while_another_program_is_active(
    plugin, shown_viewer, tmp_path, monkeypatch
):
    write_series(tmp_path, 1)
    write_series(tmp_path, 2)
    monkeypatch.setattr(QApplication, "activeWindow", lambda: None)
    seen = []

    def act(dialog):
        seen.append(dialog.parentWidget())
        dialog.reject()

    when_asked(ImportDialog, act)
    assert shown_viewer.open(str(tmp_path), plugin="napari-pqcomq") == []
    assert seen == [shown_viewer.window._qt_window], "a file was dropped: the choice stands in the window's middle"


def test_a_click_that_comes_before_an_import_is_seen_is_answered_after_it(plugin, viewer, tmp_path, monkeypatch):
    write_series(tmp_path, 1)
    flags = []

    class Loop(QEventLoop):
        def exec(self, flag=QEventLoop.ProcessEventsFlag.AllEvents):
            flags.append(flag)
            return super().exec(flag)

    monkeypatch.setattr("napari_pqcomq.jobs.running.waiting.QEventLoop", Loop)
    assert len(viewer.open(str(tmp_path), plugin="napari-pqcomq")) == 1
    assert len(flags) == 2, "the import, then its layers"
    assert set(flags) == {QEventLoop.ProcessEventsFlag.ExcludeUserInputEvents}


def test_a_folder_without_dicom_is_refused_in_one_sentence_and_no_dialog_stays(plugin, viewer, tmp_path):
    (tmp_path / "readme.txt").write_text("hello")
    when_asked(ImportDialog, lambda dialog: pytest.fail("a dialog waits for an answer"))
    with pytest.raises(InputError, match="DICOM"):
        viewer.open(str(tmp_path), plugin="napari-pqcomq")


def test_without_a_screen_the_question_is_raised(monkeypatch, tmp_path):
    write_series(tmp_path, 1)
    write_series(tmp_path, 2)
    monkeypatch.setattr("napari_pqcomq.io.reader._has_screen", lambda: False)
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
