"""The dock with real clicks and the real model, on a small volume."""

from __future__ import annotations

import re
import warnings
from dataclasses import replace
from pathlib import Path
from threading import Event

import numpy as np
import pytest
import SimpleITK as sitk
from napari.layers import Layer
from napari.utils.notifications import notification_manager
from qtpy.QtCore import QEvent, QSettings, Qt
from qtpy.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QHeaderView,
    QLineEdit,
    QProgressBar,
    QSlider,
    QTabBar,
    QWidget,
)

from napari_pqcomq.app.compare_widget import CompareWidget
from napari_pqcomq.layers.comparison_tag import is_of_comparison
from napari_pqcomq.layers.mask_layers import layer_masks
from napari_pqcomq.layers.volume_layers import image_tuple, labels_tuple
from napari_pqcomq.prompts.marks.box_layers import boxes_tuple
from napari_pqcomq.viewer.scene import Pane, Scene
from napari_pqcomq.viewer.sides.side_layers import LEFT_COLOUR, RIGHT_COLOUR
from napari_pqcomq.widgets.controls.collapsible import Collapsible
from napari_pqcomq.widgets.controls.wheel_guard import WheelGuard
from pqcomq.backends.runtime import Runtime
from pqcomq.comparison.gate import Tolerance
from pqcomq.progress import Progress
from pqcomq.quantization.planning.presets import default_config
from pqcomq.quantization.quantized_model import QuantizedModel
from pqcomq.segmentation.box import Box3D

PATIENCE_MS = 300_000
CONTROLS = (QAbstractButton, QComboBox, QAbstractSpinBox, QLineEdit, QAbstractItemView, QSlider, QProgressBar)
BOX = Box3D(5, 5, 4, 17, 15, 5)
SETTINGS = (QSettings.Format.IniFormat, QSettings.Scope.UserScope, "napari-pqcomq", "napari-pqcomq")


@pytest.fixture
def dock(shown_viewer, loaded_once):
    """The dock as napari makes it, quick settings, and stopped jobs at the end."""
    dock = CompareWidget(shown_viewer)
    shown_viewer.window.add_dock_widget(dock)
    dock.panels.model.choose_bits(8)
    dock.panels.model.choose_method("rtn")
    dock.panels.calibration.choose_slices(1)
    dock.panels.model.choose_runtime(Runtime.torch)
    yield dock
    dock.panels.jobs.cancel()
    while dock.panels.jobs.is_running:
        shown_viewer.window.activate()


@pytest.fixture
def ready(dock, shown_viewer, volume):
    """The dock with a volume, a box and ground truth."""
    labels = np.where(volume.voxels == 200, 3, 0).astype(np.uint8)
    for layer in (image_tuple(volume), labels_tuple(volume, labels, "truth"), boxes_tuple(volume, {"cube": BOX})):
        shown_viewer.add_layer(Layer.create(*layer))
    dock.panels.truth.layers.choose(shown_viewer.layers["truth"])
    return dock


@pytest.fixture
def prepared(ready, eight_bits):
    """The same with weights at hand."""
    ready.workflow.weights.take({ready.panels.model.choice: eight_bits})
    return ready


def press(qtbot, button):
    assert button.isEnabled()
    qtbot.waitUntil(lambda: not button.rect().isEmpty())  # one that has just come in has no place yet
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def notices():
    return [notice.message for notice in notification_manager.records]


def wait_for_end(qtbot, dock):
    qtbot.waitUntil(lambda: not dock.panels.jobs.is_running, timeout=PATIENCE_MS)


def test_an_empty_viewer_is_told_what_to_do(dock):
    assert "Open a NIfTI file or a DICOM folder" in dock.panels.actions.hint.text()
    assert not dock.panels.actions.compare_button.isEnabled()
    assert not dock.panels.weights.quantize_button.isEnabled()
    assert dock.panels.volume.layers.placeholderText() == "none open"


def test_the_hint_goes_from_step_to_step(dock, shown_viewer, volume):
    shown_viewer.add_layer(Layer.create(*image_tuple(volume)))
    assert "Draw a box" in dock.panels.actions.hint.text()
    assert dock.panels.volume.facts.text() == "CT · 40 × 30 × 12 voxels · 1.5 × 2 × 4 mm"
    shown_viewer.add_layer(Layer.create(*boxes_tuple(volume, {"cube": BOX})))
    assert "quantized first" in dock.panels.actions.hint.text()
    assert "1 slice of the open volume" in dock.panels.weights.status.text()
    dock.panels.model.choose_model("medsam")
    assert "Step 2 fetches this model" in dock.panels.actions.hint.text()
    assert not dock.panels.actions.compare_button.isEnabled()


