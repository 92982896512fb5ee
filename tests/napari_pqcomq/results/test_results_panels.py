"""Plots, gate, blinded reading and sessions, each panel by itself and clicked."""

from __future__ import annotations

import csv
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtWidgets import QApplication, QLabel, QScrollArea, QStyle, QStyleOptionComboBox

from napari_pqcomq.results import plots_panel
from napari_pqcomq.results.gate_panel import GatePanel
from napari_pqcomq.results.metrics_table import MetricsTable
from napari_pqcomq.results.plots_panel import PlotsPanel
from napari_pqcomq.results.reader_study_panel import ReaderStudyPanel
from napari_pqcomq.results.result_store import ResultStore
from napari_pqcomq.results.session_panel import SessionPanel
from napari_pqcomq.widgets.controls.combo_boxes import keep_narrow
from pqcomq.comparison.box_perturbation import BoxJitter, MovedBox
from pqcomq.comparison.comparison_result import ComparisonResult, ObjectComparison
from pqcomq.comparison.gate import Tolerance
from pqcomq.errors import InputError


@pytest.fixture
def result(volume, masks, comparison_of):
    """One object, two models: the second misses the cube's lower half, the first a corner of one slice."""
    left, right = masks
    near = left.copy()
    near[5, 6, 6] = False
    comparisons = tuple(
        comparison_of(volume, left, mask, truth=left, precision=f"{bits}-bit test")
        for mask, bits in ((near, 8), (right, 4))
    )
    weights = SimpleNamespace(
        settings=SimpleNamespace(title="4-bit test"),
        layer_errors={"a": 1e-3, "b": 1e-2},
        calibration={"slice_count": 8},
    )
    candidates = tuple(SimpleNamespace(weights=weights) for _ in comparisons)
    return ComparisonResult(volume, (ObjectComparison("cube", comparisons, left),), None, candidates)


@pytest.fixture
def store():
    return ResultStore()


@pytest.fixture
def shown(qtbot):
    def show(panel):
        qtbot.addWidget(panel)
        panel.resize(860, 240)
        panel.show()
        qtbot.waitExposed(panel)
        return panel

    return show


def pixel_of(canvas, axes, x, y):
    """Where a point of a plot lies in the widget."""
    right, up = axes.transData.transform((x, y)) / canvas.device_pixel_ratio
    return QPoint(round(right), round(canvas.height() - up))


def test_a_click_on_the_plot_chooses_the_slice(shown, result, qtbot, store):
    panel = shown(PlotsPanel(store))
    store.set_result(result)
    canvas = panel.canvas
    qtbot.waitUntil(lambda: canvas.height() == round(canvas.figure.bbox.height / canvas.device_pixel_ratio))
    qtbot.wait(100)  # the layout's last resize
    canvas.draw()
    with qtbot.waitSignal(panel.slice_chosen) as chosen:
        place = pixel_of(canvas, canvas.figure.axes[0], 6.3, 0.8)
        qtbot.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=place)
    assert chosen.args == [6]
    panel.set_slice(6)
    with qtbot.waitSignal(panel.slice_chosen) as chosen:
        qtbot.keyClick(canvas, Qt.Key.Key_Right)
    assert chosen.args == [7]
    panel.set_slice(8)
    with qtbot.waitSignal(panel.slice_chosen) as chosen:
        qtbot.keyClick(canvas, Qt.Key.Key_Right)
    assert chosen.args == [8], "not beyond the box"


def test_the_slice_in_sight_is_a_line_that_moves(shown, result, qtbot, store):
    panel = shown(PlotsPanel(store))
    store.set_result(result)
    panel.canvas.draw()
    pictures = []
    for z in (4, 7, 4):
        panel.set_slice(z)
        pictures.append(np.asarray(panel.canvas.buffer_rgba()).copy())
    assert (pictures[0] != pictures[1]).any()
    assert (pictures[0] == pictures[2]).all()


def test_every_plot_is_drawn_in_both_themes(shown, result, store):
    panel = shown(PlotsPanel(store))
    panel.set_tolerance(Tolerance())
    store.set_result(result)
    box = result.objects[0].comparisons[0].box
    jitter = BoxJitter(5, (7.5, 10.0), 0, (MovedBox(box, 0.9, None), MovedBox(box, 0.8, None)))
    store.set_jitters({1: jitter})
    assert panel.plots.currentText() == plots_panel.JITTER
    kinds = [panel.plots.itemText(index) for index in range(panel.plots.count())]
    assert len(kinds) == 6
    for dark in (True, False):
        panel.set_dark(dark)
        for kind in kinds:
            panel.plots.setCurrentText(kind)
            panel.canvas.draw()
            corner = np.asarray(panel.canvas.buffer_rgba())[0, 0, :3].mean()
            assert (corner < 80) == dark, "the plot's ground is the theme's"
            assert panel.canvas.accessibleName() == f"{kind}, cube"


