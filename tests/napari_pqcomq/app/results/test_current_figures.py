"""The results area in the dock: whose figures are in sight, and what it does not keep."""

from __future__ import annotations

from dataclasses import replace

from qtpy.QtWidgets import QWidget

from napari_pqcomq.prompts.objects.drawn_object import DrawnObject
from pqcomq.comparison.compared_model import ComparedModel
from pqcomq.comparison.comparison_result import ComparisonResult, ObjectComparison
from pqcomq.comparison.model_result import Comparison, ModelResult
from pqcomq.models.segmenter import Segmenter
from pqcomq.quantization.quantized_model import QuantizedModel
from pqcomq.reader_study.blinded_study import BlindedReading

PATIENCE_MS = 300_000


def test_no_widget_keeps_a_model_or_a_result(shown, result, eight_bits, tmp_path):
    shown.workflow.weights.take({shown.panels.model.choice: eight_bits})
    shown.panels.reader_study.begin(tmp_path / "log.csv")
    results = (ComparisonResult, ObjectComparison, Comparison, ModelResult, BlindedReading)
    kept = (*results, ComparedModel, Segmenter, QuantizedModel)
    for widget in (shown, *shown.findChildren(QWidget)):
        for name, value in vars(widget).items():
            inside = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
            assert not any(isinstance(each, kept) for each in (value, *inside)), f"{type(widget).__name__}.{name}"


def test_the_title_says_whose_figures_they_are_and_that_their_prompt_has_changed(dock, result, qtbot):
    dock.panels.objects.load(tuple(DrawnObject(each.number, each.name, each.box) for each in result.objects))
    dock.workflow.show_result(result)
    qtbot.waitUntil(lambda: dock.panels.store.result is result, timeout=PATIENCE_MS)
    dock.panels.live.pause(True)
    title = dock.panels.results_dock.windowTitle
    assert title() == "Results · cube"
    assert dock.panels.metrics.isEnabled()
    dock.panels.prompts.nudge(1, 0)
    assert title().startswith("Results · cube, of the prompt before")
    assert not dock.panels.metrics.isEnabled(), "figures of another prompt are greyed"
    dock.panels.view.close()
    assert dock.panels.metrics.isEnabled()


def test_the_plot_is_of_the_object_whose_figures_are_in_sight(dock, result, qtbot):
    found = result.objects[0]
    two = replace(result, objects=(found, replace(found, name="other", number=2)))
    dock.panels.objects.load(tuple(DrawnObject(each.number, each.name, each.box) for each in two.objects))
    dock.workflow.show_result(two)
    qtbot.waitUntil(lambda: dock.panels.store.result is two, timeout=PATIENCE_MS)
    for row, name in ((0, "cube"), (1, "other")):
        dock.panels.objects.choose(row)
        assert dock.panels.plots.objects.currentText() == name
        assert dock.panels.results_dock.windowTitle() == f"Results · {name}"