def test_a_drawn_box_prompts_on_the_slices_round_it(dock, shown_viewer, qtbot, volume, drag):
    shown_viewer.add_layer(Layer.create(*image_tuple(volume)))
    shown_viewer.dims.set_current_step(0, 2)
    press(qtbot, dock.panels.prompts.draw_button)
    drag(shown_viewer, (5.0, 6.0), (14.0, 16.0))
    box = dock.panels.objects.current_prompt.box
    np.testing.assert_allclose((box.x0, box.y0, box.x1, box.y1), (6, 5, 16, 14), atol=0.5)
    assert (box.z0, box.z1) == (0, 7)  # five slices either way, cut off at the volume's end
    assert dock.panels.actions.compare_button.isEnabled()


def test_ready_boxes_bring_their_slices_and_the_label_inside_is_suggested(ready):
    assert ready.panels.objects.current_prompt.box == BOX
    assert ready.panels.truth.label.value() == 3


def test_the_window_is_display_only_until_the_models_are_to_see_it(ready, shown_viewer):
    panel = ready.panels.volume
    panel.presets.setCurrentText("Bone (W 1800 / L 400)")
    assert shown_viewer.layers["block"].contrast_limits == [-500, 1300]
    assert panel.intensity_window is None, "the models see the modality's own"
    assert panel.input_note.isHidden()
    panel.models_see.setCurrentText("The window shown")
    assert (panel.intensity_window.level, panel.intensity_window.width) == (400, 1800)
    assert "Models see W 1800 / L 400" in panel.input_note.text()
    assert not panel.input_note.isHidden()
    shown_viewer.layers["block"].contrast_limits = (0, 100)
    panel.presets.setCurrentText("Set by hand")
    assert (panel.intensity_window.level, panel.intensity_window.width) == (50, 100)
    panel.models_see.setCurrentText("The modality's window")
    assert panel.intensity_window is None


def test_compare_quantizes_shows_both_sides_and_close_restores(ready, shown_viewer, qtbot):
    before = [(layer.name, layer.visible) for layer in shown_viewer.layers]
    press(qtbot, ready.panels.actions.compare_button)
    assert ready.panels.jobs.isVisible()
    assert not ready.panels.actions.compare_button.isEnabled()
    qtbot.waitUntil(lambda: ready.panels.view.is_open, timeout=PATIENCE_MS)
    assert shown_viewer.canvas.grid.enabled
    left, right = ("\n".join(plate.lines) for plate in plates(ready))
    assert "Dice vs ground truth" in left
    assert "Dice vs ground truth" in right
    assert "Dice vs full precision" in right
    assert "Dice vs full precision" not in left
    assert "simulated" in right
    titles = [plate.title for plate in plates(ready)]
    assert titles[0] == "LiteMedSAM · FP32"
    assert "8-bit" in titles[1]
    groups = [row[0] for row in ready.panels.metrics.texts() if len(row) == 1]
    assert groups == [
        "Agreement of the models",
        "Accuracy against ground truth",
        "Volume and size",
        "Doubt, told without full precision",
        "Time and memory",
    ]
    in_window = ready.panels.results_dock.mapTo(ready.window(), ready.panels.results_dock.rect().topLeft())
    assert in_window.y() > ready.window().height() / 2, "the results stand below the pictures"
    assert ready.panels.results_dock.width() < ready.window().width() - ready.width(), "and beside the dock"
    assert not ready.panels.jobs.isVisible()
    press(qtbot, ready.panels.actions.close_button)
    assert [(layer.name, layer.visible) for layer in shown_viewer.layers] == before
    assert not shown_viewer.canvas.grid.enabled
    assert not ready.panels.actions.close_button.isVisible()


def plates(dock):
    """What stands above the pictures, from left to right."""
    return dock.panels.view.strips.plates


def wait_for_masks(qtbot, view, slices):
    def masks_are_there():
        return all(mask.any() for z in slices for mask in view.masks(z))

    qtbot.waitUntil(masks_are_there, timeout=PATIENCE_MS)