def test_nothing_is_drawn_before_it_is_looked_at(result, qtbot, store):
    panel = PlotsPanel(store)
    qtbot.addWidget(panel)
    store.set_result(result)
    assert panel.canvas is None
    panel.show()
    qtbot.waitExposed(panel)
    assert panel.canvas is not None


def test_without_truth_and_weights_their_plots_are_not_offered(shown, result, store):
    bare = replace(result.objects[0], truth=None)
    panel = shown(PlotsPanel(store))
    candidates = (SimpleNamespace(weights=None),) * 2
    store.set_result(replace(result, objects=(bare,), candidates=candidates))
    kinds = {panel.plots.itemText(index) for index in range(panel.plots.count())}
    assert kinds == {plots_panel.ALONG, plots_panel.AGREEMENT, plots_panel.LATENCIES}


def test_the_gate_speaks_plainly_and_follows_its_limits(shown, result, tmp_path, qtbot, monkeypatch, store):
    panel = shown(GatePanel(store))
    store.set_result(result)
    worst = min(range(2), key=lambda index: panel.judged()[index].dice)
    assert {row[0] for row in panel.verdicts.texts()} == {"PASS", "FAIL"}
    assert panel.verdicts.chosen == worst
    assert "FAIL" in panel.sentences.text()
    panel.verdicts.choose(1 - worst)
    text = panel.sentences.text()
    assert "PASS" in text
    assert "cube, 8-bit test" in text
    assert "agreement between the models, not accuracy" in text
    with qtbot.waitSignal(panel.changed):
        panel.limits["dice"].value = 0.3
        panel.limits["volume_percent"].value = 100
    assert [verdict.outcome for verdict in panel.judged()] == ["pass", "pass"]
    assert panel.tolerance == Tolerance(0.3, 100)
    path = tmp_path / "gate.csv"
    monkeypatch.setattr(
        "napari_pqcomq.widgets.dock.save_dialog.QFileDialog.getSaveFileName", lambda *given: (str(path), "")
    )
    qtbot.mouseClick(panel.export_button, Qt.MouseButton.LeftButton)
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["outcome"] for row in rows] == ["pass", "pass"]
    assert rows[0]["least_dice_asked"] == "0.3"


def test_names_in_verdicts_are_no_markup(shown, result, store):
    panel = shown(GatePanel(store))
    named = replace(result.objects[0], name="<b>x</b>")
    store.set_result(replace(result, objects=(named,)))
    assert panel.verdicts.texts()[0][1] == "<b>x</b>"
    assert "&lt;b&gt;x" in panel.sentences.text()


def test_long_texts_that_are_the_same_for_all_models_are_read_whole(shown, result):
    table = shown(MetricsTable())
    first = result.objects[0]
    table.resize(895, 195)  # as the tab is in a window of 1280 × 800
    table.show_object(replace(first, comparisons=(first.comparisons * 3)[:3]))
    QApplication.processEvents()
    times = table.tables[1]
    row = next(row for row in range(times.rowCount()) if times.item(row, 0).text() == "Runs on")
    cell = times.item(row, 1)
    assert len({times.item(row, column).text() for column in range(1, 5)}) == 1
    assert times.visualItemRect(cell).width() > times.fontMetrics().horizontalAdvance(cell.text())
    assert times.columnSpan(row, 1) == 4


@pytest.mark.parametrize(("width", "is_wide"), [(895, True), (597, False)])  # the second at a scale of 150 %
def test_names_of_measures_are_read_in_a_window_of_any_scale(shown, result, width, is_wide):
    table = MetricsTable()
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setWidget(table)
    shown(area).resize(width, 195)
    first = result.objects[0]
    table.show_object(replace(first, comparisons=(first.comparisons * 3)[:3]))
    QApplication.processEvents()
    left, right = table.tables
    assert (left.y() == right.y()) == is_wide
    for each in (left, right):
        assert each.horizontalScrollBar().maximum() == 0, "every value is in sight"
        assert each.columnWidth(0) > 140, "and what it is"
    if not is_wide:
        assert left.verticalScrollBar().maximum() == right.verticalScrollBar().maximum() == 0
        area.ensureWidgetVisible(right, 0, 0)
        assert area.verticalScrollBar().maximum() > 0, "the area scrolls instead"
    area.resize(2000, 195)
    QApplication.processEvents()
    assert left.y() == right.y()


