"""The dock *Cohort* on small phantoms, with LiteMedSAM rounded to nearest."""

from __future__ import annotations

from threading import Event
from types import SimpleNamespace

import numpy as np
import pytest
import SimpleITK as sitk
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import (
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QListWidget,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QStyleOptionViewItem,
    QTableWidget,
    QToolButton,
)

pytest.importorskip("pandas")
pytest.importorskip("pyarrow")
pytest.importorskip("statsmodels")

from napari_pqcomq.cohort.case_opening import _compare
from napari_pqcomq.cohort.cohort_jobs import CohortJob
from napari_pqcomq.cohort.cohort_widget import CohortWidget
from napari_pqcomq.cohort.models_panel import CaseModality, CasePrompts
from napari_pqcomq.layers.volume_layers import image_tuple
from napari_pqcomq.setup.volume_panel import VolumePanel
from pqcomq.backends.runtime import Runtime
from pqcomq.cohort.cases.case import CaseList
from pqcomq.cohort.cohort_result import CohortResult
from pqcomq.cohort.report.page import PAGE
from pqcomq.cohort.settings import CohortProtocol
from pqcomq.progress import Progress
from pqcomq.quantization.files.weights_file import save_weights
from pqcomq.quantization.planning.presets import default_config
from pqcomq.quantization.quantize_model import quantize_model
from pqcomq.volumes.intensity_window import Window, default_window
from pqcomq.volumes.volume import Volume

CONTROLS = (QPushButton, QComboBox, QAbstractSpinBox, QLineEdit, QListWidget, QTableWidget, QProgressBar, QToolButton)


@pytest.fixture
def data(tmp_path, block):
    """Two patients whose cube is labelled on two slices, and a folder without labels."""
    for place, name in enumerate(("anna", "bert")):
        image = block()
        voxels = sitk.GetArrayFromImage(image)
        seen = np.isin(np.arange(len(voxels)), (5, 6))[:, None, None]
        labels = sitk.GetImageFromArray(((voxels == 200) & seen).astype(np.uint8))
        noisy = voxels + np.random.default_rng(place).normal(0, 8, voxels.shape).astype(np.int16)
        made = sitk.GetImageFromArray(noisy.astype(np.int16))
        for each in (labels, made):
            each.CopyInformation(image)
        (tmp_path / "data" / name).mkdir(parents=True)
        sitk.WriteImage(made, str(tmp_path / "data" / name / "image.nii.gz"))
        sitk.WriteImage(labels, str(tmp_path / "data" / name / "labels.nii.gz"))
    (tmp_path / "data" / "carl").mkdir()
    sitk.WriteImage(made, str(tmp_path / "data" / "carl" / "image.nii.gz"))
    return tmp_path / "data"


@pytest.fixture
def weights(eight_bits, tmp_path):
    save_weights(eight_bits, tmp_path / "eight.safetensors")
    return tmp_path / "eight.safetensors"


@pytest.fixture
def dock(viewer, qtbot):
    made = CohortWidget(viewer)
    qtbot.addWidget(made)
    made.show()
    return made


def found(dock, data, qtbot):
    dock.find_cases(data)
    qtbot.waitUntil(lambda: not dock.jobs.is_running)
    dock.models.choice.update(most_slices=1, runtime=Runtime.torch, modality=CaseModality.ct)


def scored(dock, qtbot):
    QTest.mouseClick(dock.run_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not dock.jobs.is_running)


def test_cases_and_what_cannot_be_scored_are_listed_before_any_work(dock, data, weights, qtbot):
    assert not dock.run_button.isEnabled()
    found(dock, data, qtbot)
    assert "2 cases can be scored, 1 cannot" in dock.data_set.text.text()
    assert [row[0] for row in dock.data_set.cases.texts()] == ["anna", "bert", "carl"]
    assert [row[3] for row in dock.data_set.cases.texts()][:2] == ["waits", "waits"]
    assert "no label file" in dock.data_set.cases.texts()[2][3]
    option = QStyleOptionViewItem()
    dock.data_set.cases.itemDelegateForColumn(0).initStyleOption(option, dock.data_set.cases.model().index(0, 0))
    assert option.textElideMode == Qt.TextElideMode.ElideMiddle, "names of cases differ at their ends"
    assert dock.data_set.cases.isColumnHidden(1), "nothing was lost yet, and the reason needs the room"
    assert not dock.run_button.isEnabled(), "there are no weights yet"
    dock.models.add_weights(weights, weights)
    assert dock.models.weights == (weights,)
    assert dock.run_button.isEnabled()
    assert dock.models.folder == data.with_name("data-cohort")
    assert not dock.models.folder.exists(), "nothing is written before Run"