def test_masks_follow_a_dragged_box_on_both_sides(prepared, shown_viewer, qtbot, drag):
    ready = prepared
    ready.panels.objects.load(())
    press(qtbot, ready.panels.actions.live_button)
    qtbot.waitUntil(lambda: ready.panels.view.is_open, timeout=PATIENCE_MS)
    shown_viewer.dims.set_current_step(0, 5)
    press(qtbot, ready.panels.prompts.draw_button)
    drag(shown_viewer, (4.0, 4.0), (15.0, 17.0), cell=1)  # drawn on the quantized side
    wait_for_masks(qtbot, ready.panels.view, [5])
    lower = ready.panels.view.masks(5)[0]
    assert not ready.panels.view.masks(4)[0].any(), "no slice is segmented that was not looked at"
    assert "Live, slice 5 only" in plates(ready)[0].lines
    assert any("Dice vs full precision" in line for line in plates(ready)[1].lines)
    before, asked = lower.copy(), len(ready.panels.live.latencies_ms)
    drag(shown_viewer, (9.5, 10.5), (16.5, 24.5), cell=0)  # and moved on the other
    qtbot.waitUntil(lambda: len(ready.panels.live.latencies_ms) > asked, timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: (ready.panels.view.masks(5)[0] != before).any(), timeout=PATIENCE_MS)
    ready.panels.view.hide("masks", True)
    lines = shown_viewer.layers["2: lines"]
    assert lines.vertices[lines.vertex_values.astype(int) == 0, 2].min() > 10, "the other side's box follows too"
    ready.panels.view.hide("masks", False)
    qtbot.waitUntil(lambda: ready.panels.live.is_up_to_date, timeout=PATIENCE_MS)  # or they go with the slice
    shown_viewer.dims.set_current_step(0, 6)
    wait_for_masks(qtbot, ready.panels.view, [6])
    press(qtbot, ready.panels.view_bar.keep)
    qtbot.waitUntil(lambda: "Masks of FP32" in shown_viewer.layers, timeout=PATIENCE_MS)  # records are made beside
    kept = [shown_viewer.layers[f"Masks of {precision}"] for precision in ("FP32", "8-bit Round to nearest")]
    assert not any(layer.visible for layer in kept), "they would lie over the masks that they are copies of"
    for layer, shown in zip(kept, ready.panels.view.all_masks(), strict=True):
        named, _volume = layer_masks(layer.data, layer.metadata, layer.name)
        assert named[1].name == "Object 1"
        assert named[1].origin.prompt.box == ready.panels.objects.current_prompt.box
        assert named[1].origin.precision in layer.name
        np.testing.assert_array_equal(layer.data, shown)
    ready.panels.objects.undo()
    assert not ready.panels.view.masks(5)[0].any(), "masks of a box that is no more must go"
    assert kept[0].data[5].any(), "but not those that were kept"
    shown_viewer.dims.set_current_step(0, 5)
    wait_for_masks(qtbot, ready.panels.view, [5])
    shown_viewer.dims.set_current_step(0, 6)
    wait_for_masks(qtbot, ready.panels.view, [6])
    ready.panels.volume.choose_window(5)  # bone: a matter of display
    assert shown_viewer.layers["2: image"].contrast_limits == [-500, 1300]
    assert ready.panels.view.masks(5)[0].any(), "the models see what they saw"
    ready.panels.volume.models_see.setCurrentText("The window shown")
    assert not ready.panels.view.masks(5)[0].any(), "masks of the other window must go too"
    qtbot.waitUntil(lambda: "Encoding slice 6…" in " ".join(plates(ready)[0].lines), timeout=PATIENCE_MS)


