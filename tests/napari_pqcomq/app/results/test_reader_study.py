"""A blinded reading in the dock leaks nothing, and brings names and figures back."""

from __future__ import annotations

import numpy as np
from qtpy.QtGui import QColor, QImage
from qtpy.QtWidgets import QLabel

from napari_pqcomq.viewer.sides.side_layers import FULL_COLOUR, QUANTIZED_COLOUR
from napari_pqcomq.widgets.napari_window.gl_context import canvas_of

PATIENCE_MS = 300_000
SECRETS = ("bit", "fp32", "precision", "quantized", "dice")


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
