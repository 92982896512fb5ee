"""The results area in the dock: a blinded reading leaks nothing, a session comes back as it was."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from napari.layers import Layer
from napari.utils.notifications import notification_manager
from qtpy.QtGui import QColor, QImage
from qtpy.QtWidgets import QLabel, QWidget

from napari_pqcomq.app.compare_widget import CompareWidget
from napari_pqcomq.jobs import session_jobs
from napari_pqcomq.layers.volume_layers import image_tuple
from napari_pqcomq.prompts.prompted_object import Prompt
from napari_pqcomq.viewer.side_layers import FULL_COLOUR, QUANTIZED_COLOUR
from napari_pqcomq.widgets.napari_window.gl_context import canvas_of
from pqcomq.backends.runtime import Runtime
from pqcomq.comparison.compared_model import ComparedModel
from pqcomq.comparison.comparison_result import ComparisonResult, ObjectComparison
from pqcomq.comparison.gate import Tolerance
from pqcomq.comparison.model_result import Comparison, ModelResult
from pqcomq.models.catalogue.model_store import Record, keep_record
from pqcomq.models.segmenter import Segmenter
from pqcomq.quantization.quantized_model import QuantizedModel
from pqcomq.reader_study.blinded_study import BlindedReading

PATIENCE_MS = 300_000
SECRETS = ("bit", "fp32", "precision", "quantized", "dice")


@pytest.fixture
def dock(shown_viewer, volume, loaded_once):
    dock = CompareWidget(shown_viewer)
    shown_viewer.window.add_dock_widget(dock)
    shown_viewer.add_layer(Layer.create(*image_tuple(volume)))
    yield dock
    dock.panels.jobs.cancel()
    while dock.panels.jobs.is_running:
        shown_viewer.window.activate()


@pytest.fixture
def shown(dock, result, qtbot):
    """The dock with the result on screen."""
    dock.workflow.show_result(result)
    qtbot.waitUntil(lambda: dock.panels.results.isVisible() and dock.panels.store.result is result, timeout=PATIENCE_MS)
    return dock


def on_canvas(viewer):
    texts = [getattr(overlay, "text", "") for overlay in viewer.canvas.overlays.values()]
    strips = [label for label in canvas_of(viewer.window._qt_window).findChildren(QLabel) if label.isVisible()]
    texts += [text for strip in strips for text in (strip.text(), strip.toolTip())]
    return " ".join([*texts, *(layer.name for layer in viewer.layers)]).lower()


def in_results(dock):
    return " ".join(label.text() for label in dock.panels.results.findChildren(QLabel) if label.isVisible()).lower()


def rim_pixels(viewer):
    """How many pixels of the rims' colours are on the canvas."""
    image = canvas_of(viewer.window._qt_window).grabFramebuffer().convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    pixels = rows[:, : image.width() * 3].reshape(-1, 3).astype(int)
    rims = (QColor(each).getRgb()[:3] for each in (FULL_COLOUR, QUANTIZED_COLOUR))
    return sum(int((np.abs(pixels - each).max(axis=1) < 24).sum()) for each in rims)


def test_a_reading_shows_nameless_sides_and_brings_the_figures_back(shown, result, shown_viewer, tmp_path, qtbot):
    dock = shown
    assert "dice" in on_canvas(shown_viewer)
    dock.panels.reader_study.begin(tmp_path / "log.csv")
    reference = result.objects[0].reference.mask_in(result.volume.grid.shape_zyx)
    while dock.on_screen.is_reading:
        for secret in SECRETS:
            assert secret not in on_canvas(shown_viewer)
            assert secret not in in_results(dock)
        tabs = dock.panels.results
        assert [tabs.isTabVisible(index) for index in range(tabs.count())].count(True) == 1
        assert not dock.panels.actions.compare_button.isEnabled()
        trial = dock.panels.store.reading.current
        assert shown_viewer.dims.current_step[0] == trial.item.z
        left, right = dock.panels.view.masks(trial.item.z)
        assert np.array_equal((right if trial.quantized_is_left else left) > 0, reference[trial.item.z])
        assert (left.max(), right.max()) == (1, 1), "both sides have the same colour"
        assert rim_pixels(shown_viewer) == 0, "and are drawn alike"
        dock.panels.view._change_scene(blinded=False)
        assert rim_pixels(shown_viewer) > 0
        dock.panels.view._change_scene(blinded=True)
        dock.navigation.go_to_worst()
        assert shown_viewer.dims.current_step[0] == trial.item.z
        dock.panels.reader_study.choose("none")
    qtbot.waitUntil(lambda: "fp32" in on_canvas(shown_viewer), timeout=PATIENCE_MS)
    assert "dice" in on_canvas(shown_viewer)
    assert all(dock.panels.results.isTabVisible(index) for index in range(dock.panels.results.count()))
    assert dock.panels.store.finished_reading is not None
    assert dock.on_screen.result is result