def test_a_compared_object_keeps_its_figures_until_its_box_is_moved(prepared, shown_viewer, qtbot):
    ready = prepared
    press(qtbot, ready.panels.actions.compare_button)
    qtbot.waitUntil(lambda: ready.panels.view.is_open, timeout=PATIENCE_MS)
    assert plates(ready)[0].mark is None, "full precision is what the other is held against"
    ready.panels.gate.set_tolerance(Tolerance(0.01, 100))
    assert plates(ready)[1].mark.text.startswith("✓ PASS: Dice ≥ 0.01, volume within 100")
    ready.panels.gate.set_tolerance(Tolerance(1.0, 0))
    judged = "✗ FAIL" if ready.on_screen.result.comparisons[0].agreement.dice < 1 else "✓ PASS"
    assert plates(ready)[1].mark.text.startswith(judged)
    assert ready.panels.view_bar.worst.isEnabled()
    ready.panels.view.go_to(0)
    press(qtbot, ready.panels.view_bar.worst)
    assert shown_viewer.dims.current_step[0] == ready.on_screen.result.comparisons[0].worst_slice
    prompts = ready.panels.objects
    prompts.set_box(0, Box3D(7, 6, 4, 18, 16, 5))
    prompts.settle()
    assert not ready.panels.view_bar.worst.isEnabled()
    assert "Volume" not in str(plates(ready)), "figures of another box"
    assert plates(ready)[1].mark is None
    wait_for_masks(qtbot, ready.panels.view, [shown_viewer.dims.current_step[0]])
    assert "Volume" not in str(plates(ready))
    press(qtbot, ready.panels.actions.compare_button)
    wait_for_end(qtbot, ready)
    assert ready.on_screen.result.objects[0].box == Box3D(7, 6, 4, 18, 16, 5)
    assert "Volume" in str(plates(ready)[0].lines)


def test_keys_do_what_buttons_do_while_the_comparison_is_open(ready, shown_viewer, qtbot, masks):
    window = ready.window()

    def key(sequence, modifier=Qt.KeyboardModifier.NoModifier):
        qtbot.keyClick(window, sequence, modifier)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        QApplication.setActiveWindow(window)  # there is no window manager to do it under a virtual screen
    key("d")
    assert ready.panels.view.name == "Side by side", "napari's own keys must work while no comparison is open"
    shown_viewer.dims.set_current_step(0, 9)
    key("]")
    assert ready.panels.objects.current_prompt.box.z1 == 9, "boxes are made and undone before a comparison, too"
    key("z", Qt.KeyboardModifier.ControlModifier)
    assert ready.panels.objects.current_prompt.box.z1 == 5
    panes = [Pane("a", (), masks[0], LEFT_COLOUR), Pane("b", (), masks[1], RIGHT_COLOUR)]
    ready.panels.view.open(panes, Scene.of_box(ready.panels.volume.volume, (-160.0, 240.0), BOX))
    for pressed, expected in (("d", "Difference"), ("c", "Swipe"), ("f", "Flicker"), ("s", "Side by side")):
        key(pressed)
        assert ready.panels.view.name == expected
        assert ready.panels.view_bar.views[expected].isChecked()
    key("m")
    assert "masks" in ready.panels.view.hidden
    key("2")
    assert tuple(shown_viewer.dims.order) == (1, 0, 2)
    key("1")
    shown_viewer.dims.set_current_step(0, 8)
    key("]")
    assert ready.panels.objects.current_prompt.box.z1 == 8
    key("z", Qt.KeyboardModifier.ControlModifier)
    assert ready.panels.objects.current_prompt.box.z1 == 5


def test_the_status_bar_speaks_of_the_patient(ready, shown_viewer, hover):
    shown_viewer.layers.selection = {shown_viewer.layers["block"]}
    hover(shown_viewer, (10.0, 12.0))
    shown_viewer.update_status_from_cursor()
    words = re.fullmatch(r"R (\S+)  P (\S+)  S (\S+) mm: 200 HU", shown_viewer.status["coordinates"])
    # Voxel x 12, y 10, z 6 of 1.5 × 2 × 4 mm from -20, 10 and 300 mm; a pixel of the screen is a fraction of one.
    assert [float(word) for word in words.groups()] == pytest.approx([2, 30, 324], abs=4)


def test_settings_are_remembered(shown_viewer, volume, qtbot):
    first = CompareWidget(shown_viewer)
    first.panels.model.choose_bits(2)
    first.panels.prompts.modes.setCurrentIndex(1)
    first.panels.view.show("Difference")
    first.panels.session.pixels.setValue(3)
    first.panels.volume.open_menu.note([Path("/gone/ct.nii.gz")])
    first.release()
    second = CompareWidget(shown_viewer)
    assert second.panels.model.settings.widths == (2,)
    assert second.panels.prompts.mode == "same"
    assert second.panels.view.name == "Difference"
    assert second.panels.session.pixels.value() == 3
    assert second.panels.volume.open_menu.recent == [Path("/gone/ct.nii.gz")]
    second.release()
    for widget in (first, second):
        widget.deleteLater()


