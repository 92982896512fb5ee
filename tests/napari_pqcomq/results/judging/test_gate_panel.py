"""The gate: limits, verdicts in plain words, and their table."""

from __future__ import annotations

import csv
from dataclasses import replace

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication

from napari_pqcomq.results.judging.gate_panel import GatePanel
from pqcomq.comparison.gate import Tolerance


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


def test_the_worst_verdict_of_each_comparison_is_told_first(shown, result, store):
    panel = shown(GatePanel(store))
    store.set_result(result)
    assert panel.verdicts.chosen == 1, "4 bits miss half of the cube"
    panel.verdicts.choose(0)
    store.set_result(replace(result))
    assert panel.verdicts.chosen == 1, "which row was chosen in the comparison before does not matter"
    panel.verdicts.choose(0)
    panel.limits["dice"].value = 0.3
    assert panel.verdicts.chosen == 0, "a limit takes nobody away from what they read"
