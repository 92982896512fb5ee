"""The dock with real clicks and the real model, on a small volume."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from napari.layers import Layer
from napari.utils.notifications import notification_manager
from qtpy.QtCore import Qt

from napari_pqcomq.dock import CompareWidget
from napari_pqcomq.layers import image_tuple, labels_tuple
from napari_pqcomq.prompt_layer import boxes_tuple
from napari_pqcomq.side_layers import is_of_comparison
from pqcomq.quantization.settings import QuantizationSettings
from pqcomq.quantized.model import QuantizedModel
from pqcomq.segmentation.box import Box3D

PATIENCE_MS = 300_000
BOX = Box3D(5, 5, 4, 17, 15, 5)


@pytest.fixture
def dock(shown_viewer):
    """The dock as napari makes it, quick settings, and stopped jobs at the end."""
    dock = CompareWidget(shown_viewer)
    shown_viewer.window.add_dock_widget(dock)
    dock.model_panel.bits.setCurrentText("8 bits")
    dock.model_panel.methods.setCurrentText("Round to nearest")
    dock.calibration_panel.slices.setValue(1)
    yield dock
    dock.progress.cancel()
    while dock.progress.is_running:
        shown_viewer.window.activate()


@pytest.fixture
def ready(dock, shown_viewer, volume):
    """The dock with a volume, a box and ground truth."""
    labels = np.where(volume.voxels == 200, 3, 0).astype(np.uint8)
    for layer in (image_tuple(volume), labels_tuple(volume, labels, "truth"), boxes_tuple(volume, {"cube": BOX})):
        shown_viewer.add_layer(Layer.create(*layer))
    dock.truth_panel.layers.choose(shown_viewer.layers["truth"])
    return dock


def press(qtbot, button):
    assert button.isEnabled()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def notices():
    return [notice.message for notice in notification_manager.records]


def wait_for_end(qtbot, dock):
    qtbot.waitUntil(lambda: not dock.progress.is_running, timeout=PATIENCE_MS)


def test_an_empty_viewer_is_told_what_to_do(dock):
    assert "Open a NIfTI file or a DICOM folder" in dock.buttons.hint.text()
    assert not dock.buttons.compare.isEnabled()
    assert not dock.weights_panel.quantize_button.isEnabled()


def test_the_hint_goes_from_step_to_step(dock, shown_viewer, volume):
    shown_viewer.add_layer(Layer.create(*image_tuple(volume)))
    assert "Draw a box" in dock.buttons.hint.text()
    assert dock.volume_panel.facts.text() == "CT · 40 × 30 × 12 voxels · 1.5 × 2 × 4 mm"
    shown_viewer.add_layer(Layer.create(*boxes_tuple(volume, {"cube": BOX})))
    assert "quantized first" in dock.buttons.hint.text()
    assert "1 slice of the open volume" in dock.weights_panel.status.text()
    dock.model_panel.models.setCurrentText("MedSAM ViT-B")
    assert "Choose the checkpoint" in dock.buttons.hint.text()
    assert not dock.buttons.compare.isEnabled()


def test_a_drawn_box_prompts_on_the_slices_round_it(dock, shown_viewer, qtbot, volume):
    shown_viewer.add_layer(Layer.create(*image_tuple(volume)))
    shown_viewer.dims.set_current_step(0, 2)
    press(qtbot, dock.prompt_panel.draw_button)
    layer = shown_viewer.layers.selection.active
    assert layer.mode == "add_rectangle"
    layer.add_rectangles(np.array([[2, 5, 6], [2, 5, 16], [2, 14, 16], [2, 14, 6]], float))
    assert dock.prompt_panel.box() == Box3D(6, 5, 0, 16, 14, 7)  # five slices either way, cut off at the volume's end
    dock.prompt_panel.last.setValue(4)
    layer.data = [layer.data[0] + [0, 1, 1]]
    assert dock.prompt_panel.box() == Box3D(7, 6, 0, 17, 15, 4), "moving the box forgot the slices that the user chose"


def test_ready_boxes_bring_their_slices_and_the_label_inside_is_suggested(ready):
    assert ready.prompt_panel.box() == BOX
    assert ready.truth_panel.label.value() == 3


def test_the_window_holds_for_the_view(ready, shown_viewer):
    ready.volume_panel.presets.setCurrentText("Bone (W 1800 / L 400)")
    assert shown_viewer.layers["block"].contrast_limits == [-500, 1300]
    shown_viewer.layers["block"].contrast_limits = (0, 100)
    ready.volume_panel.presets.setCurrentText("As shown in the viewer")
    assert (ready.volume_panel.window.level, ready.volume_panel.window.width) == (50, 100)


def test_compare_quantizes_shows_both_sides_and_close_restores(ready, shown_viewer, qtbot):
    before = [(layer.name, layer.visible) for layer in shown_viewer.layers]
    press(qtbot, ready.buttons.compare)
    assert ready.progress.isVisible()
    assert not ready.buttons.compare.isEnabled()
    qtbot.waitUntil(lambda: ready.view.is_open, timeout=PATIENCE_MS)
    assert shown_viewer.canvas.grid.enabled
    left, right = (shown_viewer.canvas.overlays[f"pqcomq_top_{side}_body"].text for side in ("left", "right"))
    assert "Dice vs ground truth" in left
    assert "Dice vs ground truth" in right
    assert "Dice vs full precision" in right
    assert "Dice vs full precision" not in left
    assert "simulated" in " ".join(right.split())
    titles = [shown_viewer.canvas.overlays[f"pqcomq_top_{side}_title"].text for side in ("left", "right")]
    assert titles[0] == "LiteMedSAM · FP32"
    assert "8-bit" in titles[1]
    groups = [row[0] for row in ready.results.texts() if len(row) == 1]
    assert groups == ["Agreement of the two models", "Accuracy against ground truth", "Volume, time and size"]
    assert not ready.progress.isVisible()
    press(qtbot, ready.buttons.close)
    assert [(layer.name, layer.visible) for layer in shown_viewer.layers] == before
    assert not shown_viewer.canvas.grid.enabled
    assert not ready.buttons.close.isVisible()


def test_cancel_half_way_keeps_nothing_and_the_dock_goes_on(ready, shown_viewer, qtbot):
    ready.calibration_panel.slices.setValue(4)
    seen = []
    ready.progress.bar.valueChanged.connect(seen.append)
    press(qtbot, ready.weights_panel.quantize_button)
    qtbot.waitUntil(lambda: 1 in seen, timeout=PATIENCE_MS)
    press(qtbot, ready.progress.cancel_button)
    assert "Cancelling" in ready.progress.text.text()
    wait_for_end(qtbot, ready)
    assert "Not quantized yet" in ready.weights_panel.status.text()
    assert not ready.weights_panel.save_button.isEnabled()
    assert ready.weights_panel.quantize_button.isEnabled()
    assert not ready.progress.isVisible()


def test_weights_are_saved_and_loaded_again_with_their_settings(ready, qtbot, tmp_path):
    press(qtbot, ready.weights_panel.quantize_button)
    wait_for_end(qtbot, ready)
    assert "Ready" in ready.weights_panel.status.text()
    ready.weights_panel.save(tmp_path / "w.safetensors")
    ready.model_panel.bits.setCurrentText("2 bits")
    assert "Not quantized yet" in ready.weights_panel.status.text()
    ready.load_weights(tmp_path / "w.safetensors")
    wait_for_end(qtbot, ready)
    assert ready.model_panel.bits.currentText() == "8 bits"
    loaded = ready.weights_panel.weights_for(ready.model_panel.choice)
    assert isinstance(loaded, QuantizedModel)
    assert loaded.settings == QuantizationSettings.default(8, "rtn")


def test_a_bad_weights_file_is_told_in_one_sentence(ready, qtbot, tmp_path):
    bad = tmp_path / "bad.safetensors"
    bad.write_bytes(b"no weights")
    ready.load_weights(bad)
    wait_for_end(qtbot, ready)
    assert any("bad.safetensors" in message and "damaged" in message for message in notices())


def test_a_checkpoint_with_code_in_it_is_refused_and_never_run(ready, qtbot, tmp_path):
    marker = tmp_path / "ran"
    bad = tmp_path / "evil.pth"
    bad.write_bytes(b"cos\nsystem\n(S'touch " + str(marker).encode() + b"'\ntR.")
    ready.model_panel.models.setCurrentText("MedSAM ViT-B")
    ready.model_panel.set_checkpoint(bad)
    press(qtbot, ready.weights_panel.quantize_button)
    wait_for_end(qtbot, ready)
    assert any("evil.pth" in message for message in notices())
    assert not marker.exists()


def test_labels_of_another_grid_are_refused(ready, tmp_path, block, monkeypatch):
    other = block()
    other.SetOrigin((500.0, 0.0, 0.0))
    path = tmp_path / "elsewhere.nii.gz"
    sitk.WriteImage(sitk.Cast(other > 100, sitk.sitkUInt8), str(path))
    monkeypatch.setattr("napari_pqcomq.truth_panel.QFileDialog.getOpenFileName", lambda *given: (str(path), ""))
    ready.truth_panel.open_button.click()
    assert any("elsewhere.nii.gz" in message for message in notices())


def test_the_layers_of_a_comparison_are_not_offered_as_the_users(ready, shown_viewer, masks):
    from napari_pqcomq.side_layers import LEFT_COLOUR, RIGHT_COLOUR, Pane, Scene

    panes = Pane("a", (), masks[0], LEFT_COLOUR), Pane("b", (), masks[1], RIGHT_COLOUR)
    ready.view.open(*panes, Scene(ready.volume_panel.volume, (-160.0, 240.0), BOX))
    offered = {
        chooser.itemText(i)
        for chooser in (ready.volume_panel.layers, ready.prompt_panel.layers, ready.truth_panel.layers)
        for i in range(chooser.count())
    }
    assert offered == {"block", "Boxes", "truth", "None"}
    assert any(is_of_comparison(layer) for layer in shown_viewer.layers)


def test_closing_the_dock_ends_the_comparison_and_leaves_the_viewer_whole(plugin, shown_viewer, qtbot, volume, masks):
    from napari_pqcomq.side_layers import LEFT_COLOUR, RIGHT_COLOUR, Pane, Scene

    wrapper, dock = shown_viewer.window.add_plugin_dock_widget("napari-pqcomq")
    shown_viewer.add_layer(Layer.create(*image_tuple(volume)))
    panes = Pane("a", (), masks[0], LEFT_COLOUR), Pane("b", (), masks[1], RIGHT_COLOUR)
    dock.view.open(*panes, Scene(volume, (-160.0, 240.0), BOX))
    wrapper.destroyOnClose()
    del dock
    qtbot.wait(100)
    assert not shown_viewer.canvas.grid.enabled
    assert [layer.name for layer in shown_viewer.layers] == ["block"]
    shown_viewer.add_layer(Layer.create(*boxes_tuple(volume, {"cube": BOX})))
    shown_viewer.layers.remove("block")