def test_one_bar_goes_over_making_the_weights_the_models_and_the_masks(ready, qtbot):
    bar, seen = ready.panels.jobs.bar, []
    ready.panels.jobs.told.connect(lambda text: seen.append((bar.value() if bar.maximum() else 0, text)))
    press(qtbot, ready.panels.actions.compare_button)
    qtbot.waitUntil(lambda: ready.panels.store.result is not None, timeout=PATIENCE_MS)
    seen = [each for each in seen if not each[1].startswith("Opening the view")]
    assert any("layer 101 of 101" in text for _value, text in seen)
    assert any(text.startswith("Segmenting") for _value, text in seen)
    values = [value for value, _text in seen]
    assert values == sorted(values), "it never begins again"
    quantized = max(value for value, text in seen if ", layer " in text)
    assert 100 <= quantized <= 950, "as long as it is expected to take beside what follows"
    assert values[-1] > 900
    wait_for_end(qtbot, ready)


def test_cancel_half_way_keeps_nothing_and_the_dock_goes_on(ready, lite_medsam, qtbot):
    ready.panels.model.choose_method("pcomq")
    ready.panels.calibration.choose_slices(4)
    seen = []
    ready.panels.jobs.bar.valueChanged.connect(seen.append)
    press(qtbot, ready.panels.weights.quantize_button)
    qtbot.waitUntil(lambda: any(value > 0 for value in seen), timeout=PATIENCE_MS)
    press(qtbot, ready.panels.jobs.cancel_button)
    assert "Cancelling" in ready.panels.jobs.text.text()
    wait_for_end(qtbot, ready)
    assert "Not quantized yet" in ready.panels.weights.status.text()
    assert not ready.panels.weights.save_button.isEnabled()
    assert ready.panels.weights.quantize_button.isEnabled()
    assert not ready.panels.jobs.isVisible()
    for module in lite_medsam.image_encoder.modules():
        assert not module._forward_pre_hooks, "the model is others' too"


def test_cancel_at_the_second_width_keeps_the_first(ready, qtbot):
    ready.panels.model.choose_bits(8, 4, 2)
    told = []
    ready.panels.jobs.told.connect(told.append)
    press(qtbot, ready.panels.weights.quantize_button)
    qtbot.waitUntil(lambda: any("4 bits" in each for each in told), timeout=PATIENCE_MS)
    press(qtbot, ready.panels.jobs.cancel_button)
    wait_for_end(qtbot, ready)
    status = ready.panels.weights.status.text()
    assert "Ready: 8-bit" in status
    assert "not quantized yet" in status
    _eight, *others = ready.panels.model.choices
    assert ready.workflow.weights.missing == tuple(others)
    ready.panels.model.choose_bits(8)
    assert ready.workflow.weights.chosen, "the finished width serves by itself"
    assert ready.panels.weights.save_button.isEnabled()


def test_closing_the_dock_loses_nothing_that_was_finished(ready, shown_viewer, qtbot, volume):
    press(qtbot, ready.panels.actions.compare_button)
    qtbot.waitUntil(lambda: ready.panels.store.result is not None, timeout=PATIENCE_MS)
    before = ready.panels.store.result
    ready.panels.truth.label.setValue(3)
    ready.panels.objects.add(Box3D(20, 5, 4, 30, 15, 5), "second")
    ready.panels.objects.settle()
    ready.release()
    assert not ready.panels.view.is_open
    again = CompareWidget(shown_viewer)
    shown_viewer.window.add_dock_widget(again)
    assert "Ready: 8-bit" in again.panels.weights.status.text()
    assert again.panels.truth.layers.currentText() == "truth"
    qtbot.waitUntil(lambda: again.panels.actions.kept_button.isVisible())
    assert "compared before" in again.panels.actions.hint.text()
    press(qtbot, again.panels.actions.kept_button)
    qtbot.waitUntil(lambda: again.panels.store.result is not None, timeout=PATIENCE_MS)
    assert again.panels.view.is_open
    assert again.panels.store.result.objects == before.objects
    assert [each.name for each in again.panels.objects.objects] == ["cube", "second"]
    assert not again.panels.actions.kept_button.isVisible()
    assert again.panels.metrics.texts()
    # The same volume opened anew; then one that the first was not compared with.
    again.panels.view.close()
    twin = replace(volume, voxels=volume.voxels.copy())
    again.panels.volume.layers.choose(shown_viewer.add_layer(Layer.create(*image_tuple(twin))))
    assert again.panels.actions.kept_button.isVisible()
    other = replace(volume, voxels=volume.voxels + 1)
    again.panels.volume.layers.choose(shown_viewer.add_layer(Layer.create(*image_tuple(other))))
    assert not again.panels.actions.kept_button.isVisible()
    assert "Not quantized yet" in again.panels.weights.status.text()
    assert "1 slice of block" in again.panels.weights.elsewhere_button.toolTip()
    press(qtbot, again.panels.weights.elsewhere_button)
    assert "Ready: 8-bit" in again.panels.weights.status.text()
    again.release()