def test_a_reading_looks_at_the_object_and_never_flashes_another_place(shown, result, shown_viewer, tmp_path, qtbot):
    dock = shown
    qtbot.wait(300)
    dock.panels.view.go_to(0)
    dock.panels.view.look_at(None)
    of_slice = shown_viewer.scene.camera.zoom
    qtbot.wait(300)
    frames = []
    canvas = canvas_of(shown_viewer.window._qt_window)

    def seen(event=None):
        camera = shown_viewer.scene.camera
        frames.append((shown_viewer.dims.current_step[0], round(camera.zoom, 3), tuple(camera.center)))

    scene_canvas = shown_viewer.window._qt_viewer.canvas._scene_canvas
    scene_canvas.events.draw.connect(seen)
    layers = [id(layer) for layer in shown_viewer.layers]
    dock.panels.reader_study.begin(tmp_path / "log.csv")
    while dock.on_screen.is_reading:
        trial = dock.panels.store.reading.current
        frames.clear()
        canvas.update()
        qtbot.waitUntil(lambda: bool(frames))
        qtbot.wait(100)
        assert {frame[0] for frame in frames} == {trial.item.z}, "every picture drawn is of the pair's slice"
        assert len({frame[1:] for frame in frames}) == 1, "and of one place"
        assert frames[-1][1] > of_slice, "near the object"
        assert dock.panels.view.is_close
        assert "J: left, L: right" in dock.panels.actions.hint.text()
        dock.panels.reader_study.choose("left")
    assert [id(layer) for layer in shown_viewer.layers] == layers, "no layer is made anew: no black seconds"
    assert dock.panels.view.is_open
    assert "Time for a pair: median" in dock.panels.reader_study.text.text()
    assert "95 % interval" in dock.panels.reader_study.text.text()
    scene_canvas.events.draw.disconnect(seen)


def test_closing_the_view_ends_the_reading_without_names(shown, tmp_path):
    dock = shown
    dock.panels.reader_study.begin(tmp_path / "log.csv")
    dock.panels.reader_study.choose("left")
    dock.panels.view.close()
    assert not dock.on_screen.is_reading
    assert not dock.panels.view.is_open
    assert dock.panels.store.finished_reading is None
    assert "quantized" not in (tmp_path / "log.csv").read_text()


def test_a_session_is_saved_and_opened_again(shown, result, tmp_path, qtbot):
    dock = shown
    dock.panels.gate.set_tolerance(Tolerance(0.5, 60))
    verdicts = dock.panels.gate.judged()
    dock.results.save_session(tmp_path / "session")
    qtbot.waitUntil(lambda: not dock.panels.jobs.is_running, timeout=PATIENCE_MS)
    assert (tmp_path / "session" / "report.html").is_file()
    assert dock.panels.session.page_button.isVisibleTo(dock.panels.session)
    dock.panels.gate.set_tolerance(Tolerance())
    dock.panels.model.choose_runtime(Runtime.openvino)
    dock.panels.view.close()
    dock.results.open_session(tmp_path / "session")
    qtbot.waitUntil(lambda: not dock.panels.jobs.is_running, timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: dock.panels.session.message.text().startswith("Opened"), timeout=PATIENCE_MS)
    assert dock.panels.view.is_open
    assert dock.panels.model.runtime is Runtime.torch  # as it was made
    assert all(side.segmenter.execution.setting == "torch" for side in dock.on_screen.result.candidates)
    assert dock.panels.gate.judged() == verdicts
    again = dock.on_screen.result.objects[0]
    assert again.name == "cube"
    for now, was in zip(again.results, result.objects[0].results, strict=True):
        assert now.mask.first == was.mask.first
        assert np.array_equal(now.mask.voxels, was.mask.voxels)
    assert dock.panels.objects.objects[0].box == result.objects[0].box


def test_a_session_whose_runtime_is_missing_here_says_what_runs_instead(shown, tmp_path, qtbot, monkeypatch):
    dock = shown
    dock.results.save_session(tmp_path / "session")
    qtbot.waitUntil(lambda: not dock.panels.jobs.is_running, timeout=PATIENCE_MS)
    monkeypatch.setattr(session_jobs, "obstacle", lambda _runtime: "the runtime is not installed")
    dock.results.open_session(tmp_path / "session")
    qtbot.waitUntil(lambda: dock.panels.session.message.text().startswith("Opened"), timeout=PATIENCE_MS)
    messages = [notice.message for notice in notification_manager.records]
    assert any("models run on torch from here: the runtime is not installed" in message for message in messages)