def test_six_verdicts_stand_on_the_tab_of_a_small_window_without_scrolling(shown, result, store):
    panel = shown(GatePanel(store))
    first = result.objects[0]
    comparisons = (first.comparisons * 3)[:3]
    names = ("right kidney", "a long name of a lesion in the liver, segment 4")
    three = replace(first, comparisons=comparisons)
    objects = tuple(replace(three, name=name, number=number) for number, name in enumerate(names, 1))
    store.set_result(replace(result, candidates=(result.candidates * 3)[:3], objects=objects))
    panel.resize(895, 195)  # as the tab is in a window of 1280 × 800
    QApplication.processEvents()
    assert panel.minimumSizeHint().height() <= 195
    assert panel.verdicts.rowCount() == 6
    assert panel.verdicts.verticalScrollBar().maximum() == 0
    assert panel.verdicts.horizontalScrollBar().maximum() == 0


@pytest.fixture
def reader(shown, result, store):
    """A reading panel with a clock that the test turns, and what it has shown."""
    now = [100.0]
    panel = shown(ReaderStudyPanel(store, seed=lambda: 11, clock=lambda: now[0]))
    store.set_result(result)
    pairs = []
    panel.shown.connect(pairs.append)
    return SimpleNamespace(panel=panel, now=now, pairs=pairs)


def words_in_sight(panel):
    return " ".join(label.text() for label in panel.findChildren(QLabel) if label.isVisible()).lower()


def test_a_reading_from_the_first_pair_to_the_names(reader, result, qtbot, tmp_path, store):
    panel, log = reader.panel, tmp_path / "reading.csv"
    panel.slices.setValue(3)
    with qtbot.waitSignal(panel.started):
        panel.begin(log)
    total = len(store.reading.trials)
    assert total == 4, "one slice differs at 8 bits, three are taken at 4"
    buttons = [panel.choices[choice] for choice in ("left", "none", "right")]
    for number in range(total):
        assert panel.bar.text() == f"pair {number + 1} of {total}"
        for secret in ("bit", "full", "precision", "quantized"):
            assert secret not in words_in_sight(panel)
        if number:
            assert "quantized" not in log.read_text()
        reader.now[0] += 2.5
        qtbot.mouseClick(buttons[number % 3], Qt.MouseButton.LeftButton)
    assert store.finished_reading is not None
    assert panel.start_button.isVisible()
    assert not panel.choices["left"].isVisible()
    assert store.finished_reading.outcome == panel.text.text()
    with log.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["choice"] for row in rows] == ["left", "none", "right", "left"]
    assert {row["seconds"] for row in rows} == {"2.5"}
    by_name = {comparison.candidate.precision: comparison for comparison in result.objects[0].comparisons}
    for row, pair in zip(rows, reader.pairs, strict=True):
        comparison = by_name[row["precision"]]
        model = {"quantized": comparison.candidate, "full precision": comparison.reference}
        shown = model[row["left_was"]].mask_in(pair.left.shape)
        assert np.array_equal(pair.left, shown), "the log must name the mask that was shown"
        assert np.array_equal(pair.right, model[row["right_was"]].mask_in(pair.right.shape))
        assert pair.z == int(row["slice"])


def test_keys_choose_only_while_reading(reader, qtbot, tmp_path, store):
    panel = reader.panel
    panel.activateWindow()
    qtbot.keyClick(panel, Qt.Key.Key_J)
    assert store.reading is None
    panel.begin(tmp_path / "log.csv")
    qtbot.waitUntil(panel.isActiveWindow)
    for key in (Qt.Key.Key_J, Qt.Key.Key_K):
        reader.now[0] += 1
        qtbot.keyClick(panel, key)
        qtbot.keyClick(panel, Qt.Key.Key_L)  # pressed before the next pair was seen
    assert [answer.choice for answer in store.reading.answers] == ["left", "none"]