def test_weights_are_saved_and_loaded_again_with_their_settings(prepared, qtbot, tmp_path):
    ready = prepared
    assert "Ready" in ready.panels.weights.status.text()
    ready.workflow.weights.save(tmp_path / "w.safetensors")
    assert not ready.panels.weights.save_button.isEnabled()
    wait_for_end(qtbot, ready)
    ready.panels.model.choose_bits(2)
    assert "Not quantized yet" in ready.panels.weights.status.text()
    ready.workflow.weights.load(tmp_path / "w.safetensors")
    wait_for_end(qtbot, ready)
    assert ready.panels.model.settings.widths == (8,)
    loaded = ready.workflow.models.quantized(ready.panels.model.choice)
    assert isinstance(loaded, QuantizedModel)
    assert loaded.settings == default_config("lite-medsam", 8, "rtn")


def test_a_bad_weights_file_is_told_in_one_sentence(ready, qtbot, tmp_path):
    bad = tmp_path / "bad.safetensors"
    bad.write_bytes(b"no weights")
    ready.workflow.weights.load(bad)
    wait_for_end(qtbot, ready)
    assert any("bad.safetensors" in message and "damaged" in message for message in notices())


def test_a_checkpoint_with_code_in_it_is_refused_and_never_run(ready, qtbot, tmp_path):
    marker = tmp_path / "ran"
    bad = tmp_path / "evil.pth"
    bad.write_bytes(b"cos\nsystem\n(S'touch " + str(marker).encode() + b"'\ntR.")
    ready.panels.model.choose_model("medsam")
    ready.panels.model.set_checkpoint(bad)
    press(qtbot, ready.panels.weights.quantize_button)
    wait_for_end(qtbot, ready)
    assert any("evil.pth" in message for message in notices())
    assert not marker.exists()


def test_labels_of_another_grid_are_refused(ready, tmp_path, block, monkeypatch):
    other = block()
    other.SetOrigin((500.0, 0.0, 0.0))
    path = tmp_path / "elsewhere.nii.gz"
    sitk.WriteImage(sitk.Cast(other > 100, sitk.sitkUInt8), str(path))
    monkeypatch.setattr(
        "napari_pqcomq.setup.ground_truth_panel.QFileDialog.getOpenFileName", lambda *given: (str(path), "")
    )
    ready.panels.truth.open_button.click()
    assert any("wholly outside of the volume (" in message for message in notices())


def test_the_layers_of_a_comparison_are_not_offered_as_the_users(ready, shown_viewer, masks):
    panes = Pane("a", (), masks[0], LEFT_COLOUR), Pane("b", (), masks[1], RIGHT_COLOUR)
    ready.panels.view.open(panes, Scene.of_box(ready.panels.volume.volume, (-160.0, 240.0), BOX))
    offered = {
        chooser.itemText(i)
        for chooser in (ready.panels.volume.layers, ready.panels.prompts.layers, ready.panels.truth.layers)
        for i in range(chooser.count())
    }
    assert offered == {"block", "Boxes", "truth", "None"}
    assert any(is_of_comparison(layer) for layer in shown_viewer.layers)