def test_a_folder_that_is_no_data_set_is_told_and_the_last_one_stays(dock, data, tmp_path, qtbot, monkeypatch):
    found(dock, data, qtbot)
    told = []
    monkeypatch.setattr("napari_pqcomq.jobs.running.job_runner.show_error", told.append)
    (tmp_path / "empty").mkdir()
    dock.find_cases(tmp_path / "empty")
    qtbot.waitUntil(lambda: not dock.jobs.is_running)
    assert len(told) == 1 and "empty" in told[0]
    assert len(dock.data_set.found.cases) == 2


def test_a_run_ends_in_verdicts_tables_plots_and_a_report(viewer, dock, data, weights, qtbot):
    found(dock, data, qtbot)
    dock.models.add_weights(weights)
    scored(dock, qtbot)
    assert [row[3] for row in dock.data_set.cases.texts()][:2] == ["scored", "scored"]
    assert all(row[2].startswith("label 1") for row in dock.data_set.cases.texts()[:2])
    folder = data.with_name("data-cohort")
    assert (folder / PAGE).is_file()
    statistics = dock.outcome.statistics
    verdicts = dock.results.verdicts.texts()
    assert [row[1] for row in verdicts] == [each.label for each in statistics.verdicts()]
    assert {row[2] for row in verdicts} == {"undecided"}
    assert "2 patients are too few" in dock.results.verdict.text()
    assert len(dock.results.models.texts()) == len(statistics.prompts)
    told = [(each, stratum) for each in statistics.prompts for stratum in each.strata if stratum.prompts]
    strata = dock.results.strata.texts()
    assert [int(row[-1]) for row in strata] == [stratum.prompts for _each, stratum in told]
    assert {row[2] for row in strata} <= {"right", "doubtful", "wrong"}
    dock.results.tabs.setCurrentIndex(3)
    assert dock.results.plots.count() >= 3
    for place in range(dock.results.plots.count()):
        dock.results.plots.setCurrentIndex(place)
        assert dock.results._canvas.figure.axes
    grounds = set()
    for theme in ("light", "dark"):
        viewer.theme = theme
        grounds.add(dock.results._canvas.figure.get_facecolor())
    assert len(grounds) == 2, "plots follow the theme"


def test_cancel_keeps_what_is_done_and_run_goes_on_from_there(dock, data, weights, qtbot):
    found(dock, data, qtbot)
    dock.models.add_weights(weights)
    folder = data.with_name("data-cohort")
    dock.resize(420, 400)
    QTest.mouseClick(dock.run_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not dock.jobs.cancel_button.visibleRegion().isEmpty())  # in the lowest window, too
    qtbot.waitUntil(lambda: any((folder / "cases").glob("*.parquet")))
    QTest.mouseClick(dock.jobs.cancel_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: dock.outcome is not None and not dock.jobs.is_running)
    assert dock.outcome.result.scored == 1
    assert dock.results.verdict.text().startswith("1 of 2 cases scored; the report comes with the last.")
    assert not dock.results.report_button.isVisible(), "there is none yet"
    first = next(row for row in dock.data_set.cases.texts() if row[3] == "scored")
    scored(dock, qtbot)
    assert dock.outcome.result.scored == 2
    assert dock.results.report_button.isVisible()
    assert first in dock.data_set.cases.texts()
    assert CohortResult.at(folder).unfinished == 0


def test_cancel_is_heard_between_the_parts_of_loading(monkeypatch, tmp_path):
    done = []
    for name in ("settings_of", "models_of", "running"):
        monkeypatch.setattr(
            f"napari_pqcomq.cohort.cohort_jobs.{name}",
            lambda *_, name=name, **__: done.append(name) or SimpleNamespace(threads=1),
        )
    steps = CohortJob(CaseList(()), (), CohortProtocol(), Runtime.torch, tmp_path, 0.01).steps()
    for expected in ([], ["settings_of"], ["settings_of", "models_of"]):
        next(steps)
        assert done == expected


def test_whole_organs_can_be_left_out_since_they_take_longest(dock):
    assert dock.models.protocol.protocols == ("slice", "organ")
    for chosen in (CasePrompts.slice, CasePrompts.organ):
        dock.models.choice.update(prompted_by=chosen)
        assert dock.models.protocol.protocols == (chosen.name,)


