"""The volume's facts, its window, and its modality."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.QtCore import Qt

from napari_pqcomq.layers.volume_layers import image_tuple, labels_tuple, volume_of
from napari_pqcomq.setup.volume_panel import VolumePanel
from pqcomq.volumes.import_issues import ImportIssue
from pqcomq.volumes.intensity_window import PRESETS, default_window
from pqcomq.volumes.volume import Volume


@pytest.fixture
def viewer():
    return ViewerModel()


@pytest.fixture
def doubtful(volume):
    odd = (ImportIssue("tilt", "The gantry was tilted."), ImportIssue("doubtful modality", "Taken for MR."))
    return Volume(volume.voxels, volume.grid, volume.file_grid, "MR", "doubtful", findings=odd)


def test_the_modality_is_set_by_hand_for_all_that_lies_on_the_volume(viewer, doubtful, qtbot):
    data, keywords, _ = image_tuple(doubtful)
    image = viewer.add_image(data, **keywords)
    labels, keywords, _ = labels_tuple(doubtful, np.zeros(data.shape, np.uint8), "labels")
    mask = viewer.add_labels(labels, **keywords)
    panel = VolumePanel(viewer)
    qtbot.addWidget(panel)
    panel.show()
    assert panel.modalities.currentText() == "MR"
    assert "Taken for MR" in panel.facts.text()
    changed, windowed = [], []
    panel.changed.connect(lambda: changed.append(panel.volume.modality))
    panel.windowed.connect(windowed.append)
    before = image.contrast_limits
    assert tuple(before) == (default_window("MR", data).low, default_window("MR", data).high)

    qtbot.keyClick(panel.modalities, Qt.Key.Key_Up)
    assert changed == ["CT"]
    assert volume_of(image) is volume_of(mask) is panel.volume
    assert tuple(image.contrast_limits) == windowed[-1] == (PRESETS["abdomen"].low, PRESETS["abdomen"].high)
    assert [str(each) for each in panel.volume.findings] == ["The gantry was tilted.", "Taken for CT, as set."]
    assert panel.volume.voxels is doubtful.voxels
    assert panel.facts.text().startswith("CT")

    qtbot.keyClick(panel.modalities, Qt.Key.Key_Up)
    assert changed == ["CT"]
    panel.choose_window(5)
    qtbot.keyClick(panel.modalities, Qt.Key.Key_Down)
    assert tuple(image.contrast_limits) == tuple(before), "a window of CT is none for MR"
    assert panel.presets.currentIndex() == 0


def test_without_a_volume_there_is_no_modality_to_set(viewer, qtbot):
    panel = VolumePanel(viewer)
    qtbot.addWidget(panel)
    assert not panel.modalities.isEnabled()


def test_the_list_of_windows_says_what_is_seen_of_each_volume(viewer, volume, doubtful, qtbot):
    def opened(shown):
        data, keywords, _ = image_tuple(shown)
        return viewer.add_image(data, **keywords)

    def limits(name):
        return PRESETS[name].low, PRESETS[name].high

    first, panel = opened(volume), VolumePanel(viewer)
    qtbot.addWidget(panel)
    panel.models_see.setCurrentText("The window shown")
    panel.choose_window(2)
    assert tuple(first.contrast_limits) == limits("lung")
    resonance = opened(doubtful)
    before = tuple(resonance.contrast_limits)
    panel.layers.choose(resonance)
    assert panel.presets.currentIndex() == 0, "a window in Hounsfield units is none for MR"
    assert tuple(resonance.contrast_limits) == panel.contrast_limits == before
    assert panel.intensity_window is None, "what the models see is what is shown"
    panel.layers.choose(first)
    assert panel.presets.currentIndex() == 2
    twin = opened(replace(volume, voxels=volume.voxels.copy()))
    panel.layers.choose(twin)
    assert panel.presets.currentIndex() == 2
    assert tuple(twin.contrast_limits) == limits("lung"), "a CT opened anew is shown as the list says"
    panel.show_limits(0.0, 100.0)
    panel.layers.choose(first)
    assert panel.presets.currentIndex() == 2
    panel.layers.choose(twin)
    assert panel.presets.currentText() == "Set by hand"
    assert panel.contrast_limits == (0, 100)


def test_a_window_that_was_remembered_is_taken_by_a_ct_alone(viewer, volume, doubtful, qtbot):
    data, keywords, _ = image_tuple(doubtful)
    resonance = viewer.add_image(data, **keywords)
    before, panel = tuple(resonance.contrast_limits), VolumePanel(viewer)
    qtbot.addWidget(panel)
    panel.restore({"window": "bone"})
    assert panel.presets.currentIndex() == 0
    assert tuple(resonance.contrast_limits) == before
    viewer.layers.clear()
    panel.restore({"window": "bone"})
    data, keywords, _ = image_tuple(volume)
    image = viewer.add_image(data, **keywords)
    assert tuple(image.contrast_limits) == (PRESETS["bone"].low, PRESETS["bone"].high)
    assert panel.preferences()["window"] == "bone"
    later = VolumePanel(viewer)
    qtbot.addWidget(later)
    later.restore({"window": "lung"})
    assert later.preferences()["window"] == "lung", "of a CT that was open before the dock, too"
    assert tuple(image.contrast_limits) == (PRESETS["lung"].low, PRESETS["lung"].high)


def test_a_window_set_with_napari_s_own_slider_is_the_window_shown(viewer, volume, qtbot):
    data, keywords, _ = image_tuple(volume)
    image, panel = viewer.add_image(data, **keywords), VolumePanel(viewer)
    qtbot.addWidget(panel)
    panel.models_see.setCurrentText("The window shown")
    panel.choose_window(5)
    assert panel.presets.currentIndex() == 5, "what the panel sets is no other's"
    previewed = []
    panel.previewed.connect(previewed.append)
    with qtbot.waitSignal(panel.windowed) as told:
        image.contrast_limits = (0, 90)
        image.contrast_limits = (0, 100)
    assert previewed == [(0.0, 90.0), (0.0, 100.0)]
    assert told.args == [(0.0, 100.0)], "models are asked once"
    assert panel.presets.currentText() == "Set by hand"
    assert (panel.intensity_window.low, panel.intensity_window.high) == (0, 100)
    panel.choose_window(5)
    assert tuple(image.contrast_limits) == (PRESETS["bone"].low, PRESETS["bone"].high)
    panel.release()
    image.contrast_limits = (0, 90)
    assert panel.presets.currentIndex() == 5