def test_closing_the_dock_ends_the_comparison_and_leaves_the_viewer_whole(plugin, shown_viewer, qtbot, volume, masks):
    wrapper, dock = shown_viewer.window.add_plugin_dock_widget("napari-pqcomq")
    shown_viewer.add_layer(Layer.create(*image_tuple(volume)))
    panes = Pane("a", (), masks[0], LEFT_COLOUR), Pane("b", (), masks[1], RIGHT_COLOUR)
    qtbot.waitUntil(lambda dock=dock: dock.parts is not None)
    dock.parts.panels.view.open(panes, Scene.of_box(volume, (-160.0, 240.0), BOX))
    wrapper.destroyOnClose()
    del dock
    qtbot.wait(100)
    assert not shown_viewer.canvas.grid.enabled
    assert [layer.name for layer in shown_viewer.layers] == ["block"]
    shown_viewer.add_layer(Layer.create(*boxes_tuple(volume, {"cube": BOX})))
    shown_viewer.layers.remove("block")


def test_a_window_that_goes_ends_what_runs_in_its_dock(plugin, shown_viewer, qtbot, volume):
    wrapper, dock = shown_viewer.window.add_plugin_dock_widget("napari-pqcomq")
    qtbot.waitUntil(lambda: dock.parts is not None and dock.isVisible())
    shown_viewer.add_layer(Layer.create(*image_tuple(volume)))
    wrapper.setFloating(True)  # a dock that floats goes with its main window, too
    parts, go_on = dock.parts, Event()

    def steps():
        yield Progress(0, 2, "Quantizing")
        go_on.wait(60)
        yield Progress(1, 2, "Quantizing")

    parts.panels.jobs.start(steps, lambda _result: None, "Quantizing…")
    parts.panels.session.pixels.setValue(7)
    # napari deletes the window that the user closes; other windows keep the process alive.
    dock.eventFilter(shown_viewer.window._qt_window, QEvent(QEvent.Type.DeferredDelete))
    go_on.set()
    assert parts.panels.jobs.was_cancelled
    assert QSettings(*SETTINGS).value("jitter pixels") == "7"
    assert parts.autosave.recorder.desk is None, "what was done is written"
    wait_for_end(qtbot, parts)


def test_long_names_do_not_widen_the_dock(ready, shown_viewer, qtbot):
    qtbot.wait(100)
    before = ready.width(), ready.minimumSizeHint().width()
    name = "a_series_1.2.840.113619.2.55.3.604688119.971.1598_of_a_long_name_without_a_single_space.nii.gz"
    shown_viewer.layers["block"].name = name
    ready.panels.objects.rename(0, name)
    ready.panels.session.show_message(f"Saved 5 files in {name}.")
    ready.panels.actions.show_hint(name)
    ready.panels.actions.show_licence(name)
    ready.panels.jobs.setVisible(True)
    ready.panels.jobs.text.setText(f"Loading {name}…")
    ready.panels.view_bar.set_candidates([name, name])
    ready.panels.view_bar.setVisible(True)
    for section in ready.findChildren(Collapsible):
        section.button.setChecked(True)
    qtbot.wait(200)
    assert (ready.width(), ready.minimumSizeHint().width()) == before


def test_the_wheel_over_any_control_of_the_dock_changes_nothing(ready):
    guard = ready.findChildren(WheelGuard)[0]
    for kind in (QComboBox, QAbstractSpinBox, QTabBar):
        controls = ready.findChildren(kind)
        assert controls
        assert set(map(id, controls)) <= set(map(id, guard.guarded))


def test_every_control_of_the_dock_has_a_tooltip(dock):
    choices = {choice: button.toolTip() for choice, button in dock.panels.reader_study.choices.items()}
    assert ["left" in choices["left"], "right" in choices["right"], "Neither" in choices["none"]] == [True] * 3
    controls = [each for each in dock.findChildren(QWidget) if isinstance(each, CONTROLS)]
    parts = ("qt_spinbox_lineedit", "qt_tableview_cornerbutton", "ScrollLeftButton", "ScrollRightButton")
    own = [each for each in controls if each.objectName() not in parts and not isinstance(each, QHeaderView)]
    # The list that a combo box opens is a widget of Qt's, with tooltips of its entries.
    own = [each for each in own if not isinstance(each.parentWidget().parentWidget(), QComboBox)]
    lacking = [(type(each.parent()).__name__, each.accessibleName(), each) for each in own if not each.toolTip()]
    assert len(own) > 50
    assert lacking == []
