"""Blinded reading, clicked from the first pair to the names."""

from __future__ import annotations

import csv
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication, QLabel

from napari_pqcomq.results.judging.reader_study_panel import ReaderStudyPanel
from pqcomq.comparison.comparison_result import ObjectComparison
from pqcomq.errors import InputError


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


def test_a_reading_that_was_finished_outlives_one_that_is_stopped(reader, qtbot, tmp_path, store):
    panel = reader.panel
    panel.begin(tmp_path / "first.csv")
    while store.is_being_read:
        panel.choose("left")
    finished = store.finished_reading
    panel.started.connect(panel.stop)  # as where no comparison is on screen
    panel.begin(tmp_path / "second.csv")
    assert store.finished_reading is finished
    panel.started.disconnect(panel.stop)
    panel.begin(tmp_path / "second.csv")
    panel.choose("left")
    qtbot.mouseClick(panel.stop_button, Qt.MouseButton.LeftButton)
    assert store.finished_reading is finished


def test_a_log_that_cannot_be_written_is_told_before_the_first_pair(reader, tmp_path, store):
    with pytest.raises(InputError, match="cannot be written"):
        reader.panel.begin(tmp_path / "gone" / "log.csv")
    assert store.reading is None
    assert reader.pairs == []
