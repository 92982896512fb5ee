"""The reading desk in the dock: a blinded reading leaks nothing, a session comes back as it was."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from napari.layers import Layer
from napari.utils.notifications import notification_manager
from qtpy.QtWidgets import QLabel

from napari_pqcomq.app.compare_widget import CompareWidget
from napari_pqcomq.jobs import session_jobs
from napari_pqcomq.layers.volume_layers import image_tuple
from pqcomq.backends.runtime import Runtime
from pqcomq.comparison.compared_model import ComparedModel
from pqcomq.comparison.comparison_result import ComparisonResult, ObjectComparison
from pqcomq.comparison.gate import Tolerance

PATIENCE_MS = 300_000
SECRETS = ("bit", "fp32", "precision", "quantized", "dice")


@pytest.fixture
def dock(shown_viewer, volume, loaded_once):
    dock = CompareWidget(shown_viewer)
    shown_viewer.window.add_dock_widget(dock)
    shown_viewer.add_layer(Layer.create(*image_tuple(volume)))
    yield dock
    dock.progress.cancel()
    while dock.progress.is_running:
        shown_viewer.window.activate()


@pytest.fixture
def result(volume, masks, comparison_of, lite_medsam, eight_bits):
    left, right = masks
    comparison = comparison_of(volume, left, right, truth=left, precision=eight_bits.settings.title)
    sides = ComparedModel.full(lite_medsam), (ComparedModel.quantized(eight_bits),)
    return ComparisonResult(volume, (ObjectComparison("cube", (comparison,), left),), *sides)


@pytest.fixture
def shown(dock, result, qtbot):
    """The dock with the result on screen."""
    dock.show_result(result)
    qtbot.waitUntil(lambda: dock.results.isVisible() and dock.desk.reading.result is result, timeout=PATIENCE_MS)
    return dock


def on_canvas(viewer):
    texts = [getattr(overlay, "text", "") for overlay in viewer.canvas.overlays.values()]
    return " ".join([*texts, *(layer.name for layer in viewer.layers)]).lower()


def in_results(dock):
    return " ".join(label.text() for label in dock.results.findChildren(QLabel) if label.isVisible()).lower()


def test_a_reading_shows_nameless_sides_and_brings_the_figures_back(shown, result, shown_viewer, tmp_path, qtbot):
    dock = shown
    assert "dice" in on_canvas(shown_viewer)
    dock.desk.reading.begin(tmp_path / "log.csv")
    reference = result.objects[0].reference.mask_in(result.volume.grid.shape_zyx)
    while dock.desk.is_reading:
        for secret in SECRETS:
            assert secret not in on_canvas(shown_viewer)
            assert secret not in in_results(dock)
        assert [dock.results.isTabVisible(index) for index in range(dock.results.count())].count(True) == 1
        assert not dock.buttons.compare.isEnabled()
        trial = dock.desk.reading.reading.current
        assert shown_viewer.dims.current_step[0] == trial.item.z
        left, right = dock.view.masks(trial.item.z)
        assert np.array_equal((right if trial.quantized_is_left else left) > 0, reference[trial.item.z])
        assert (left.max(), right.max()) == (1, 1), "both sides have the same colour"
        dock.go_to_worst()
        assert shown_viewer.dims.current_step[0] == trial.item.z
        dock.desk.reading.choose("none")
    qtbot.waitUntil(lambda: "fp32" in on_canvas(shown_viewer), timeout=PATIENCE_MS)
    assert "dice" in on_canvas(shown_viewer)
    assert all(dock.results.isTabVisible(index) for index in range(dock.results.count()))
    assert dock.desk.reading.finished is not None
    assert dock.result is result


def test_closing_the_view_ends_the_reading_without_names(shown, tmp_path):
    dock = shown
    dock.desk.reading.begin(tmp_path / "log.csv")
    dock.desk.reading.choose("left")
    dock.view.close()
    assert not dock.desk.is_reading
    assert not dock.view.is_open
    assert dock.desk.reading.finished is None
    assert "quantized" not in (tmp_path / "log.csv").read_text()


def test_a_session_is_saved_and_opened_again(shown, result, tmp_path, qtbot):
    dock = shown
    dock.desk.gate.set_tolerance(Tolerance(0.5, 60))
    verdicts = dock.desk.gate.judged()
    dock.desk.save(tmp_path / "session")
    qtbot.waitUntil(lambda: not dock.progress.is_running, timeout=PATIENCE_MS)
    assert (tmp_path / "session" / "report.html").is_file()
    assert dock.desk.sessions.page_button.isVisibleTo(dock.desk.sessions)
    dock.desk.gate.set_tolerance(Tolerance())
    dock.model_panel.runtimes.choose(Runtime.openvino)
    dock.view.close()
    dock.desk.open(tmp_path / "session")
    qtbot.waitUntil(lambda: not dock.progress.is_running, timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: dock.desk.sessions.told.text().startswith("Opened"), timeout=PATIENCE_MS)
    assert dock.view.is_open
    assert dock.model_panel.runtimes.runtime is Runtime.torch  # as it was made
    assert all(side.segmenter.execution.setting == "torch" for side in dock.result.candidates)
    assert dock.desk.gate.judged() == verdicts
    again = dock.result.objects[0]
    assert again.name == "cube"
    for now, was in zip(again.results, result.objects[0].results, strict=True):
        assert now.mask.first == was.mask.first
        assert np.array_equal(now.mask.voxels, was.mask.voxels)
    assert dock.prompt_panel.prompts.objects[0].box == result.objects[0].box


def test_a_session_whose_runtime_is_missing_here_says_what_runs_instead(shown, tmp_path, qtbot, monkeypatch):
    dock = shown
    dock.desk.save(tmp_path / "session")
    qtbot.waitUntil(lambda: not dock.progress.is_running, timeout=PATIENCE_MS)
    monkeypatch.setattr(session_jobs, "obstacle", lambda _runtime: "the runtime is not installed")
    dock.desk.open(tmp_path / "session")
    qtbot.waitUntil(lambda: dock.desk.sessions.told.text().startswith("Opened"), timeout=PATIENCE_MS)
    messages = [notice.message for notice in notification_manager.records]
    assert any("models run on torch from here: the runtime is not installed" in message for message in messages)


def test_a_session_of_another_volume_is_refused(shown, result, shown_viewer, tmp_path, qtbot):
    dock = shown
    other = replace(result.volume, voxels=result.volume.voxels + 1, name="other")
    dock.desk.save(tmp_path / "session")
    qtbot.waitUntil(lambda: not dock.progress.is_running, timeout=PATIENCE_MS)
    dock.view.close()
    dock.volume_panel.layers.choose(shown_viewer.add_layer(Layer.create(*image_tuple(other))))
    dock.desk.open(tmp_path / "session")
    qtbot.waitUntil(lambda: not dock.progress.is_running, timeout=PATIENCE_MS)
    assert any("is not the volume of the session" in notice.message for notice in notification_manager.records)
    assert not dock.view.is_open