def test_a_session_takes_its_own_model_and_no_other_that_is_chosen(shown, result, tmp_path, qtbot):
    dock, model, other = shown, shown.panels.model, tmp_path / "sam.pth"
    other.write_bytes(b"of another model")
    dock.results.save_session(tmp_path / "session")
    qtbot.waitUntil(lambda: not dock.panels.jobs.is_running, timeout=PATIENCE_MS)
    dock.panels.view.close()
    model.choose_model("sam-vit-b")
    model.set_checkpoint(other)
    model.choose_bits(2)
    dock.results.open_session(tmp_path / "session")
    qtbot.waitUntil(lambda: dock.panels.session.message.text().startswith("Opened"), timeout=PATIENCE_MS)
    made = result.candidates[0].weights
    assert (model.settings.key, model.settings.method) == ("lite-medsam", made.settings.method)
    assert model.settings.widths == tuple(each.weights.settings.bits for each in result.candidates)
    assert [each.segmenter.fingerprint for each in dock.workflow.weights.chosen] == [
        each.weights.segmenter.fingerprint for each in result.candidates
    ]
    assert model.checkpoints == {"sam-vit-b": other}


def test_weights_kept_on_this_machine_are_taken_where_they_are_the_session_s(tmp_path, monkeypatch):
    monkeypatch.setenv("PQCOMQ_MODELS", str(tmp_path))
    (tmp_path / "medsam_vit_b.pth").write_bytes(b"weights")
    keep_record("medsam", Record("medsam_vit_b.pth", "ab" * 32, "a file", ""))
    own = {"medsam": tmp_path / "own.pth"}
    job = session_jobs.OpenSessionJob(tmp_path, None, own, None)
    for sha256, file in (("ab" * 32, None), ("cd" * 32, own["medsam"])):
        assert job._checkpoint(SimpleNamespace(model_key="medsam", checkpoint_sha256=sha256)) == file
    assert job._checkpoint(SimpleNamespace(model_key="sam-vit-h", checkpoint_sha256="")) is None


def test_a_session_of_another_volume_is_refused(shown, result, shown_viewer, tmp_path, qtbot):
    dock = shown
    other = replace(result.volume, voxels=result.volume.voxels + 1, name="other")
    dock.results.save_session(tmp_path / "session")
    qtbot.waitUntil(lambda: not dock.panels.jobs.is_running, timeout=PATIENCE_MS)
    dock.panels.view.close()
    dock.panels.volume.layers.choose(shown_viewer.add_layer(Layer.create(*image_tuple(other))))
    dock.results.open_session(tmp_path / "session")
    qtbot.waitUntil(lambda: not dock.panels.jobs.is_running, timeout=PATIENCE_MS)
    assert any("is not the volume of the session" in notice.message for notice in notification_manager.records)
    assert not dock.panels.view.is_open


def test_no_widget_keeps_a_model_or_a_result(shown, result, eight_bits, tmp_path):
    shown.workflow.weights.take({shown.panels.model.choice: eight_bits})
    shown.panels.reader_study.begin(tmp_path / "log.csv")
    results = (ComparisonResult, ObjectComparison, Comparison, ModelResult, BlindedReading)
    kept = (*results, ComparedModel, Segmenter, QuantizedModel)
    for widget in (shown, *shown.findChildren(QWidget)):
        for name, value in vars(widget).items():
            inside = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
            assert not any(isinstance(each, kept) for each in (value, *inside)), f"{type(widget).__name__}.{name}"


def test_what_the_tabs_show_is_saved_and_moved_while_other_masks_are_live(shown, monkeypatch, tmp_path):
    dock = shown
    dock.panels.view.close()
    dock.on_screen.result = None  # as when the view is opened for live masks
    started = []
    monkeypatch.setattr(dock.panels.jobs, "start", lambda *told: started.append(told))
    dock.results.save_session(tmp_path / "session")
    dock.panels.session.jitter_requested.emit(3)
    assert len(started) == 2, "a button that can be pressed does something"


def test_the_title_says_whose_figures_they_are_and_that_their_prompt_has_changed(dock, result, qtbot):
    dock.panels.objects.load(tuple(Prompt(each.number, each.name, each.box) for each in result.objects))
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
    dock.panels.objects.load(tuple(Prompt(each.number, each.name, each.box) for each in two.objects))
    dock.workflow.show_result(two)
    qtbot.waitUntil(lambda: dock.panels.store.result is two, timeout=PATIENCE_MS)
    for row, name in ((0, "cube"), (1, "other")):
        dock.panels.objects.choose(row)
        assert dock.panels.plots.objects.currentText() == name
        assert dock.panels.results_dock.windowTitle() == f"Results · {name}"