def test_all_that_a_reading_asks_is_in_sight_in_a_small_window(reader, tmp_path):
    panel = reader.panel
    panel.resize(895, 160)  # as the tab is in a window of 1280 × 800
    panel.begin(tmp_path / "log.csv")
    QApplication.processEvents()
    for widget in (panel.text, panel.bar, panel.stop_button, *panel.choices.values()):
        assert not widget.visibleRegion().isEmpty()
    assert panel.minimumSizeHint().height() <= 160
    tops = [panel.choices[choice].geometry().x() for choice in ("left", "none", "right")]
    assert tops == sorted(tops)


def test_stopping_tells_no_names(reader, qtbot, tmp_path, store):
    panel = reader.panel
    panel.begin(tmp_path / "log.csv")
    panel.choose("left")
    with qtbot.waitSignal(panel.ended):
        qtbot.mouseClick(panel.stop_button, Qt.MouseButton.LeftButton)
    assert store.finished_reading is None
    assert "quantized" not in (tmp_path / "log.csv").read_text()
    assert "not told" in panel.text.text()


def test_masks_that_are_the_same_cannot_be_read(shown, result, masks, volume, comparison_of, tmp_path, store):
    same = comparison_of(volume, masks[0], masks[0])
    panel = shown(ReaderStudyPanel(store))
    found = ObjectComparison("cube", (same,))
    store.set_result(replace(result, objects=(found,), candidates=result.candidates[:1]))
    with pytest.raises(InputError, match="nothing to read"):
        panel.begin(tmp_path / "log.csv")
    assert not (tmp_path / "log.csv").exists()


def test_objects_of_one_name_cannot_be_told_apart_by_a_reader(shown, result, tmp_path, store):
    panel = shown(ReaderStudyPanel(store))
    (cube,) = result.objects
    store.set_result(replace(result, objects=(cube, replace(cube, number=2))))
    with pytest.raises(InputError, match="Two objects are called “cube”"):
        panel.begin(tmp_path / "log.csv")
    assert not store.is_being_read


def test_the_session_panel_asks_where(shown, qtbot, tmp_path, monkeypatch):
    panel = shown(SessionPanel())
    assert not panel.save_button.isEnabled()
    panel.offer(move=True, save=True)
    dialogs = "napari_pqcomq.results.session_panel.QFileDialog"
    monkeypatch.setattr(f"{dialogs}.getSaveFileName", lambda *given: (str(tmp_path / "new"), ""))
    monkeypatch.setattr(f"{dialogs}.getExistingDirectory", lambda *given: str(tmp_path))
    with qtbot.waitSignal(panel.save_requested) as save:
        qtbot.mouseClick(panel.save_button, Qt.MouseButton.LeftButton)
    with qtbot.waitSignal(panel.open_requested) as opened:
        qtbot.mouseClick(panel.open_button, Qt.MouseButton.LeftButton)
    assert (save.args, opened.args) == ([tmp_path / "new"], [tmp_path])
    panel.show_message("Saved.", tmp_path / "report.html")
    assert panel.page_button.isVisible()


def test_another_object_offers_its_own_plots_alone(shown, store, result):
    bare = replace(result.objects[0], name="bare", number=2, truth=None)
    panel = shown(PlotsPanel(store))
    store.set_result(replace(result, objects=(*result.objects, bare)))
    panel.plots.setCurrentText(plots_panel.ACCURACY)
    panel.objects.setCurrentText("bare")
    assert panel.plots.findText(plots_panel.ACCURACY) == -1
    assert panel.canvas.accessibleName() == f"{plots_panel.ALONG}, bare"


def test_another_comparison_drops_what_belonged_to_the_one_before(store, result):
    store.set_result(result)
    store.set_jitters({1: object()})
    store.reading = SimpleNamespace(is_finished=False)
    assert store.is_being_read
    assert store.finished_reading is None
    store.set_result(replace(result))
    assert (store.jitters, store.reading) == ({}, None)
    assert not store.is_being_read


def test_no_plot_s_name_is_cut(shown, result, store):
    panel = shown(PlotsPanel(store))
    keep_narrow(panel.plots)  # as the dock does with all lists
    store.set_result(result)
    option = QStyleOptionComboBox()
    panel.plots.initStyleOption(option)
    field = panel.plots.style().subControlRect(
        QStyle.ComplexControl.CC_ComboBox, option, QStyle.SubControl.SC_ComboBoxEditField, panel.plots
    )
    for index in range(panel.plots.count()):
        assert panel.plots.fontMetrics().horizontalAdvance(panel.plots.itemText(index)) <= field.width()
