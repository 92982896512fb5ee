from __future__ import annotations

import subprocess
import sys
from importlib.resources import files

import numpy as np
import pytest
from qtpy.QtSvg import QSvgRenderer

from napari_pqcomq.layers.volume_layers import volume_of
from pqcomq.samples.synthetic_ct import synthetic_ct


def test_every_command_of_the_manifest_can_be_imported(manifest):
    manifest.validate_imports()
    assert manifest.name == "napari-pqcomq"
    assert all(command.id.startswith("napari-pqcomq.") for command in manifest.contributions.commands)


def test_the_icon_is_a_picture_that_is_shipped(manifest):
    package, name = manifest.icon.split(":")
    assert package == "napari_pqcomq.resources"
    assert QSvgRenderer(str(files(package) / name)).isValid()


@pytest.mark.parametrize("module", ["napari_pqcomq.io.reader", "napari_pqcomq.io.sample_data"])
def test_what_napari_asks_for_every_file_loads_no_torch(module):
    program = f"import sys, {module}; print('torch' in sys.modules)"
    asked = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert asked.stdout.strip() == "False"


def test_napari_finds_the_widget_and_opens_it_once(plugin, viewer, qtbot):
    dock, widget = viewer.window.add_plugin_dock_widget("napari-pqcomq")
    assert "Compare precisions" in dock.name
    assert type(widget).__name__ == "CompareDock"
    if widget.parts is None:
        with qtbot.waitSignal(widget.ready):
            pass
    assert type(widget.parts).__name__ == "CompareWidget"


def test_the_synthetic_sample_opens_as_volume_labels_and_boxes(plugin, viewer):
    image, labels, boxes = viewer.open_sample("napari-pqcomq", "synthetic_ct")
    sample = synthetic_ct()
    assert [layer._type_string for layer in viewer.layers] == ["image", "labels", "shapes"]
    assert volume_of(image).sha256 == sample.volume.sha256
    np.testing.assert_array_equal(labels.data, sample.labels)
    assert image.contrast_limits == [-160, 240]
    assert len(boxes.data) == len(sample.boxes)
    assert set(boxes.features["name"]) == set(sample.names.values())
    for label, name in sample.names.items():
        of_box = boxes.edge_color[list(boxes.features["name"]).index(name)]
        np.testing.assert_allclose(np.ravel(labels.colormap.map(label))[:3], of_box[:3], atol=0.01)


def test_the_mr_sample_opens_in_a_window_of_its_own_intensities(plugin, viewer):
    (image,) = viewer.open_sample("napari-pqcomq", "mr_slice")
    low, high = image.contrast_limits
    assert image.data.ndim == 3
    assert 0 <= low < high <= image.data.max()