def test_weights_that_cannot_be_read_are_told_and_nothing_is_made(dock, data, tmp_path, qtbot, monkeypatch):
    found(dock, data, qtbot)
    (tmp_path / "broken.safetensors").write_bytes(b"no weights")
    dock.models.add_weights(tmp_path / "broken.safetensors")
    told = []
    monkeypatch.setattr("napari_pqcomq.jobs.running.job_runner.show_error", told.append)
    scored(dock, qtbot)
    assert len(told) == 1 and "broken.safetensors" in told[0]
    assert not data.with_name("data-cohort").exists()
    assert dock.run_button.isEnabled()


def test_a_double_click_compares_the_models_on_the_case_s_worst_slice(
    plugin, viewer, dock, data, weights, loaded_once, qtbot
):
    from napari_pqcomq.app.dock import CompareDock

    found(dock, data, qtbot)
    dock.models.add_weights(weights)
    scored(dock, qtbot)
    table = dock.data_set.cases
    name, place = table.item(1, 0).text(), table.visualItemRect(table.item(1, 0)).center()
    QTest.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    QTest.mouseDClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    compared = None

    def is_compared():
        nonlocal compared
        docks = viewer.window._qt_window.findChildren(CompareDock)
        compared = docks[0].parts if docks else None
        return compared is not None and compared.on_screen.result is not None and not compared.panels.jobs.is_running

    qtbot.waitUntil(is_compared)
    worst = dock.outcome.worst[name]
    result = compared.on_screen.result
    assert compared.panels.volume.layers.layer.name == name
    assert compared.steps.volume.summary.text() == name
    assert compared.workflow.weights.origin.name == name
    assert viewer.dims.current_step[0] == worst.z
    assert [each.name for each in result.objects] == [worst.label]
    assert result.objects[0].truth is not None
    with_truth = result.objects[0].comparisons[0]
    assert with_truth.candidate.precision.startswith("8-bit")
    assert result.volume.name != name, "cases may be named after patients, and records must not be"
    told = [model.accuracy.dice for model in (with_truth.reference, with_truth.candidate)]
    assert told == pytest.approx([worst.full_dice, worst.quantized_dice], abs=0.01), "the very prompt that was scored"

    layers = [name, f"{name}, ground truth"]
    qtbot.waitUntil(lambda: not compared.workflow.is_busy)
    QTest.mouseDClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    qtbot.waitUntil(lambda: compared.on_screen.result is not None and compared.on_screen.result is not result)
    again = compared.on_screen.result
    assert again.volume is result.volume and again.objects[0].truth is not None
    assert [sum(each.name == layer for each in viewer.layers) for layer in layers] == [1, 1], "opened before"


def test_a_case_is_not_opened_with_others_than_it_was_scored_with(
    dock, data, weights, eight_bits, lite_medsam, calibration, finish, qtbot, monkeypatch
):
    found(dock, data, qtbot)
    dock.models.add_weights(weights)
    scored(dock, qtbot)
    told, shown = [], []
    monkeypatch.setattr("napari_pqcomq.jobs.running.job_runner.show_error", told.append)
    monkeypatch.setattr("napari_pqcomq.cohort.cohort_widget.show_case", lambda _viewer, opened: shown.append(opened))

    def opened(name):
        dock.open_case(name)
        qtbot.waitUntil(lambda: not dock.jobs.is_running)

    opened("anna")
    assert shown[0].weights.segmenter.fingerprint == eight_bits.segmenter.fingerprint
    labels = data / "bert" / "labels.nii.gz"
    corrected = sitk.GetArrayFromImage(before := sitk.ReadImage(str(labels)))
    corrected[:, :20] = 0
    after = sitk.GetImageFromArray(corrected)
    after.CopyInformation(before)
    sitk.WriteImage(after, str(labels))
    opened("bert")
    assert told == ["The image or labels of bert have changed since they were scored; Run scores it again."]
    four_bits = finish(quantize_model(lite_medsam, calibration, default_config("lite-medsam", 4, "rtn")))
    save_weights(four_bits, weights, overwrite=True)
    opened("anna")
    assert len(shown) == 1
    assert told[1].startswith("The file holds other weights than those that the cohort was begun with (")


def test_a_case_is_compared_in_the_window_that_it_was_scored_in(viewer, block, qtbot):
    panel = VolumePanel(viewer)
    qtbot.addWidget(panel)
    voxels, keywords, _kind = image_tuple(Volume.of(block(), "CT", "block"))
    panel.layers.choose(viewer.add_image(voxels, **keywords))
    for window in (Window(-600, 1500), None):
        panel.take_window(window)
        assert panel.intensity_window == window
        shown = window or default_window("CT", voxels)
        assert panel.limits_now == (shown.low, shown.high)


