"""The volume's facts, its window, and its modality."""

from __future__ import annotations

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
    qtbot.keyClick(panel.modalities, Qt.Key.Key_Down)
    assert tuple(image.contrast_limits) == tuple(before)


def test_without_a_volume_there_is_no_modality_to_set(viewer, qtbot):
    panel = VolumePanel(viewer)
    qtbot.addWidget(panel)
    assert not panel.modalities.isEnabled()