def test_the_dock_is_offered_in_the_menu_and_opens_at_once(plugin, viewer, qtbot):
    dock, widget = viewer.window.add_plugin_dock_widget("napari-pqcomq", "Cohort")
    assert "Cohort" in dock.name
    if widget.parts is None:
        with qtbot.waitSignal(widget.ready):
            pass
    assert isinstance(widget.parts, CohortWidget)


def test_a_dock_that_is_closed_stops_its_run(plugin, viewer, qtbot):
    wrapper, widget = viewer.window.add_plugin_dock_widget("napari-pqcomq", "Cohort")
    qtbot.waitUntil(lambda: widget.parts is not None)
    jobs, go_on, done = widget.parts.jobs, Event(), []

    def steps():
        for step in range(3):
            yield Progress(step, 3, "Scoring")
            done.append(step)
            go_on.wait(60)

    jobs.start(steps, lambda _result: None, "Scoring…")
    qtbot.waitUntil(lambda: done == [0])
    wrapper.destroyOnClose()
    go_on.set()
    qtbot.wait(100)
    assert jobs.was_cancelled
    assert done == [0], "nobody could see or cancel it any more"


def test_a_case_is_not_opened_while_the_other_dock_is_at_work(monkeypatch):
    told = []
    monkeypatch.setattr("napari_pqcomq.cohort.case_opening.show_error", told.append)
    workflow = SimpleNamespace(is_busy=True)  # and nothing else, which is touched by nobody
    opened = SimpleNamespace(case=SimpleNamespace(name="anna"))
    _compare(None, SimpleNamespace(panels=None, workflow=workflow), opened)
    assert told == ["“Compare precisions” is at work: wait for it, or cancel it there, then open anna again."]


def test_the_wheel_scrolls_the_dock_past_its_controls_and_the_focus_is_seen(dock, qtbot):
    dock.resize(400, 260)
    qtbot.waitExposed(dock)
    scrolled = dock.findChildren(QScrollArea)[0]
    bar, form = scrolled.verticalScrollBar(), dock.models.choice
    controls = [each for kind in (QComboBox, QAbstractSpinBox) for each in dock.findChildren(kind) if each.isVisible()]
    assert len(controls) > 2 and bar.maximum() > 0
    before, dock_moved = form.value, set()
    for each in controls:
        scrolled.ensureWidgetVisible(each)
        bar.setValue(min(bar.value(), bar.maximum() - 1))
        at, window = bar.value(), dock.window()
        QTest.wheelEvent(window.windowHandle(), QPointF(each.mapTo(window, each.rect().center())), QPoint(0, -120))
        QApplication.processEvents()
        dock_moved.add(bar.value() > at)
    assert form.value == before
    assert dock_moved == {True}
    assert "focus" in dock.styleSheet()
    explained = [each for kind in CONTROLS for each in dock.findChildren(kind)]
    lacking = [(each.objectName(), each.parent().objectName()) for each in explained if not each.toolTip()]
    assert all(any(name.startswith("qt_") for name in names) for names in lacking), "but parts of Qt's own"
    copyable = Qt.TextInteractionFlag.TextSelectableByMouse
    assert all(each.textInteractionFlags() & copyable for each in dock.findChildren(QLabel) if each.wordWrap())


def test_after_a_run_that_was_refused_another_work_can_be_cancelled_without_reading_its_folder(
    dock, data, weights, tmp_path, qtbot, monkeypatch
):
    found(dock, data, qtbot)
    dock.models.add_weights(weights)
    scored(dock, qtbot)
    dock.find_cases(data)  # nothing of the results is in sight now
    qtbot.waitUntil(lambda: not dock.jobs.is_running)
    dock.models.prompts.update(seed=7)  # another cohort than the folder's
    scored(dock, qtbot)
    assert dock.outcome is None, "it is refused"
    go_on = Event()

    def looking(_dataset):
        go_on.wait(60)

    monkeypatch.setattr("napari_pqcomq.cohort.cohort_jobs.find_cases", looking)
    dock.find_cases(tmp_path)
    QTest.mouseClick(dock.jobs.cancel_button, Qt.MouseButton.LeftButton)
    go_on.set()
    qtbot.waitUntil(lambda: not dock.jobs.is_running)
    qtbot.wait(50)
    qtbot.waitUntil(lambda: not dock.jobs.is_running)
    assert dock.outcome is None, "the results of the other cohort are not these settings' results"
